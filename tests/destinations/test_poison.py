"""An event that a destination does not take is found, set aside and listed, and holds up no other."""

import json
from collections.abc import Callable

import pytest

from tests.collector.support import run_event
from tests.destinations.receivers import Answer, Receiver, Request
from tests.destinations.support import WITHOUT_ID, Configured, project

POISON = 666


def poisoned(request: Request) -> Answer:
    """Take no batch that holds a certain event."""
    return Answer(400 if any(event["duration_ms"] == POISON for event in request.events) else 200)


def test_poison_is_found_by_halving_and_set_aside_with_its_reason(configured: Configured, receiver: Receiver) -> None:
    receiver.say = poisoned
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(*(run_event(duration_ms=POISON if number in {3, 4, 11} else number) for number in range(20)))
    status = configured.wait("nr", lambda it: it["set_aside"] == 3)
    listed = configured.collector.ask("destinations", "set-aside", "nr")["set_aside"]

    assert (17, 0, "level") == (status["sent"], status["behind_events"], status["state"])
    assert sorted(set(range(20)) - {3, 4, 11}) == [event["duration_ms"] for event in receiver.events]
    assert [("acme", "run", "it answered 400", "waiting")] * 3 == [
        tuple(one[name] for name in ("project", "kind", "reason", "state")) for one in listed
    ]
    assert str(POISON) not in json.dumps(listed), "it is listed by its place, not by its content"

    receiver.say = lambda _: Answer()
    assert "3 events are tried again" in configured.collector.cli("destinations", "retry", "nr").stdout
    receiver.wait_for(lambda it: len(it.events) == 20)
    status = configured.wait("nr", lambda it: not it["set_aside"])
    assert 20 == status["sent"]


@pytest.mark.slow
def test_what_is_tried_again_in_vain_is_listed_again(configured: Configured, receiver: Receiver) -> None:
    receiver.say = poisoned
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(duration_ms=1), run_event(duration_ms=POISON))
    configured.wait("nr", lambda it: it["set_aside"] == 1)
    receiver.say = lambda it: Answer(413 if poisoned(it).status == 400 else 200)
    configured.collector.cli("destinations", "retry", "nr")
    configured.send(run_event(duration_ms=2))
    receiver.wait_for(lambda it: len(it.events) == 2)

    (listed,) = configured.collector.ask("destinations", "set-aside", "nr")["set_aside"]
    assert ("it answered 413", "waiting") == (listed["reason"], listed["state"])


@pytest.mark.slow
def test_a_destination_that_takes_nothing_at_all_is_broken_and_its_events_wait(
    configured: Configured, new_receiver: Callable[[], Receiver]
) -> None:
    """Nothing says that the events are at fault, so none is set aside before it was tried often."""
    receiver = new_receiver()
    asked: list[Request] = []
    receiver.say = lambda request: asked.append(request) or Answer(400)  # type: ignore[func-returns-value]
    configured.destination("nr", "newrelic", receiver, first_pause_seconds=1, longest_pause_seconds=60)
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(*(run_event() for _ in range(50)))
    status = configured.wait("nr", lambda it: it["failures"] >= 2)

    assert ("failing", 50, 0, 0) == tuple(status[name] for name in ("state", "behind_events", "set_aside", "sent"))
    assert "it takes none of 8 events: it answered 400" == status["last_error"]
    assert len(asked) < 100, "not every event is tried by itself each time"
    receiver.say = lambda _: Answer()
    configured.collector.cli("destinations", "resume", "nr")
    receiver.wait_for(lambda it: len(it.events) == 50)


def test_only_attempts_in_a_row_of_which_every_event_was_rejected_set_events_aside(
    configured: Configured, new_receiver: Callable[[], Receiver]
) -> None:
    """A destination that was away, and takes nothing for a moment when it comes back, has not said anything of the events."""
    mending, strict = new_receiver(), new_receiver()
    asked: list[Request] = []
    answers = iter([*[503] * 12, *[400] * 6, 503, *[400] * 6, 401, *[400] * 6, 200])
    mending.say = lambda _: Answer(next(answers))
    strict.say = lambda request: asked.append(request) or Answer(400)  # type: ignore[func-returns-value]
    quick = {"first_pause_seconds": 0.01, "longest_pause_seconds": 0.05}
    configured.destination("mending", "newrelic", mending, **quick).destination("strict", "newrelic", strict, **quick)
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    strictly = configured.wait("strict", lambda it: it["set_aside"])
    status = configured.wait("mending", lambda it: it["behind_events"] == 0)

    assert (1, 0) == (status["sent"], status["set_aside"])
    assert (0, 1) == (strictly["sent"], strictly["set_aside"])
    assert 9 == len(asked), "eight attempts in a row, and the one after which it is set aside"
