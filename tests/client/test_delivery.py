"""Delivery over real HTTP: the bytes that leave, and nothing is lost whatever the collector does."""

import re
import subprocess
import time
from collections.abc import Callable

import pytest

from innerloop.core.plan.check import Names, violations
from tests.client.people import DAY, Developer, backoff, eventually
from tests.client.recorder import CUT, DRIP, HOLD, Recorder, Reply, Request

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


HOUR = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00\+00:00")


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


def test_a_proxy_of_the_developer_is_used(queued: Developer) -> None:
    with Recorder() as proxy:
        queued.edit(project={"endpoint": "http://collector.example"})
        queued.opt_in("yes")
        queued.run("make", "test")
        assert queued.flush(env={"http_proxy": proxy.url}).status == 0
        assert proxy.requests[0].line == "POST http://collector.example/v1/batch HTTP/1.1"


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
