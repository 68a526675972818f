"""What Segment gets: what its own SDK makes of an event, by the names that the project uses on the wire."""

import base64
import re
import uuid

import pytest

from tests.collector.support import run_event
from tests.destinations.receivers import Receiver
from tests.destinations.support import PSEUDONYM, SECRET, WITHOUT_ID, Configured, project


def test_events_arrive_as_messages_under_the_project_s_own_names(configured: Configured, receiver: Receiver) -> None:
    text = project(("Metrics Ltd", WITHOUT_ID), rename={"command": "make_target"}, events={"run": "shop.command.run"})
    configured.destination("sg", "segment", receiver).start(text)
    run = run_event()
    run["event"] = "shop.command.run"
    run["properties"]["make_target"] = run["properties"].pop("command")
    configured.send(run, {**run, "messageId": "another"})
    receiver.wait_for(lambda it: len(it.events) == 2)

    request = receiver.requests[0]
    assert "/v1/batch" == request.path
    assert f"Basic {base64.b64encode(f'{SECRET}:'.encode()).decode()}" == request.headers["authorization"]
    first, second = receiver.events
    assert ("track", "shop.command.run") == (first["type"], first["event"])
    assert run["properties"] == first["properties"]
    assert {"name": "analytics-python", "version": "2.4.0"} == first["context"]["library"]
    assert first["messageId"] != second["messageId"]
    assert first["messageId"] != run["messageId"], "the client's own id is nobody's business"
    assert first["anonymousId"] != second["anonymousId"], "nobody may count people by an id that is used once"
    assert (None, None) == (first.get("userId"), second.get("userId"))


def test_a_pseudonym_is_the_same_for_a_person_and_another_at_every_destination(configured: Configured, receiver: Receiver) -> None:
    configured.destination("one", "segment", receiver).destination("two", "segment", receiver, recipient="Others")
    configured.start(project(("Metrics Ltd", PSEUDONYM), ("Others", PSEUDONYM)))
    user = "5f0c6c1e-8d3f-4c55-9d0e-0a6f6f1f8f5e"
    runs = [str(uuid.uuid4()) for _ in range(3)]
    configured.send(*(run_event(one, run=run) for one, run in zip((user, user, None), runs, strict=True)))
    receiver.wait_for(lambda it: len(it.events) == 6)

    names = {event["properties"]["run"] for event in receiver.events}
    assert (6, set()) == (len(names), names & set(runs)), "a run can be joined with the same one elsewhere"
    seen = [event["userId"] for event in receiver.events]
    assert 4 == len(set(seen)), "two people at two destinations"
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in seen)
    assert user not in b"".join(request.body for request in receiver.requests).decode()


@pytest.mark.slow
def test_who_agreed_to_pass_the_id_on_is_known_by_a_pseudonym_all_the_same(configured: Configured, receiver: Receiver) -> None:
    """The store has no ids to give away."""
    configured.destination("sg", "segment", receiver).start(project(("Metrics Ltd", "rows with the id")))
    configured.send(run_event("somebody"))

    assert re.fullmatch("[0-9a-f]{32}", receiver.wait_for(lambda it: len(it.events) == 1).events[0]["userId"])
