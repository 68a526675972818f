"""The team's report: figures against figures that were computed by hand from the same events, and what it must not show."""

import math
import random
import statistics
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.collector.clock import moved
from tests.collector.support import PROJECT, Collector, Event, project, run_event

STOPPED = (-1, -2, -15, 130, 143)


@pytest.fixture
def ready(idle: Collector) -> Collector:
    """A running collector to try things, whose developers count from their first week on."""
    idle.for_trying().start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    return idle


def _people(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def _command(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["commands"] if one["command"] == name)


def _random_runs(people: list[str], each: int, command: str, seed: int) -> list[Event]:
    chance = random.Random(seed)
    return [
        run_event(
            person,
            ago=timedelta(days=chance.randrange(0, 50)),
            command=command,
            duration_ms=chance.choice([None, 0, 420, 9990, 12300, chance.randrange(100, 999) * 1000]),
            exit_status=chance.choice([0, 0, 0, 1, 2, 255, None, -9, *STOPPED]),
            suspended=chance.random() < 0.1,
        )
        for person in people
        for _ in range(each)
    ]


def _expected(events: list[Event]) -> dict[str, Any]:
    runs = [event["properties"] for event in events]
    ended = [run for run in runs if run["exit_status"] is not None and run["exit_status"] not in STOPPED]
    waits = [run["duration_ms"] for run in runs if run["duration_ms"] is not None and not run["suspended"]]
    timed = [run["duration_ms"] for run in ended if run["duration_ms"] is not None and not run["suspended"]]
    return {
        "runs": round(len(runs) / 5) * 5,
        "p50": statistics.median(timed),
        "p90": statistics.quantiles(timed, n=10, method="inclusive")[8],
        "failure_rate": sum(run["exit_status"] != 0 for run in ended) / len(ended),
        "interrupted": round(sum(run["exit_status"] in STOPPED for run in runs) / 5) * 5,
        "unknown": round(sum(run["exit_status"] is None for run in runs) / 5) * 5,
        "waited": sum(waits) / 60_000,
    }


def _send(collector: Collector, events: list[Event]) -> None:
    for first in range(0, len(events), 400):
        collector.send(*events[first : first + 400])


def test_figures_are_those_computed_independently(ready: Collector) -> None:
    people = _people(23)
    test, build = _random_runs(people[:21], 18, "test", 1), _random_runs(people[2:14], 25, "build", 2)
    others = [
        *(run_event(person, actor="agent", duration_ms=900000) for person in people),
        *(run_event(person, actor="ci", duration_ms=900000) for person in people),
        *(run_event(person, is_test="smoke", duration_ms=900000) for person in people),
    ]
    _send(ready, [*test, *build, *others, *(run_event(person, command="docs") for person in people)])
    report = ready.ask("report", "acme")

    for name, events, developers in (("test", test, 20), ("build", build, 10)):
        shown, expected = _command(report, name), _expected(events)
        assert expected["runs"] == shown["runs"]
        assert developers == shown["developers"]
        assert math.isclose(expected["p50"], shown["p50_ms"], rel_tol=0.006)
        assert math.isclose(expected["failure_rate"], shown["failure_rate"], abs_tol=0.0051)
        assert expected["interrupted"] == shown["interrupted"]["about"]
        assert expected["unknown"] == shown["unknown"]["about"]
        assert math.isclose(expected["waited"], shown["waited_minutes"], rel_tol=0.006)
    assert math.isclose(_expected(test)["p90"], _command(report, "test")["p90_ms"], rel_tol=0.006)
    assert None is _command(report, "build")["p90_ms"]
    assert None is _command(report, "docs")["developers"]
    assert report["total"]["runs"] == sum(one["runs"] for one in report["commands"])


def test_what_too_few_ran_is_hidden_with_the_next_smallest_and_no_count(ready: Collector) -> None:
    people = _people(9)
    events = [
        run_event(person, command=name)
        for name, group in (("test", people), ("build", people[:6]), ("lint", people[:2]))
        for person in group
    ]
    _send(ready, events)
    report, text = ready.ask("report", "acme"), ready.cli("report", "acme").stdout

    assert ["test"] == [one["command"] for one in report["commands"]]
    assert ["build", "lint"] == report["needs_more_developers"]
    assert 10 == report["total"]["runs"]
    assert "build, lint" in text
    assert "(<5" in text


def test_six_developers_see_what_five_of_them_ran(ready: Collector) -> None:
    people = _people(6)
    events = [
        run_event(person, command=name, exit_status=code)
        for name, group, code in (("test", people, 0), ("build", people[:5], 2))
        for person in group
    ]
    _send(ready, events * 1)
    report = ready.ask("report", "acme")

    assert {"test", "build"} == {one["command"] for one in report["commands"]}
    assert (0.0, 1.0) == (_command(report, "test")["failure_rate"], _command(report, "build")["failure_rate"])
    assert (None, 5) == (_command(report, "test")["developers"], _command(report, "build")["developers"])
    assert "min_active_weeks = 1" in ready.cli("report", "acme").stdout


def test_a_command_that_one_developer_dominates_is_hidden(ready: Collector) -> None:
    people = _people(8)
    _send(ready, [*(run_event(person) for person in people), *(run_event(people[0]) for _ in range(9))])

    assert ["test"] == ready.ask("report", "acme")["needs_more_developers"]


def test_waiting_that_one_developer_dominates_is_not_shown(ready: Collector) -> None:
    people = _people(8)
    _send(ready, [run_event(person, duration_ms=900000 if person == people[0] else 1000) for person in people])
    shown = _command(ready.ask("report", "acme"), "test")

    assert (None, 1000) == (shown["waited_minutes"], shown["p50_ms"])


def test_developers_count_from_enough_active_weeks_on_and_until_then_a_day_is_named(idle: Collector) -> None:
    idle.for_trying().start_with()
    people = _people(6)
    _send(idle, [run_event(person) for person in people])
    early = idle.ask("report", "acme")
    monday = datetime.now(UTC).date() - timedelta(days=datetime.now(UTC).weekday())
    assert ("too little history", str(monday + timedelta(days=14))) == (early["state"], early["first_figures"])
    assert str(monday + timedelta(days=14)) in idle.cli("report", "acme").stdout

    for days in (7, 14):
        idle.kill()
        moved(idle, days).start()
        _send(idle, [run_event(person) for person in people])
    minted = [run_event(person, command="build") for person in _people(30)]
    _send(idle, minted)
    later = idle.ask("report", "acme")

    assert ["test"] == [one["command"] for one in later["commands"]]
    assert 20 == _command(later, "test")["runs"]
    assert 5 == later["developers"]["about"]


def test_nobody_gets_active_weeks_by_events_of_earlier_times(idle: Collector) -> None:
    """Else whoever has the write key could make up four developers, and see the figures of the fifth within a minute."""
    idle.for_trying().start_with()
    _send(idle, [run_event(person, ago=timedelta(days=7 * week)) for person in _people(6) for week in range(4)])
    report = idle.ask("report", "acme")

    assert ("too little history", []) == (report["state"], report["commands"])


def test_too_few_developers_are_not_counted_exactly(ready: Collector) -> None:
    _send(ready, [run_event(person) for person in _people(3)])
    report = ready.ask("report", "acme")

    assert "too few developers" == report["state"]
    assert {"about": None, "text": "<5"} == report["developers"]
    assert [] == report["commands"]


def test_windows_cannot_be_subtracted_from_each_other(ready: Collector) -> None:
    """Three developers ran it only 10 weeks ago: the 13 weeks' figures minus the 8 weeks' would be theirs."""
    people = _people(9)
    recent = [run_event(person, command=name) for person in people for name in ("test", "docs")]
    old = [run_event(person, ago=timedelta(weeks=10)) for person in people[:3]]
    _send(ready, [*recent, *old])

    assert {"test", "docs"} == {one["command"] for one in ready.ask("report", "acme")["commands"]}
    assert "test" in ready.ask("report", "acme", "--weeks", "13")["needs_more_developers"]
    done = ready.cli("report", "acme", "--weeks", "3")
    assert 1 == done.returncode
    assert "1, 2, 4, 8, 13, 26 or 52" in done.stderr


def test_what_is_past_its_retention_is_in_no_report(idle: Collector) -> None:
    idle.for_trying().start_with(project(project={"retention_days": 10}))
    idle.apply(project(project={"retention_days": 10}), "--min-active-weeks", "1")
    _send(idle, [run_event(person, ago=timedelta(days=12)) for person in _people(8)])

    assert "no events" == idle.ask("report", "acme")["state"]


def test_a_shorter_promise_counts_in_reports_before_any_sweep(ready: Collector) -> None:
    _send(ready, [run_event(person, ago=timedelta(days=12)) for person in _people(8)])
    assert "figures" == ready.ask("report", "acme")["state"]
    ready.apply(project(project={"retention_days": 10}))

    assert "no events" == ready.ask("report", "acme")["state"]


def test_the_report_never_holds_an_id_and_its_keys_are_stable(ready: Collector) -> None:
    people = _people(7)
    _send(ready, [run_event(person) for person in people])
    done = ready.cli("report", "acme", "--json")
    report = ready.ask("report", "acme")

    assert not any(person in done.stdout for person in people)
    assert [
        "project", "name", "window", "min_active_weeks", "k", "state", "explanation", "first_figures", "next_figures", "developers",
        "commands", "needs_more_developers", "targets", "targets_need_more_developers", "total", "waiting", "rules",
    ] == list(report)  # fmt: skip
    assert [
        "command", "runs", "developers", "p50_ms", "p90_ms", "failure_rate", "interrupted", "unknown", "waited_minutes",
    ] == list(report["commands"][0])  # fmt: skip


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_the_table_fits_and_names_every_command(ready: Collector, columns: int) -> None:
    people = _people(22)
    for name in ("test", "build"):
        _send(ready, _random_runs(people, 3, name, 3))
    lines = ready.cli("report", "acme", env={"COLUMNS": str(columns)}).stdout.splitlines()

    assert max(len(line) for line in lines) <= columns
    for name in ("test", "build"):
        assert any(line.strip().startswith(name + " ") for line in lines)
