"""What becomes of an event on its way, whatever the collector answers (C37, C38, C40, C44)."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.client.people import Developer
from tests.client.recorder import CUT, Recorder, Reply, Request

KEPT_FOR_LATER = (401, 403, 404, 429, 500, 503, 302)


def refusing(*commands: str, status: int = 400) -> Callable[[Request], Reply]:
    """A collector that refuses every batch with a run of these commands in it."""

    def answer(request: Request) -> Reply:
        bad = any(event["properties"]["command"] in commands for event in request.events)
        return Reply(status, body=b'{"message":"properties.command: not allowed"}') if bad else Reply()

    return answer


def test_c37_a_bad_event_does_not_starve_the_rest_also_where_it_is_the_oldest(agreed: Developer, server: Recorder) -> None:
    server.always(refusing("fail"))
    for target in ("fail", "test", "build", "test", "test"):
        agreed.run("make", target)
    agreed.pending()
    oldest = next(path for path in agreed.place("sealed") if b'"command":"fail"' in path.read_bytes())
    oldest.write_bytes(re.sub(rb'"release": [0-9.]+', b'"release": 1.0', oldest.read_bytes(), count=1))
    assert 1 == agreed.flush().status

    ledger = agreed.ledger()
    assert (4, 1, 0) == (ledger["acknowledged"], ledger["quarantined"], ledger["queued"])
    (line,) = (line for line in agreed.innerloop("doctor").out.splitlines() if line.startswith("NO  quarantine"))
    assert line.endswith("the collector answered 400: properties.command: not allowed")
    agreed.run("make", "test")
    assert 0 == agreed.flush().status, "the next delivery is not held up by it"


def test_c37_what_happens_offline_is_sent_later_with_its_own_time(agreed: Developer, server: Recorder) -> None:
    server.always(Reply(how=CUT))
    for _ in range(3):
        agreed.run("make", "test")
        assert 1 == agreed.flush().status
    server.always(Reply())
    assert 0 == agreed.flush().status

    delivered = server.requests[-1].events
    assert 3 == len(delivered)
    assert all(event["timestamp"].endswith(":00:00+00:00") for event in delivered)
    assert 3 == agreed.ledger()["acknowledged"]


def test_c38_what_is_not_about_an_event_keeps_every_event(queued: Developer, server: Recorder) -> None:
    for number, status in enumerate(KEPT_FOR_LATER, 1):
        server.always(Reply(status, {"Location": "/elsewhere"} if status == 302 else {}))
        assert 1 == queued.flush().status, status
        assert number == len(server.requests), f"{status}: asked once, then left alone"
        ledger = queued.ledger()
        assert (3, 0, {}) == (ledger["queued"], ledger["quarantined"], ledger["dropped"]), status
    server.always(Reply())
    assert 0 == queued.flush().status
    assert 3 == queued.ledger()["acknowledged"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_c38_a_batch_that_is_refused_is_halved_until_the_culprit_is_alone(queued: Developer, server: Recorder, status: int) -> None:
    sample, culprit = (next(path for path in queued.place("sealed") if name in path.read_bytes()) for name in (b':"test"', b':"fail"'))
    text = sample.read_text().replace(json.loads(sample.read_text().splitlines()[1])["messageId"], "{id}")
    for number in range(29):
        run = f"{number:08x}-0000-4000-8000-000000000000"
        (sample.parent / run).write_text(text.replace("{id}", run))
    server.always(refusing("fail", status=status))
    assert 1 == queued.flush("--timeout", "60").status

    ledger = queued.ledger()
    assert (31, 1, 0) == (ledger["acknowledged"], ledger["quarantined"], ledger["queued"])
    assert [culprit.name] == [path.name for path in queued.place("quarantine")]
    assert len(server.requests) <= 1 + 2 * 5, "32 runs are halved five times"


def test_c38_a_batch_that_is_too_large_is_sent_in_parts(queued: Developer, server: Recorder) -> None:
    """A collector or a proxy in between may allow less than the protocol does."""
    queued.pretend_sealed(37)
    server.always(lambda request: Reply(413) if len(request.events) > 10 else Reply())
    assert 0 == queued.flush().status

    assert 40 == queued.ledger()["acknowledged"]


def padded(developer: Developer, size: int) -> None:
    """Make every sealed event larger, outside of what the plan looks at."""
    for path in developer.place("sealed"):
        head, _, event = path.read_bytes().rstrip(b"\n").partition(b"\n")
        path.write_bytes(head + b"\n" + event[:-1] + b',"padding":"' + b"x" * size + b'"}\n')


def test_c40_batches_stay_within_the_protocols_limits(queued: Developer, server: Recorder) -> None:
    queued.pretend_sealed(1200)
    assert 0 == queued.flush().status
    assert {500, 203} == {len(request.events) for request in server.requests}

    for _ in range(2):
        queued.run("make", "test")
    queued.pending()
    queued.pretend_sealed(60)
    padded(queued, 25_000)
    assert 0 == queued.flush().status
    assert max(len(request.content) for request in server.requests) <= 450_000 + 200
    assert len(server.requests) >= 3 + 4


def test_c40_an_event_that_is_too_large_never_leaves_and_is_counted(queued: Developer, server: Recorder) -> None:
    large, *others = queued.place("sealed")
    head, _, event = large.read_bytes().rstrip(b"\n").partition(b"\n")
    large.write_bytes(head + b"\n" + event[:-1] + b',"padding":"' + b"x" * 32_000 + b'"}\n')
    queued.flush()

    assert 2 == len(server.events)
    assert all(len(json.dumps(event)) < 32_000 for event in server.events)
    ledger = queued.ledger()
    assert (2, 1) == (ledger["acknowledged"], ledger["quarantined"])
    assert "oversize" in queued.innerloop("doctor").out
    assert 2 == len(others)


def test_c40_an_events_id_is_never_used_again(agreed: Developer, server: Recorder) -> None:
    """Neither for another run, nor after a new yes; the same event keeps it over every attempt."""
    server.will(Reply(how=CUT))
    for _ in range(3):
        agreed.run("make", "test")
    agreed.flush()
    agreed.flush()
    first, second = (Counter(event["messageId"] for event in request.events) for request in server.requests)
    assert first == second
    agreed.opt_out()
    agreed.opt_in("yes")
    for _ in range(3):
        agreed.run("make", "test")
    agreed.flush()

    ids = [event["messageId"] for event in server.requests[1].events + server.requests[2].events]
    assert 6 == len(set(ids)) == len(ids)


def test_c44_each_attempt_has_its_own_clock_and_each_event_that_of_its_run(agreed: Developer, server: Recorder) -> None:
    agreed.edit(fields={"timestamp": "second", "start_time": "second"})
    agreed.opt_in("yes")
    began = time.time()
    agreed.run("make", "slow")
    ended = time.time()
    server.will(Reply(503))
    agreed.flush()
    time.sleep(1.1)
    agreed.flush()
    first, second = server.requests

    assert first.events == second.events
    assert first.document["sentAt"] < second.document["sentAt"]
    (event,) = second.events
    assert int(began) <= datetime.fromisoformat(event["timestamp"]).timestamp() <= ended


def test_c38_a_collector_that_refuses_everything_empties_no_queue(queued: Developer, server: Recorder) -> None:
    """A proxy in between, or a mistake over there, answers 400 to every request: that says nothing about 303 events."""
    queued.pretend_sealed(300)
    server.always(Reply(400))
    assert 1 == queued.flush().status

    assert len(server.requests) <= 40
    assert queued.ledger()["quarantined"] <= 20
