"""The team's report: figures against figures that were computed by hand from the same events, and what it must not show."""

import math
import random
import statistics
import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.collector.clock import movable, move
from tests.collector.support import PROJECT, Collector, Event, project, run_event

FAILING = {"test": (0, 1, 0, 1), "build": (0, 0, 0, 1)}
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
        "waited": sum(waits) / 60_000,
    }


def _within(value: float, shown: dict[str, Any]) -> bool:
    return shown["at_least"] <= value and (shown["at_most"] is None or value <= shown["at_most"])


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

    for name, events, developers in (("test", test, [20, 24]), ("build", build, [10, 14])):
        shown, expected = _command(report, name), _expected(events)
        assert expected["runs"] == shown["runs"]
        assert developers == shown["developers"]
        assert _within(expected["p50"], shown["p50"])
        assert _within(expected["p90"], shown["p90"])
        assert math.isclose(expected["failure_rate"], shown["failure_rate"], abs_tol=0.02)  # each of its numbers is rounded to 5
        assert math.isclose(expected["waited"], shown["waited_minutes"], rel_tol=0.006)
        assert shown["failure_range"]["at_least"] <= expected["failure_rate"] <= shown["failure_range"]["at_most"]
        assert _within(expected["p90"] / expected["p50"], shown["spread"])
        assert ["under 10 s", "10 s to 1 min", "1 to 10 min", "over 10 min"] == [one["name"] for one in shown["bands"]]
    assert (None, None) == (_command(report, "docs")["p50"], _command(report, "docs")["failure_rate"])
    assert len(test) + len(build) + len(people) == pytest.approx(report["whole"]["runs"], abs=2.5)
    assert [("os", "linux"), ("arch", "x86_64"), ("version", "0.1")] == [(one["by"], one["name"]) for one in report["parts"]]


def test_nobody_counts_for_more_than_twice_the_median_developer(ready: Collector) -> None:
    people = _people(9)
    _send(ready, [run_event(person) for person in people for _ in range(10)] + [run_event(people[0]) for _ in range(20)])

    assert (100, 100) == (_command(ready.ask("report", "acme"), "test")["runs"], ready.ask("report", "acme")["whole"]["runs"])


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
    why = "hidden because others could be worked out from it"
    assert [("build", why)] == [(one["name"], one["why"]) for one in report["hidden_commands"]], "that somebody ran lint is told by nothing"
    assert 15 == report["whole"]["runs"]
    assert f"Hidden commands: build ({why})" in text


def test_a_command_that_five_of_six_developers_ran_is_shown_only_with_what_the_sixth_is_hidden_in(ready: Collector) -> None:
    people = _people(6)
    _send(ready, [run_event(person, command=name) for name, group in (("test", people), ("build", people[:5])) for person in group])
    report = ready.ask("report", "acme")

    assert {"test", "build"} == {one["command"] for one in report["commands"]}
    assert [5, 9] == _command(report, "test")["developers"] == report["developers"]
    assert "min_active_weeks = 1" in ready.cli("report", "acme").stdout


def test_a_command_that_one_developer_dominates_is_hidden_and_the_rule_is_named(ready: Collector) -> None:
    people = _people(8)
    events = [*(run_event(person) for person in people for _ in range(9)), *(run_event(person, command="build") for person in people)]
    _send(ready, [*events, *(run_event(people[0], command="build") for _ in range(12))])
    hidden = ready.ask("report", "acme")["hidden_commands"]

    assert {"name": "build", "why": "one developer has over half of it"} in hidden


def test_waiting_that_one_developer_dominates_is_not_shown(ready: Collector) -> None:
    people = _people(8)
    _send(ready, [run_event(person, duration_ms=900000 if person == people[0] else 1000) for person in people])
    shown = _command(ready.ask("report", "acme"), "test")

    assert (None, 10) == (shown["waited_minutes"], shown["runs"])


def test_a_session_is_use_and_no_waiting_and_failures_of_checks_are_counted_apart(ready: Collector) -> None:
    ready.apply(project(names={"allow": ["test", "build", "lint", "docs"], "sessions": ["docs"], "checks": ["test"]}))
    people = _people(8)
    hours = [run_event(person, command="docs", duration_ms=7_200_000, exit_status=code) for person in people for code in (0, 0, 1)]
    started = [run_event(person, command="docs", duration_ms=3_000, exit_status=code) for person in people for code in (0, 1)]
    others = [run_event(person, command=name, exit_status=code) for person in people for name, codes in FAILING.items() for code in codes]
    _send(ready, [*hours, *started, *others])
    report, text = ready.ask("report", "acme"), ready.cli("report", "acme").stdout

    docs = _command(report, "docs")
    assert ("session", 40, None, None) == (docs["kind"], docs["runs"], docs["waited_minutes"], docs["p50"])
    assert math.isclose(8 / 32, docs["failure_rate"], abs_tol=0.06), "of those that ended, a quarter failed as they started"
    assert ("check", "") == (_command(report, "test")["kind"], _command(report, "build")["kind"])
    assert report["whole"]["waited_minutes"] < 2
    rates = report["whole"]["failure_rate"], report["whole"]["failure_rate_of_checks"]
    assert (pytest.approx(1 / 4, abs=0.06), pytest.approx(1 / 2, abs=0.06)) == rates
    assert "test (check)" in text
    assert "of checks failed" in " ".join(text.split())


