"""Delivery over real HTTP: what is shown is what leaves, nothing is lost whatever the collector does, and the ledger adds up."""

import email.utils
import json
import os
import re
import subprocess
import time
from collections.abc import Callable

import pytest

from innerloop.core.plan.check import Names, violations
from tests.client.people import DAY, Developer, eventually
from tests.client.recorder import CUT, DRIP, HOLD, Recorder, Reply, Request

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
HOUR = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00\+00:00")


@pytest.fixture
def queued(agreed: Developer) -> Developer:
    """Somebody who agreed and has three runs that wait for delivery."""
    for target in ("test", "build", "fail"):
        agreed.run("make", target)
    assert len(agreed.pending()) == 3
    return agreed


def backoff(developer: Developer) -> float:
    """How long delivery waits (s), as the launcher sees it."""
    return (developer.spool / "next").stat().st_mtime - time.time()


def tries_in_the_background(developer: Developer) -> None:
    """Let delivery be due and run the detached sender to its end."""
    developer.let_releases_pass()
    developer.make_delivery_due()
    assert developer.innerloop("deliver").status == 0


# the bytes


def test_what_is_shown_is_what_leaves_byte_for_byte(queued: Developer, server: Recorder) -> None:
    pending = queued.innerloop("show", "pending")
    lines = [line for line in pending.out.splitlines() if line]
    following = queued.innerloop("show", "next").out.rstrip("\n")
    assert queued.flush().status == 0
    (request,) = server.requests
    body = request.content.decode()
    assert body.startswith('{"batch":[' + ",".join(lines) + '],"context":')
    clock = re.compile(r'("sentAt":")[^"]*(")')
    assert clock.sub(r"\1\2", following) == clock.sub(r"\1\2", body)
    sent = queued.innerloop("show", "sent").out.splitlines()
    assert sorted(sent) == sorted(lines)
    assert queued.innerloop("show", "pending").out == queued.innerloop("show", "next").out == ""
    for what in ("sent", "pending"):
        assert queued.innerloop("show", what, "--json").json == ([] if what == "pending" else [json.loads(line) for line in sent])


def test_looking_twice_shows_the_same_bytes(queued: Developer) -> None:
    assert queued.innerloop("show", "pending").out == queued.innerloop("show", "pending").out


def test_the_request_is_a_segment_batch_with_key_gzip_and_one_digest(queued: Developer, server: Recorder) -> None:
    queued.flush()
    (request,) = server.requests
    assert request.line == "POST /v1/batch HTTP/1.1"
    assert request.key == "shop.first"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["user-agent"] == "innerloop/0.1.0"
    assert set(request.headers) <= {
        "accept-encoding", "content-length", "host", "authorization", "content-type", "content-encoding", "user-agent", "connection",
    }  # fmt: skip
    document = request.document
    assert set(document) == {"batch", "context", "sentAt"}
    assert document["context"]["plan"] == queued.status()["plan"]
    assert set(document["context"]) == {"plan", "erasure"}  # the latter once, see test_forget.py
    assert len(document["batch"]) == 3


def test_every_event_keeps_to_the_plan_and_to_what_was_agreed(queued: Developer, server: Recorder) -> None:
    queued.flush()
    agreement = queued.consent["agreement"]
    for event in server.events:
        assert violations(event, agreement, Names(("test", "build", "fail"))) == []
        assert set(event) == {"type", "event", "messageId", "userId", "timestamp", "properties"}
        assert HOUR.fullmatch(event["timestamp"])
        assert event["properties"]["start_time"] == event["timestamp"]
        assert len(str(event["properties"]["duration_ms"]).rstrip("0")) <= 3
        assert UUID4.fullmatch(event["messageId"])
    assert len({event["messageId"] for event in server.events}) == 3
    assert len({event["userId"] for event in server.events}) == 1


def test_no_consent_date_serial_or_run_id_is_on_the_wire(queued: Developer, server: Recorder) -> None:
    names = [path.name.encode() for path in queued.place("sealed")]
    queued.flush()
    consent = queued.consent
    for secret in (consent["serial"], consent["secret"], consent["timestamp"], consent["text"], str(queued.home), str(queued.directory)):
        assert secret.encode() not in server.bytes
    assert not [name for name in names if name in server.bytes]


def test_the_endpoint_may_have_a_path(developer: Developer, server: Recorder) -> None:
    developer.edit(project={"endpoint": f"{server.url}/in/take/"})
    developer.opt_in("yes")
    developer.run("make", "test")
    developer.flush()
    assert server.requests[0].line == "POST /in/take/v1/batch HTTP/1.1"


