"""When a delivery starts, what it takes along, and what waits for the next one."""

import email.utils
import json
import os
import re
import signal
import time

import pytest

from tests.client.people import DAY, PATIENCE, Developer, backoff, eventually
from tests.client.recorder import HOLD, Recorder, Reply


def test_a_clock_that_was_ahead_once_does_not_stop_delivery(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    (sealed,) = agreed.place("sealed")
    then = time.time() + 5 * 365 * 86400
    sealed.write_bytes(re.sub(rb'"release": [0-9.]+', b'"release": %f' % then, sealed.read_bytes()))
    os.utime(agreed.spool / "next", (then, then))
    assert "wrong clock" in agreed.innerloop("doctor").out
    agreed.run("make", "build")
    assert eventually(lambda: len(server.events) == 1)


def test_a_spool_whose_delivery_was_killed_comes_after_the_others(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.project(directory="other", project={"id": "other", "name": "other", "write_key": "other.first"})
    agreed.opt_in("yes")
    agreed.run("make", "test")
    agreed.innerloop("show", "pending")
    spools = list((agreed.state / "spool").iterdir())
    assert 2 == len(spools)
    server.always(Reply(how=HOLD))
    server.requests.clear()
    seen = []
    for number in range(1, 5):
        for spool in spools:
            (spool / "delivery.json").unlink(missing_ok=True)
            for run in (spool / "sealed").iterdir():
                run.write_bytes(re.sub(rb'"release": [0-9.]+', b'"release": 1.0', run.read_bytes(), count=1))
            os.utime(spool / "next", (0, 0))
        sending = agreed.start(agreed.command, "deliver")
        assert eventually(lambda number=number: len(server.requests) >= number)  # type: ignore[misc]
        sending.send_signal(signal.SIGKILL)
        sending.wait(PATIENCE)
        seen.append(server.requests[-1].key)

    assert {"shop.first", "other.first"} == set(seen[:2]) == set(seen[2:])


def tries_in_the_background(developer: Developer) -> None:
    """Let delivery be due and run the detached sender to its end."""
    developer.let_releases_pass()
    developer.make_delivery_due()
    assert developer.innerloop("deliver").status == 0


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


def test_what_waits_longer_than_90_days_is_given_up_and_counted(queued: Developer, server: Recorder) -> None:
    server.always(Reply(500))
    old, *_ = queued.place("sealed")
    os.utime(old, (time.time() - 91 * DAY,) * 2)
    queued.flush()
    assert len(server.events) == 2
    ledger = queued.ledger()
    assert (ledger["queued"], ledger["dropped"]) == (2, {"expired": 1})


def test_an_attempt_is_a_repetition_within_half_an_hour(agreed: Developer, server: Recorder) -> None:
    for target in ("test", "test", "test", "test", "test", "build"):
        agreed.run("make", target)
    agreed.flush()
    attempts = sorted((event["properties"]["command"], event["properties"]["attempt"]) for event in server.events)
    assert attempts == [("build", "1"), ("test", "1"), ("test", "2"), ("test", "3"), ("test", "4+"), ("test", "4+")]


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


def test_old_copies_go_also_while_the_collector_is_down(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.flush()
    for path in agreed.place("sent"):
        os.utime(path, (0, time.time() - 31 * DAY))
    server.always(Reply(503))
    agreed.run("make", "test")
    agreed.flush()
    assert agreed.place("sent") == []