def test_developers_count_from_enough_active_weeks_on(idle: Collector) -> None:
    idle.for_trying()
    movable(idle)
    idle.start_with()
    people = _people(6)
    for days in (0, 7, 14):
        move(idle, days)
        assert "figures" != idle.ask("report", "acme")["state"]
        _send(idle, [run_event(person) for person in people])
    _send(idle, [run_event(person, command="build") for person in _people(30)])  # made up
    later = idle.ask("report", "acme")

    assert ["test"] == [one["command"] for one in later["commands"]]
    assert (20, [5, 9]) == (_command(later, "test")["runs"], later["developers"])


def test_nobody_gets_active_weeks_by_events_of_earlier_times(idle: Collector) -> None:
    """Else whoever has the write key could make up four developers, and see the figures of the fifth within a minute."""
    idle.for_trying().start_with()
    _send(idle, [run_event(person, ago=timedelta(days=7 * week)) for person in _people(6) for week in range(4)])
    report = idle.ask("report", "acme")

    assert ("too few developers", []) == (report["state"], report["commands"])


def test_too_few_developers_are_not_counted(ready: Collector) -> None:
    _send(ready, [run_event(person) for person in _people(4)])
    report = ready.ask("report", "acme")

    assert "too few developers" == report["state"]
    assert (None, []) == (report["developers"], report["commands"])


def test_what_is_past_its_retention_is_in_no_report(idle: Collector) -> None:
    idle.for_trying().start_with(project(project={"retention_days": 10}))
    idle.apply(project(project={"retention_days": 10}), "--min-active-weeks", "1")
    _send(idle, [run_event(person, ago=timedelta(days=12)) for person in _people(8)])

    assert None is idle.ask("report", "acme")["whole"]


def test_a_shorter_promise_counts_in_reports_before_any_sweep(ready: Collector) -> None:
    _send(ready, [run_event(person, ago=timedelta(days=12)) for person in _people(8)])
    assert "figures" == ready.ask("report", "acme")["state"]
    ready.apply(project(project={"retention_days": 10}))

    assert None is ready.ask("report", "acme")["whole"]


def test_the_report_never_holds_an_id_and_its_keys_are_stable(ready: Collector) -> None:
    people = _people(7)
    _send(ready, [run_event(person) for person in people])
    done = ready.cli("report", "acme", "--json")
    report = ready.ask("report", "acme")

    assert not any(person in done.stdout for person in people)
    assert [
        "project", "name", "period", "min_active_weeks", "k", "state", "explanation", "next_figures", "developers", "headcount", "whole",
        "commands", "hidden_commands", "targets", "hidden_targets", "parts", "rules", "participation", "actors", "notes",
    ] == list(report)  # fmt: skip
    assert [
        "command", "kind", "runs", "developers", "p50", "p90", "failure_rate", "waited_minutes", "runs_before", "p50_before", "failure_rate_before",
        "failure_range", "spread", "waited_per_developer_week", "bands", "tries",
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


HABITS = {"failures_before": "class", "time_to_green": "class", "gave_up_after": "class"}


def test_how_commands_succeed_is_told_where_a_project_asks_for_it(ready: Collector) -> None:
    ready.apply(project(fields=HABITS))
    people = _people(8)
    ends: list[dict[str, Any]] = [
        *[{"exit_status": 0, "failures_before": "0"}] * 7,
        *[{"exit_status": 1, "failures_before": "0"}] * 3,
        *[{"exit_status": 1, "failures_before": "1"}] * 2,
        *[{"exit_status": 0, "failures_before": "1", "time_to_green": "<1m"}],
        *[{"exit_status": 0, "failures_before": "2", "time_to_green": "5-15m"}],
        *[{"exit_status": 130, "failures_before": "0", "gave_up_after": "<10s"}],
        *[{"exit_status": 130, "failures_before": "0", "gave_up_after": "10-60m"}],
    ]
    _send(ready, [run_event(person, **end) for person in people for end in ends])
    report, text = ready.ask("report", "acme"), ready.cli("report", "acme").stdout
    tries = _command(report, "test")["tries"]

    assert (pytest.approx(7 / 10, abs=0.05), 5) == (tries["first_time"], tries["given_up"]), (
        "of 24 chains 16 were solved, each number rounded to 5"
    )
    assert tries["first_time_range"]["at_least"] < 0.7 < tries["first_time_range"]["at_most"]
    assert {"1": 55, "2": 10, "3 to 4 or later": 10} == {one["name"]: one["runs"] for one in tries["solved"]}
    assert (["<1m", "5-15m"], ["<10s", "10-60m"]) == tuple(
        [one["name"].split(" to ")[0] for one in tries[name]] for name in ("green", "stopped")
    )
    assert tries == report["whole"]["tries"]
    assert "test: 69% at the first try" in text


def test_all_projects_are_sums_of_what_each_publishes_and_no_developers_are_added_up(ready: Collector) -> None:
    ready.apply(project(project={"id": "other", "write_key": "other.0123456789abcdefghijklmn"}), "--min-active-weeks", "1")
    key = ready.cli("keys", "create", "other").stdout.split()[0]
    people = _people(8)
    _send(ready, [run_event(person, exit_status=code) for person in people for code in (0, 0, 1, 1)])
    ready.send(*(run_event(person, command="build", exit_status=code) for person in people for code in (0, 0, 0, 1)), key=key)
    answer, text = ready.ask("report"), ready.cli("report").stdout

    lines = {one["project"]: one for one in answer["projects"]}
    assert ({"acme", "other"}, [5, 9]) == (set(lines), lines["acme"]["developers"])
    assert lines["acme"]["runs"] + lines["other"]["runs"] == answer["whole"]["runs"]
    assert answer["whole"]["failure_rate"] == pytest.approx(24 / 64, abs=0.05)
    assert "Together: " in text
    assert "developers are not added up" in " ".join(text.split())