def test_a_delivered_run_is_acknowledged(queued: Developer, server: Recorder) -> None:
    done = queued.flush()
    assert (done.status, done.out) == (0, f"3 runs delivered to {server.url.removeprefix('http://')}, 0 left.\n")
    assert queued.ledger()["acknowledged"] == 3
    again = queued.flush()
    assert again.status == 0
    assert len(server.requests) == 1


# what a collector may answer


REFUSALS = {
    "500": Reply(500), "502": Reply(502, body=b"<html>"), "503": Reply(503), "429": Reply(429), "418": Reply(418), "408": Reply(408),
    "301": Reply(301), "cut": Reply(how=CUT), "nonsense": Reply(999),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_failure_loses_nothing_and_is_tried_again(queued: Developer, server: Recorder, kind: str) -> None:
    server.always(REFUSALS[kind])
    done = queued.flush()
    assert (done.status, "Nothing is lost" in done.err, "Traceback" in done.err) == (1, True, False)
    assert len(server.requests) == 1
    assert queued.ledger()["queued"] == 3
    assert 0 < backoff(queued) <= 61
    first = server.events
    server.always(Reply())
    assert queued.flush().status == 0
    assert sorted(map(str, server.events[3:])) == sorted(map(str, first)), "the same events under the same ids"
    assert queued.ledger()["acknowledged"] == 3


def test_a_collector_that_is_down_loses_nothing(queued: Developer, server: Recorder) -> None:
    queued.edit()
    with Recorder() as other:
        port = other.url.rpartition(":")[2]
    queued.project(directory="elsewhere", project={"endpoint": f"http://127.0.0.1:{port}"})
    queued.opt_in("yes")
    queued.run("make", "test")
    done = queued.flush()
    assert (done.status, "no connection" in done.err) == (1, True)
    assert queued.ledger()["queued"] == 1


@pytest.mark.parametrize("wait", ["7200", "date"])
@pytest.mark.parametrize("status", [503, 429])
def test_a_collector_is_left_alone_for_as_long_as_it_asks(queued: Developer, server: Recorder, status: int, wait: str) -> None:
    asked = email.utils.formatdate(time.time() + 7200, usegmt=True) if wait == "date" else wait
    server.always(Reply(status, {"Retry-After": asked}))
    tries_in_the_background(queued)
    assert 7150 <= backoff(queued) <= 7210
    for _ in range(3):
        queued.run("make", "test")
    time.sleep(0.3)
    assert len(server.requests) == 1
    assert queued.ledger()["queued"] == 6


def test_no_collector_can_silence_a_client_for_longer_than_a_day(queued: Developer, server: Recorder) -> None:
    server.always(Reply(503, {"Retry-After": "99999999"}))
    queued.flush()
    assert DAY - 60 <= backoff(queued) <= DAY + 1


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "1e9", "NaN", "\xe9"])
def test_a_retry_after_that_says_nothing_counts_as_none(queued: Developer, server: Recorder, nonsense: str) -> None:
    server.always(Reply(503, {"Retry-After": nonsense.encode("utf-8").decode("latin-1")}))
    assert queued.flush().status == 1
    assert 0 < backoff(queued) <= 61


@pytest.mark.parametrize("status", [401, 403])
def test_a_collector_that_does_not_know_us_is_left_alone_for_a_day(queued: Developer, server: Recorder, status: int) -> None:
    server.always(Reply(status, body=b'{"message":"unknown \\u001b[31mkey"}'))
    tries_in_the_background(queued)
    assert DAY - 60 <= backoff(queued) <= DAY + 1
    queued.run("make", "test")
    time.sleep(0.3)
    assert len(server.requests) == 1
    (line,) = [line for line in queued.innerloop("doctor").out.splitlines() if "delivery" in line]
    assert f"the collector answered {status}: unknown [31mkey" in line
    assert queued.ledger()["queued"] == 4


def test_failures_wait_longer_and_longer_and_this_is_kept_on_disk(queued: Developer, server: Recorder) -> None:
    server.always(Reply(500))
    for _ in range(12):
        tries_in_the_background(queued)
    state = json.loads((queued.spool / "delivery.json").read_text())
    assert state["failures"] == 12
    assert 0 < backoff(queued) <= 6 * 3600
    server.always(Reply())
    tries_in_the_background(queued)
    assert json.loads((queued.spool / "delivery.json").read_text())["failures"] == 0
    assert 300 <= backoff(queued) <= 600
    assert queued.ledger()["acknowledged"] == 3


