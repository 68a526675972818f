"""No destination delays another, nor ingest; each waits as its destination asks."""

import time
from collections.abc import Callable

import pytest

from tests.collector.support import run_event
from tests.destinations.receivers import Answer, Receiver, wait_until
from tests.destinations.support import SECRET, WITHOUT_ID, Configured, project


@pytest.mark.slow
def test_one_hangs_one_refuses_one_is_gone_and_one_works(configured: Configured, new_receiver: Callable[[], Receiver]) -> None:
    hanging, refusing, gone, working = (new_receiver() for _ in range(4))
    hanging.say = hanging.hang
    refusing.say = lambda _: Answer(401, body=SECRET.encode())
    gone.close()
    configured.destination("hanging", "newrelic", hanging, timeout_seconds=60).destination("refusing", "segment", refusing)
    configured.destination("gone", "otlp", gone).destination("working", "newrelic", working)
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))

    began = time.monotonic()
    for _ in range(20):
        configured.send(run_event(), run_event())
    took = time.monotonic() - began
    working.wait_for(lambda it: len(it.events) == 40)
    states = {name: configured.status(name) for name in ("hanging", "refusing", "gone", "working")}

    assert took < 10, "ingest waited for a destination"
    assert (0, 40, "level") == tuple(states["working"][key] for key in ("behind_events", "sent", "state"))
    assert ("delivering", 40) == (states["hanging"]["state"], states["hanging"]["behind_events"])
    assert states["hanging"]["behind_seconds"] > 0
    assert "it answered 401; see its key and its address" == states["refusing"]["last_error"]
    assert "no answer: connection refused" == states["gone"]["last_error"]
    began = time.monotonic()
    assert 0 == configured.collector.stop(), "a destination that hangs must not keep the service from ending"
    assert time.monotonic() - began < 15
    assert "destination failed" in configured.collector.log
    assert SECRET not in configured.collector.log
    assert "127.0.0.1" not in configured.collector.log.replace(configured.collector.url, "")


@pytest.mark.slow
def test_a_destination_that_asks_for_a_pause_gets_it(configured: Configured, receiver: Receiver) -> None:
    """The pauses of the configuration are much shorter than what the destinations ask for."""
    attempts: dict[str, list[float]] = {}

    def say(request: object) -> Answer:
        path = request.path  # type: ignore[attr-defined]
        attempts.setdefault(path, []).append(time.monotonic())
        return Answer(503 if path == "/v1/traces" else 429, {"Retry-After": "2"}) if len(attempts[path]) == 1 else Answer()

    receiver.say = say
    for kind in ("newrelic", "segment", "otlp"):
        configured.destination(kind, kind, receiver, metrics=False)
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    wait_until(lambda: len(attempts) == 3 and all(len(times) == 2 for times in attempts.values()))

    for path, times in attempts.items():
        assert 1.9 <= times[1] - times[0] < 6, path


@pytest.mark.slow
def test_a_paused_destination_gets_nothing_until_it_is_resumed_also_after_a_restart(configured: Configured, receiver: Receiver) -> None:
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    assert 0 == configured.collector.cli("destinations", "pause", "nr").returncode
    configured.send(run_event())
    configured.collector.stop()
    assert "paused" == configured.status("nr")["state"], "asked of the store itself"
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    time.sleep(1.2)

    assert [] == receiver.requests
    assert 0 == configured.collector.cli("destinations", "resume", "nr").returncode
    receiver.wait_for(lambda it: len(it.events) == 2)


def test_a_redirect_is_not_followed(configured: Configured, new_receiver: Callable[[], Receiver]) -> None:
    """Events go to the configured host or nowhere."""
    elsewhere, sly = new_receiver(), new_receiver()
    sly.say = lambda request: Answer(307, {"Location": elsewhere.url + request.path})
    for kind in ("newrelic", "segment", "otlp"):
        configured.destination(kind, kind, sly)
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    states = [configured.wait(kind, lambda it: it["failures"] > 1) for kind in ("newrelic", "segment", "otlp")]

    assert [] == elsewhere.requests
    assert all("redirect" in one["last_error"] for one in states)
    assert [0, 0, 0] == [one["sent"] for one in states]
