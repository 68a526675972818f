"""innerloop's own client is told of every event that is not stored; everybody else is answered exactly as Segment answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from innerloop_collector.config.configuration import QUARANTINE_DAYS
from tests.collector.support import Collector, Owner, digest_of, project, run_event
from tests.collector.test_limits import limited

OURS = {"User-Agent": "innerloop/0.1.0"}
WIDER = project(fields={"arch": False})


def answer(collector: Collector, *events: Any, plan: str | None = None, owners: tuple[Owner, ...] = ()) -> dict[str, Any]:
    """What our client is told of a batch."""
    body: dict[str, Any] = {"batch": list(events), "sentAt": datetime.now(UTC).isoformat(), "context": {"plan": plan} if plan else {}}
    if owners:
        body["context"]["erasure"] = dict(owner.registration for owner in owners)
    response = collector.post("/v1/batch", body, headers=OURS)
    assert (200, "application/json") == (response.status_code, response.headers["content-type"])
    document: dict[str, Any] = response.json()
    return document


def test_a_batch_that_is_stored_is_answered_in_one_word(collector: Collector) -> None:
    event = run_event()

    assert {"success": True} == answer(collector, event, run_event())
    assert {"success": True} == answer(collector, event), "one that was there already is stored"
    assert {"success": True} == answer(collector)


def test_what_waits_is_named_by_its_place_with_reason_and_day(collector: Collector) -> None:
    narrow = run_event()
    del narrow["properties"]["arch"]
    day = (datetime.now(UTC).date() + timedelta(days=QUARANTINE_DAYS)).isoformat()
    unknown = {"state": "quarantined", "reason": "unknown plan", "events": [0], "removed_on": day}

    assert {"success": True, "not_stored": [unknown]} == answer(collector, narrow, plan=digest_of(WIDER))
    assert {"success": True, "not_stored": [unknown]} == answer(collector, narrow, plan=digest_of(WIDER)), "sent again it waits as before"
    collector.apply(WIDER)
    assert {"success": True} == answer(collector, narrow, plan=digest_of(WIDER))


def test_each_event_has_its_own_verdict(collector: Collector) -> None:
    old = run_event(ago=timedelta(days=400))
    found = answer(collector, run_event(), {**run_event(), "type": "identify"}, old, run_event(command="canary"), "no event", run_event())
    verdicts = {(row["state"], row["reason"]): row["events"] for row in found["not_stored"]}

    assert [4] == verdicts["quarantined", "malformed"]
    assert [1] == verdicts["quarantined", "outside the plan"]
    assert [3] == verdicts["quarantined", "violates the plan"]
    assert [2] in verdicts.values()
    assert 2 == collector.stored
    assert "canary" not in str(found)


def test_what_is_not_kept_is_told(collector: Collector) -> None:
    owner = Owner()
    answer(collector, run_event(owner.id), owners=(owner,))
    collector.forget(owner)

    assert {"success": True, "not_stored": [{"state": "dropped", "reason": "id was erased", "events": [1]}]} == answer(
        collector, run_event(), run_event(owner.id)
    )


def test_what_found_no_room_is_told(new_collector: Any) -> None:
    collector = limited(new_collector, quarantine_bytes_per_day=2_000)
    events = [run_event(command=f"secret-{number}") for number in range(6)]
    states = {(row["state"], row["reason"]): row["events"] for row in answer(collector, *events)["not_stored"]}

    waiting, lost = states["quarantined", "violates the plan"], states["dropped", "quarantine is full"]
    assert list(range(6)) == sorted(waiting + lost)
    assert len(waiting) == collector.waiting


def test_everybody_else_is_answered_as_segment_answers(collector: Collector) -> None:
    agents = ["analytics-python/2.4.0", "curl/8.0", "", "innerloop", "x innerloop/0.1.0"]
    for agent in agents:
        response = collector.post("/v1/batch", {"batch": [run_event(command="canary")]}, headers={"User-Agent": agent})
        assert (200, b'{"success": true}') == (response.status_code, response.content), agent
    assert len(agents) == collector.waiting