def test_another_host_is_not_followed(queued: Developer, server: Recorder) -> None:
    with Recorder() as other:
        for status in (301, 302, 303, 307, 308):
            server.always(Reply(status, {"Location": f"{other.url}/v1/batch"}))
            assert queued.flush().status == 1
        assert other.connections == 0
    assert queued.ledger()["queued"] == 3


def poison(command: str, status: int = 400) -> Callable[[Request], Reply]:
    """Refuse every batch that holds a run of this command."""

    def answer(request: Request) -> Reply:
        bad = any(event["properties"]["command"] == command for event in request.events)
        return Reply(status, body=b'{"message":"an event is bad"}') if bad else Reply()

    return answer


@pytest.mark.parametrize("status", [400, 413])
def test_one_bad_event_is_set_aside_and_the_rest_is_delivered(agreed: Developer, server: Recorder, status: int) -> None:
    targets = ["test", "test", "fail", "test", "build", "test", "test"]
    for target in targets:
        agreed.run("make", target)
    server.always(poison("fail", status))
    done = agreed.flush()
    assert (done.status, "1 refused and set aside" in done.out) == (1, True)
    ledger = agreed.ledger()
    assert (ledger["acknowledged"], ledger["quarantined"], ledger["queued"]) == (6, 1, 0)
    assert len(server.requests) <= 7
    (line,) = [line for line in agreed.innerloop("doctor").out.splitlines() if "quarantine" in line and "NO" in line]
    assert f"the collector answered {status}: an event is bad" in line
    accepted = [event["properties"]["command"] for event in agreed.innerloop("show", "sent", "--json").json]
    assert sorted(accepted) == ["build", *["test"] * 5]
    assert agreed.flush().status == 0


def test_a_connection_cut_after_the_body_sends_the_same_ids_again(queued: Developer, server: Recorder) -> None:
    server.will(Reply(how=CUT), Reply(how=CUT))
    for _ in range(3):
        queued.flush()
    ids = [sorted(event["messageId"] for event in request.events) for request in server.requests]
    assert len(ids) == 3
    assert ids[0] == ids[1] == ids[2]
    assert queued.ledger()["acknowledged"] == 3


@pytest.mark.parametrize("how", [HOLD, DRIP])
def test_flush_gives_up_in_time(queued: Developer, server: Recorder, how: str) -> None:
    """Whether a collector says nothing or never comes to an end."""
    server.always(Reply(how=how))
    started = time.monotonic()
    done = queued.flush("--timeout", "2")
    assert time.monotonic() - started < 4
    assert done.status == 1
    assert queued.ledger()["queued"] == 3


@pytest.mark.parametrize("how", [HOLD, DRIP])
def test_a_collector_that_never_answers_delays_no_command(queued: Developer, server: Recorder, how: str) -> None:
    server.always(Reply(how=how))
    queued.let_releases_pass()
    queued.make_delivery_due()
    started = time.monotonic()
    assert queued.execute("sh", "-c", "x=$(innerloop run -- true); echo done").out == "done\n"
    assert time.monotonic() - started < 3
    assert eventually(lambda: server.requests)


# delivery by itself


def test_delivery_starts_by_itself_when_it_is_due(queued: Developer, server: Recorder) -> None:
    queued.let_releases_pass()
    queued.run("make", "test")
    assert not eventually(lambda: server.requests, 0.5)
    queued.make_delivery_due()
    assert queued.run("make", "test").status == 0
    assert eventually(lambda: queued.ledger()["acknowledged"] == 3)
    assert len(server.requests) == 1, "the last two runs are too young to leave"
    assert queued.ledger()["queued"] == 2
    assert 290 <= backoff(queued) <= 600


def test_what_is_sealed_waits_ten_to_sixty_minutes_after_its_end(queued: Developer, server: Recorder) -> None:
    for path in queued.place("sealed"):
        release = json.loads(path.read_bytes().partition(b"\n")[0])["release"]
        assert 500 <= release - time.time() <= 3600
    queued.make_delivery_due()
    queued.innerloop("deliver")
    assert server.connections == 0


def test_twenty_commands_at_once_start_one_delivery(queued: Developer, server: Recorder) -> None:
    server.always(Reply(wait=1))
    queued.let_releases_pass()
    queued.make_delivery_due()
    many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do innerloop run -- true & done; wait"
    assert queued.execute("sh", "-c", many).status == 0
    assert eventually(lambda: queued.ledger()["acknowledged"] == 3)
    time.sleep(1)
    assert len(server.requests) == 1
    assert queued.ledger()["recorded"] == 23


