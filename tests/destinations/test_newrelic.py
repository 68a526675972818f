"""What New Relic gets: flat events of strings and numbers, as its Event API wants them."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.collector.support import run_event, target_event
from tests.destinations.receivers import Receiver
from tests.destinations.support import SECRET, WITHOUT_ID, Configured, project


def test_runs_and_targets_arrive_flat_with_the_key_in_the_header(configured: Configured, receiver: Receiver) -> None:
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    run = run_event(exit_status=2)
    target = target_event(run)
    old = run_event(ago=timedelta(days=9))
    configured.send(run, target, old)
    receiver.wait_for(lambda it: len(it.events) == 3)

    request = receiver.requests[0]
    assert "/v1/accounts/events" == request.path
    assert SECRET == request.headers["api-key"]
    by_type = {event["eventType"]: event for event in receiver.events if "timestamp" in event}
    assert {"InnerloopRun", "InnerloopTarget"} == set(by_type)
    sent = by_type["InnerloopRun"]
    assert ("test", 1230, 2, "true", "false") == tuple(
        sent[name] for name in ("command", "duration_ms", "exit_status", "git_checked_out_master", "in_container")
    )
    assert run["properties"]["start_time"] == sent["start_time"]
    assert datetime.fromisoformat(run["timestamp"]).timestamp() * 1000 == sent["timestamp"]
    assert by_type["InnerloopTarget"]["run"] == sent["run"]
    assert all(type(value) in {str, int} for event in receiver.events for value in event.values())
    assert not {"installation", "userId"} & set(sent)


@pytest.mark.slow
def test_an_event_older_than_a_day_keeps_its_time_in_an_attribute_only(configured: Configured, receiver: Receiver) -> None:
    """New Relic would take the time for wrong and forget it."""
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(ago=timedelta(days=9)))
    event = receiver.wait_for(lambda it: len(it.events) == 1).events[0]

    assert "timestamp" not in event
    assert timedelta(days=8) < datetime.now(UTC) - datetime.fromisoformat(event["start_time"]) < timedelta(days=10)
