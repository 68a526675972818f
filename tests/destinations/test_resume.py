"""A process that ends anyhow goes on where its destinations had acknowledged: nothing is missing, and what is sent twice looks the same."""

import threading
from datetime import timedelta

import pytest

from tests.collector.support import Owner, run_event
from tests.destinations.receivers import Answer, Receiver, Request, wait_until
from tests.destinations.support import WITHOUT_ID, Configured, project


@pytest.mark.slow
def test_a_restart_sends_what_came_since_and_nothing_twice(configured: Configured, receiver: Receiver) -> None:
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(*(run_event(duration_ms=number) for number in range(10)))
    receiver.wait_for(lambda it: len(it.events) == 10)
    configured.collector.stop()
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(*(run_event(duration_ms=number) for number in range(10, 20)))
    receiver.wait_for(lambda it: len(it.events) >= 20)

    assert list(range(20)) == [event["duration_ms"] for event in receiver.events]


def test_killed_while_it_waits_for_an_answer_it_sends_that_batch_again(configured: Configured, receiver: Receiver) -> None:
    """The destination may have it or not; nobody knows. Both times it has the same names."""
    asked: list[str] = []

    def take_it_and_never_answer(request: Request) -> Answer:
        asked.extend(event["message_id"] for event in request.events)
        return receiver.hang(request)

    receiver.say = take_it_and_never_answer
    configured.destination("nr", "newrelic", receiver, timeout_seconds=60).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(), run_event())
    wait_until(lambda: asked)
    configured.collector.kill()
    receiver.say = lambda _: Answer()
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    receiver.wait_for(lambda it: len(it.events) >= len(asked))

    assert set(asked) <= {event["message_id"] for event in receiver.events}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_any_time_it_sends_everything_at_least_once_under_the_same_names(configured: Configured, receiver: Receiver) -> None:
    """Months differ, so that commits are several inserts; batches are small, so that kills hit between them."""
    configured.destination("nr", "newrelic", receiver, batch=7)
    count, kills = 0, 16  # fewer than 1,000 events, so that three digits tell them apart
    for round_ in range(kills):
        configured.start(project(("Metrics Ltd", WITHOUT_ID)))
        events = [run_event("somebody", duration_ms=count + n, ago=timedelta(days=40 * (n % 2))) for n in range(60)]
        count += 60
        killer = threading.Timer(0.02 + 0.013 * (round_ % 17), configured.collector.kill)
        for event in events[:-20]:
            configured.send(event) if round_ % 3 == 0 else None
        configured.send(*events)
        killer.start()
        killer.join()
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.wait("nr", lambda it: not it["behind_events"], 240)
    assert count == configured.collector.stored

    by_name: dict[str, set[int]] = {}
    for event in receiver.events:
        by_name.setdefault(event["message_id"], set()).add(event["duration_ms"])
    assert set(range(count)) == {event["duration_ms"] for event in receiver.events}
    assert count == len(by_name)
    assert all(len(content) == 1 for content in by_name.values())
    assert len(receiver.events) <= count + kills * 7, "more was sent again than one batch for each kill"


@pytest.mark.slow
def test_an_erasure_of_the_newest_events_does_not_hide_those_that_come_after_a_restart(configured: Configured, receiver: Receiver) -> None:
    """Positions of rows that are gone are not given out again: a destination has passed them."""
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    leaving = Owner()
    configured.send(run_event(duration_ms=1))
    configured.collector.send(*(run_event(leaving.id, duration_ms=2) for _ in range(5)), owners=[leaving])
    receiver.wait_for(lambda it: len(it.events) == 6)
    configured.wait("nr", lambda it: it["sent"] == 6)
    configured.collector.forget(leaving)
    configured.collector.stop()
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(duration_ms=3))

    assert 3 == receiver.wait_for(lambda it: len(it.events) == 7).events[-1]["duration_ms"]