def test_while_one_delivery_is_under_way_commands_start_no_other(strace: str, queued: Developer, server: Recorder) -> None:
    """A network that swallows everything must not cost each command a process."""
    server.always(Reply(how=HOLD))
    queued.let_releases_pass()
    queued.make_delivery_due()
    queued.run("true")
    assert eventually(lambda: server.requests)
    _, calls = queued.strace(queued.command, "run", "--", "true", terminal=False)
    assert '"deliver"' not in calls


def test_flush_does_not_wait_for_a_delivery_that_is_under_way(queued: Developer, server: Recorder) -> None:
    server.always(Reply(wait=2))
    first = queued.start(queued.command, "flush")
    assert eventually(lambda: server.requests)
    second = queued.flush()
    assert (second.status, "Another delivery is running" in second.err) == (1, True)
    assert first.wait(20) == 0
    assert len(server.requests) == 1


def test_large_queues_leave_in_batches_of_at_most_500_events(queued: Developer, server: Recorder) -> None:
    queued.pretend_sealed(1100)
    assert queued.flush().status == 0
    assert len(server.events) == 1103
    assert len({event["messageId"] for event in server.events}) == 1103
    for request in server.requests:
        assert len(request.events) <= 500
        assert len(request.content) <= 460_000
    assert queued.ledger()["acknowledged"] == 1103


def test_a_collector_that_fails_half_way_gets_only_the_rest_again(queued: Developer, server: Recorder) -> None:
    queued.pretend_sealed(1100)
    server.will(Reply(), Reply(503))
    assert queued.flush().status == 1
    ledger = queued.ledger()
    assert (ledger["acknowledged"], ledger["queued"]) == (500, 603)
    assert queued.flush().status == 0
    accepted = server.requests[0].events + [event for request in server.requests[2:] for event in request.events]
    assert len({event["messageId"] for event in accepted}) == len(accepted) == 1103
    assert queued.ledger()["acknowledged"] == 1103


def test_what_left_is_shown_for_a_month(queued: Developer) -> None:
    queued.flush()
    old, *_ = queued.place("sent")
    os.utime(old, (time.time() - 31 * DAY,) * 2)
    queued.run("make", "test")
    queued.flush()
    assert len(queued.innerloop("show", "sent", "--json").json) == 3
    assert queued.ledger()["acknowledged"] == 4


def test_what_waits_longer_than_90_days_is_given_up_and_counted(queued: Developer, server: Recorder) -> None:
    server.always(Reply(500))
    old, *_ = queued.place("sealed")
    os.utime(old, (time.time() - 91 * DAY,) * 2)
    queued.flush()
    assert len(server.events) == 2
    ledger = queued.ledger()
    assert (ledger["queued"], ledger["dropped"]) == (2, {"expired": 1})


def test_a_damaged_sealed_file_is_set_aside_and_the_rest_is_delivered(queued: Developer, server: Recorder) -> None:
    for path, data in zip(queued.place("sealed"), (b"", b'{"release": 1}\n{"a":'), strict=False):
        path.write_bytes(data)
    done = queued.flush()
    assert "Traceback" not in done.err
    assert len(server.events) == 1
    ledger = queued.ledger()
    assert (ledger["acknowledged"], ledger["quarantined"]) == (1, 2)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("recorded", "symlink"), ("acknowledged", "directory"), ("history", "garbage"), ("roots", "symlink"), ("about.json", "garbage"),
        ("delivery.json", "directory"), ("unrecorded", "symlink"), ("sent", "garbage"),
    ],
)  # fmt: skip
def test_a_damaged_spool_gives_no_traceback(queued: Developer, name: str, how: str) -> None:
    path = queued.spool / name
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    if how == "directory":
        path.mkdir()
    elif how == "symlink":
        path.symlink_to("/nonexistent/elsewhere")
    else:
        path.write_bytes(b"\0\xff garbage\n" * 5)
    for words in (["doctor"], ["status"], ["show", "pending"], ["report"], ["flush"]):
        done = queued.innerloop(*words)
        assert "Traceback" not in done.err, (words, done.err[-400:])
    assert queued.run("make", "fail") == queued.execute("make", "fail")


def test_a_reader_that_hangs_up_is_no_error(queued: Developer) -> None:
    queued.pretend_sealed(400)
    done = queued.execute("sh", "-c", "innerloop show pending 2>err | head -n 1; cat err | grep -v '^#'")
    assert "Traceback" not in done.out
    assert "Broken pipe" not in done.out


