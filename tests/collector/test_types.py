"""What a value is decides what becomes of its event: a whole number is one however it is written, and the reason names the member that is wrong."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tests.collector.asking import asked
from tests.collector.support import KEY, Collector, project, run_event

EXACT = project(fields={"duration_ms": "exact"})
WHOLE = {"1230.0": 1230, "1e3": 1000, "1.23E+3": 1230, "-0.0": 0, "0": 0, "4.0e0": 4, "null": None, "NaN": None}
NOT_WHOLE = [
    "1230.5",
    "1e-3",
    "-1",
    "-1.0",
    "1e300",
    "1e999",
    "-1e999",
    "9" * 30,
    "9" * 5_000,
    '"1230"',
    '"1230.0"',
    "true",
    "[1230]",
    "{}",
    '""',
]


def text_of(event: dict[str, Any], member: str, value: str) -> str:
    """An event as JSON, with the text of one value as its sender wrote it."""
    marked = json.dumps({**event, "properties": {**event["properties"], **({member: "<>"} if member in event["properties"] else {})}})
    return marked.replace('"<>"', value)


def send(collector: Collector, *texts: str) -> None:
    """Send events as they are written."""
    body = '{"batch": [' + ", ".join(texts) + f'], "sentAt": "{datetime.now(UTC).isoformat()}"}}'
    response = collector.post("/v1/batch", body.encode(), KEY)
    assert (200, {"success": True}) == (response.status_code, response.json()), response.text


def test_a_whole_number_is_one_however_it_is_written(idle: Collector) -> None:
    idle.start_with(EXACT)
    send(idle, *(text_of(run_event(), "duration_ms", value) for value in WHOLE))
    send(idle, *(text_of(run_event(), "exit_status", value) for value in ("0.0", "-9.0", "1.3e2")))

    assert (len(WHOLE) + 3, {}) == (idle.stored, idle.reasons())
    idle.stop()
    found = [row[0] for row in idle.rows("SELECT duration_ms FROM events WHERE exit_status = 0 AND isNotNull(exit_status)")]
    assert sorted([*WHOLE.values(), 1230], key=str) == sorted(found, key=str)
    assert [[-9], [130]] == idle.rows("SELECT exit_status FROM events WHERE exit_status != 0 ORDER BY 1")


def test_a_whole_number_passes_a_coarser_plan_as_well(shared: Collector) -> None:
    before = shared.stored
    send(shared, text_of(run_event(), "duration_ms", "1230.0"), text_of(run_event(), "duration_ms", "1231.0"))

    assert before + 1 == shared.stored
    assert "violates the plan: not allowed: duration_ms" in shared.reasons()


def test_what_is_no_whole_number_or_beyond_all_bounds_names_its_field_and_costs_its_neighbours_nothing(idle: Collector) -> None:
    idle.start_with(EXACT)
    for value in NOT_WHOLE:
        send(idle, json.dumps(run_event()), text_of(run_event(), "duration_ms", value), json.dumps(run_event()))

    assert 2 * len(NOT_WHOLE) == idle.stored
    assert {"violates the plan: not allowed: duration_ms": len(NOT_WHOLE)} == idle.reasons()


OF_NO_ID = (True, False, [], ["u"], {}, {"id": "u"})
MALFORMED: list[tuple[str, Any]] = [
    *(("userId", value) for value in OF_NO_ID),
    *(("anonymousId", value) for value in OF_NO_ID),
    *(("messageId", value) for value in OF_NO_ID),
    *(("type", value) for value in (None, 5, True, [], {})),
    *(("event", value) for value in (None, 5, True, [], {})),
    *(("properties", value) for value in (5, True, "text", [], [["command", "test"]])),
    *(("context.plan", value) for value in (5, True, [], {}, "", "newest", "0" * 63, "G" * 64)),
]


def test_a_member_of_a_wrong_type_is_named(collector: Collector) -> None:
    for name, value in MALFORMED:
        collector.send({**run_event(), **({"context": {"plan": value}} if name == "context.plan" else {name: value})})

    assert (Counter(f"malformed: {name}" for name, _ in MALFORMED), 0) == (collector.reasons(), collector.stored)


def test_an_id_of_a_wrong_type_is_not_passed_over_for_the_other_one(collector: Collector) -> None:
    collector.send({**run_event(), "userId": True, "anonymousId": "a"}, {**run_event(), "anonymousId": {"a": 1}})

    assert {"malformed: userId": 1, "malformed: anonymousId": 1} == collector.reasons()


def test_several_wrong_members_are_all_named_and_what_is_no_object_says_so(collector: Collector) -> None:
    collector.send({**run_event(), "userId": True, "event": 5})
    body = {"batch": [5, "text", None, [], True]}
    assert 200 == collector.post("/v1/batch", body).status_code

    assert {"malformed: event: userId": 1, "malformed: message": 5} == collector.reasons()


def test_null_is_as_good_as_absent_and_no_id_at_all_is_said(collector: Collector) -> None:
    nulls = dict.fromkeys(("anonymousId", "messageId", "context", "timestamp"))
    collector.send(
        {**run_event(), **nulls}, {**run_event(), "userId": None}, {**run_event(), "userId": ""}, {**run_event(), "properties": None}
    )

    assert 1 == collector.stored
    assert {"neither userId nor anonymousId": 2, "violates the plan: missing: properties": 1} == collector.reasons()


def test_nothing_of_a_malformed_value_is_kept(collector: Collector) -> None:
    collector.send(
        {**run_event(), "userId": {"canary": "canary"}},
        {**run_event(), "context": {"plan": "canary"}},
        {**run_event(), "event": ["canary"]},
    )
    assert "canary" not in asked(collector, "quarantine.list").text + asked(collector, "quarantine.violations").text + collector.log
    collector.stop()

    assert b"canary" not in collector.bytes_on_disk()
