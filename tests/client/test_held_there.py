"""What our collector took and holds back is no delivery: the ledger, `status`, `doctor` and `flush` say so, with the reason and the day."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.client.people import DAY, Developer
from tests.client.recorder import Recorder, Reply, Request

REMOVED_ON = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


def holding(reason: str = "unknown plan", day: str | None = REMOVED_ON, command: str = "", state: str = "quarantined") -> Any:
    """Answer as our collector does that stores no event, or none of a command."""

    def answer(request: Request) -> Reply:
        if not request.events:
            return Reply(404)
        places = [place for place, event in enumerate(request.events) if command in ("", event["properties"]["command"])]
        row = {"state": state, "reason": reason, "events": places, **({"removed_on": day} if day else {})}
        return Reply(body=json.dumps({"success": True, "not_stored": [row] if places else []}).encode())

    return answer


@pytest.fixture
def queued(agreed: Developer) -> Developer:
    for target in ("test", "build", "fail"):
        agreed.run("make", target)
    return agreed


def doctors(developer: Developer, name: str) -> list[str]:
    return [line for line in developer.innerloop("doctor").out.splitlines() if line.startswith(f"NO  {name}")]


def test_what_the_collector_holds_back_is_told_with_reason_and_day(queued: Developer, server: Recorder) -> None:
    server.always(holding())
    done = queued.flush()
    counts = queued.ledger()

    assert 0 == done.status
    assert "3 runs delivered" in done.out
    assert "Of these 3 are held there, in no report: plan not applied." in done.out
    assert (0, 3, {"plan not applied": 3}) == (counts["acknowledged"], counts["quarantined"], counts["held"])
    (line,) = doctors(queued, "held there")
    assert (
        f"3 runs at {server.url.removeprefix('http://')} in no report: plan not applied, removed on {REMOVED_ON}; ask: ask@example.org"
        in line
    )
    assert "3 quarantined (3 held there: plan not applied)" in queued.innerloop("doctor").out
    said = " ".join(queued.innerloop("status").out.split())
    assert f"held 3 runs at {server.url.removeprefix('http://')} in no report: plan not applied, removed on {REMOVED_ON}" in said
    assert "0 set aside" in said
    assert 3 == len(queued.innerloop("show", "sent", "--json").json), "what left can be looked at"
    assert [] == queued.pending()


def test_a_run_fares_as_the_worst_of_its_events(queued: Developer, server: Recorder) -> None:
    server.always(holding(command="build"))
    queued.flush()
    counts = queued.ledger()

    assert (2, 1) == (counts["acknowledged"], counts["quarantined"])


def test_once_a_batch_under_the_same_plan_is_stored_what_waited_for_the_plan_is_acknowledged(queued: Developer, server: Recorder) -> None:
    server.always(holding())
    queued.flush()
    queued.run("make", "test")
    queued.flush()
    assert {"plan not applied": 4} == queued.ledger()["held"]
    server.always(Reply())
    queued.run("make", "test")
    queued.flush()
    counts = queued.ledger()

    assert (5, 0) == (counts["acknowledged"], counts["quarantined"])
    assert [] == doctors(queued, "held there")
    assert "in no report" not in queued.innerloop("status").out


def test_another_plan_that_is_stored_releases_nothing(queued: Developer, server: Recorder) -> None:
    server.always(holding())
    queued.flush()
    server.always(Reply())
    queued.edit(fields={"attempt": False})
    queued.run("make", "test")
    queued.flush()

    assert {"plan not applied": 3} == queued.ledger()["held"]
    assert 1 == queued.ledger()["acknowledged"]


def test_what_breaks_the_plan_is_not_released_by_what_keeps_to_it(queued: Developer, server: Recorder) -> None:
    server.always(holding("violates the plan", command="fail"))
    queued.flush()
    queued.run("make", "test")
    queued.flush()

    assert {"violates the plan": 1} == queued.ledger()["held"]


def test_after_its_day_what_was_held_is_dropped_and_counted(queued: Developer, server: Recorder) -> None:
    """Whether somebody let it in meanwhile is not known here, so it is not said."""
    yesterday = datetime.fromtimestamp(time.time() - DAY, UTC).date().isoformat()
    server.always(holding(day=yesterday))
    queued.flush()
    server.always(holding())
    queued.run("make", "test")
    queued.flush()
    counts = queued.ledger()

    assert ({"expired-there": 3}, {"plan not applied": 1}) == (counts["dropped"], counts["held"])


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("past retention", "past-retention"),
        ("id was erased", "erased-there"),
        ("quarantine is full", "no-room-there"),
        ("something new", "not-kept-there"),
    ],
)
def test_what_the_collector_takes_and_does_not_keep_is_dropped_and_counted(
    queued: Developer, server: Recorder, reason: str, word: str
) -> None:
    server.always(holding(reason, None, state="dropped"))
    done = queued.flush()

    assert f"Of these 3 were not kept there: {reason}." in done.out
    assert ({word: 3}, 0) == (queued.ledger()["dropped"], queued.ledger()["acknowledged"])


@pytest.mark.parametrize(
    "rows",
    [
        "no list", [1], [{}], [{"state": "lost", "reason": "x", "events": [0]}], [{"state": "quarantined", "reason": "\x1b[2J", "events": [0]}],
        [{"state": "quarantined", "reason": "x", "events": [-1, 99, "0", 0.5, None, True]}], [{"state": "quarantined", "reason": "x" * 1000, "events": [0]}],
        [{"state": "quarantined", "reason": ["x"], "events": [0]}],
    ],
)  # fmt: skip
def test_a_list_that_says_nothing_says_nothing(queued: Developer, server: Recorder, rows: object) -> None:
    server.always(Reply(body=json.dumps({"success": True, "not_stored": rows}).encode()))

    assert 0 == queued.flush().status
    assert 3 == queued.ledger()["acknowledged"]


def test_a_day_that_is_none_is_left_out(queued: Developer, server: Recorder) -> None:
    server.always(holding(day="2026-13-45\x1b[2J"))
    queued.flush()
    (line,) = doctors(queued, "held there")

    assert "\x1b" not in line
    assert "removed on" not in line


def test_another_service_holds_nothing_of_ours(developer: Developer, server: Recorder) -> None:
    developer.edit(project={"write_key": "of-another-service"})
    developer.opt_in("yes")
    developer.run("make", "test")
    server.always(holding())
    developer.flush()

    assert 1 == developer.ledger()["acknowledged"]


def test_a_delivery_that_is_killed_counts_nothing_twice(queued: Developer, server: Recorder) -> None:
    """Between the note that it is held and the move of its copy."""
    server.always(holding())
    queued.pending()
    saved = {path.name: path.read_bytes() for path in queued.place("sealed")}
    queued.flush()
    for name, data in saved.items():
        (queued.spool / "sealed" / name).write_bytes(data)
    assert 3 == queued.ledger()["recorded"]
    server.always(Reply())
    queued.flush()

    counts = queued.ledger()
    assert (3, 3, 0) == (counts["recorded"], counts["acknowledged"], counts["quarantined"])


def test_a_sender_on_its_own_says_nothing_to_the_developer(queued: Developer, server: Recorder) -> None:
    server.always(holding())
    queued.pending()
    queued.let_releases_pass()
    queued.make_delivery_due()
    assert ("", "") == queued.innerloop("deliver")[1:]

    assert {"plan not applied": 3} == queued.ledger()["held"]


def test_leaving_and_forgetting_take_the_note_along(queued: Developer, server: Recorder) -> None:
    server.always(holding())
    queued.flush()
    assert (queued.spool / "held.json").exists()
    queued.at_terminal(queued.command, "forget", types=[(r"Type yes: ", "yes")])

    assert [] == list((queued.state / "spool").iterdir())