def test_a_proxy_of_the_developer_is_used(queued: Developer) -> None:
    with Recorder() as proxy:
        queued.edit(project={"endpoint": "http://collector.example"})
        queued.opt_in("yes")
        queued.run("make", "test")
        assert queued.flush(env={"http_proxy": proxy.url}).status == 0
        assert proxy.requests[0].line == "POST http://collector.example/v1/batch HTTP/1.1"


def test_an_attempt_is_a_repetition_within_half_an_hour(agreed: Developer, server: Recorder) -> None:
    for target in ("test", "test", "test", "test", "test", "build"):
        agreed.run("make", target)
    agreed.flush()
    attempts = sorted((event["properties"]["command"], event["properties"]["attempt"]) for event in server.events)
    assert attempts == [("build", "1"), ("test", "1"), ("test", "2"), ("test", "3"), ("test", "4+"), ("test", "4+")]


def test_exit_statuses_are_those_of_the_command(agreed: Developer, server: Recorder) -> None:
    assert agreed.run("true").status == 0
    assert agreed.run("sh", "-c", "exit 7", name="test").status == 7
    assert agreed.run("sh", "-c", "kill -KILL $$", name="build").status == -9
    agreed.flush()
    assert sorted(event["properties"]["exit_status"] for event in server.events) == [-9, 0, 7]


def test_git_facts_are_classes_unless_the_project_asks_for_more(developer: Developer, server: Recorder) -> None:
    developer.git("init", "-q", "-b", "main")
    developer.git("commit", "-q", "--allow-empty", "-m", "x", GIT_COMMITTER_DATE=f"{int(time.time()) - 5 * DAY} +0530")
    developer.opt_in("yes")
    developer.run("make", "slow")
    developer.flush()
    (event,) = server.events
    assert event["properties"]["checkout_age"] == "4-7d"
    assert event["properties"].get("git_checked_out_master", True) is True
    assert "git_commit_time" not in event["properties"]
    assert not subprocess.run(["pgrep", "-f", str(developer.directory)], capture_output=True, check=False).stdout


def test_after_weeks_offline_one_delivery_takes_two_thousand_events_and_the_rest_follows(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(2600)
    agreed.let_releases_pass()
    agreed.make_delivery_due()
    agreed.run("make", "test")
    assert eventually(lambda: len(server.events) == 2000)
    assert eventually(lambda: len(agreed.place("sent")) == 2000)
    time.sleep(1)
    assert len(server.requests) == 4
    assert (agreed.spool / "next").stat().st_mtime > time.time() + 200
    agreed.flush()
    assert len({event["messageId"] for event in server.events}) == 2602


def test_opt_out_does_not_wait_for_a_collector_that_hangs(agreed: Developer, server: Recorder) -> None:
    server.always(Reply(how=HOLD))
    agreed.run("make", "test")
    agreed.pending()
    sender = agreed.start(agreed.command, "flush")
    assert eventually(lambda: bool(server.requests))
    started = time.monotonic()
    assert agreed.opt_out().status == 0
    assert time.monotonic() - started < 5
    assert sender.wait(5) is not None
    assert agreed.ledger()["dropped"] == {"withdrawn": 1}
    assert agreed.place("sealed") == []


def test_a_yes_that_is_changed_cuts_a_request_off(agreed: Developer, server: Recorder) -> None:
    server.always(Reply(how=HOLD))
    agreed.run("make", "test")
    sender = agreed.start(agreed.command, "flush")
    assert eventually(lambda: bool(server.requests))
    agreed.consent_file.write_text(agreed.consent_file.read_text().replace('"decision": true', '"decision": false'))
    assert eventually(lambda: sender.poll() == 1, 5)


def test_show_next_shows_no_more_than_one_batch_by_size_too(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(499)
    for path in agreed.place("sealed"):
        head, event, _ = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join([head, event.replace(b'"properties":{', b'"properties":{' + b" " * 1000), b""]))
    shown = agreed.innerloop("show", "next").out
    assert 400_000 < len(shown) <= 451_000
    assert len(json.loads(shown)["batch"]) < 500


def test_old_copies_go_also_while_the_collector_is_down(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.flush()
    for path in agreed.place("sent"):
        os.utime(path, (0, time.time() - 31 * DAY))
    server.always(Reply(503))
    agreed.run("make", "test")
    agreed.flush()
    assert agreed.place("sent") == []
