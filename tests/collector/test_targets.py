"""Targets on the collector: stored beside their runs, never counted as runs, and shown by the same rules."""

import random
import statistics
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.client.target_logs import HandMade
from tests.client.test_target_events import run_with
from tests.collector.support import PROJECT, Collector, Event, Owner, digest_of, project, run_event, target_event
from tests.collector.test_forget_by_its_developer import joined
from tests.conftest import Installed


@pytest.fixture
def ready(idle: Collector) -> Collector:
    """A running collector to try things, whose developers count from their first week on."""
    idle.for_trying().start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    return idle


def _people(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def _send(collector: Collector, events: list[Event]) -> None:
    for first in range(0, len(events), 400):
        collector.send(*events[first : first + 400])


def _target(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["targets"] if one["target"] == name)


def test_what_a_client_seals_is_what_the_store_holds(collector: Collector, installed: Installed, tmp_path: Path) -> None:
    developer = joined(installed, collector, tmp_path / "developer")
    log = HandMade()
    top = log.line("build", 1234, 9000)
    log.line("docs", 2000, 8765, 2, under=top, make=20)
    log.line("s3cr3t", 8800, 8900, under=top, make=20)
    run_with(developer, log)
    assert developer.flush().status == 0
    assert (4, 0) == (collector.stored, collector.waiting), collector.reasons()
    collector.stop()
    columns = "kind, command, target, sequence, parent, offset_ms, duration_ms, exit_status, targets, targets_failed"
    rows = collector.rows(f"SELECT {columns} FROM events ORDER BY kind, sequence")

    assert [
        ["run", "test", "", None, None, None, 60000, 0, 3, 0],
        ["target", "test", "build", 1, 0, 1230, 7770, 0, None, None],
        ["target", "test", "docs", 2, 1, 2000, 6770, 0, None, None],
        ["target", "test", "other", 3, 1, 8800, 100, 0, None, None],
    ] == rows
    assert [[1, 1, 1]] == collector.rows("SELECT uniqExact(run), uniqExact(installation), min(start_time) = max(start_time) FROM events")
    assert b"s3cr3t" not in collector.bytes_on_disk()


def test_a_target_event_that_breaks_the_plan_waits_and_its_run_does_not(collector: Collector) -> None:
    run = run_event()
    missing = target_event(run)
    del missing["properties"]["run"]
    collector.send(
        run,
        target_event(run, "canary-name"),
        target_event(run, duration_ms=12345),
        target_event(run, sequence=0),
        missing,
        target_event(run, prerequisites="canary"),
        target_event(run, "web:test"),
    )

    assert 1 == collector.stored
    assert {
        "violates the plan: not allowed: target": 2,
        "violates the plan: not allowed: duration_ms": 1,
        "violates the plan: not allowed: sequence": 1,
        "violates the plan: missing: run": 1,
        "violates the plan: unknown property: properties": 1,
    } == collector.reasons()


def test_names_with_a_directory_are_accepted_as_they_are_listed(collector: Collector) -> None:
    monorepo = project(names={"allow": ["test", "web:test"]})
    collector.apply(monorepo)
    run = run_event(command="web:test")
    collector.send(run, target_event(run, "web:test"), target_event(run, "test"), plan=digest_of(monorepo))
    assert (3, 0) == (collector.stored, collector.waiting)


def test_where_targets_are_off_a_target_event_is_unknown(collector: Collector) -> None:
    off = project(fields={"target": False})
    collector.apply(off)
    run = run_event()
    event = target_event(run)
    del run["properties"]["run"]
    collector.send(run, event, plan=digest_of(off))

    assert (1, 1) == (collector.stored, collector.waiting)


def test_erasure_takes_targets_too(collector: Collector) -> None:
    owner = Owner()
    run, other = run_event(owner.id), run_event()
    collector.send(run, target_event(run), target_event(run, "not listed"), other, target_event(other), owners=[owner])

    assert [3] == [one["events"] for one in collector.forget(owner)["ids"]]
    assert (2, 0) == (collector.stored, collector.waiting)


# the report


def test_targets_are_counted_for_themselves_and_never_as_runs(ready: Collector) -> None:
    people, chance = _people(22), random.Random(4)
    runs = [run_event(person, command="test", ago=timedelta(days=chance.randrange(40))) for person in people for _ in range(3)]
    times: dict[str, list[int]] = {"build": [], "lint": []}
    events = list(runs)
    for number, run in enumerate(runs):
        for name, scale in (("build", 100), ("lint", 10)):
            times[name].append(chance.randrange(1, 99) * scale)
            events.append(target_event(run, name, duration_ms=times[name][-1], exit_status=int(name == "lint" and number % 4 == 0)))
    _send(ready, runs)
    before = ready.ask("report", "acme")
    _send(ready, events)
    report = ready.ask("report", "acme")

    for unchanged in ("developers", "commands", "hidden_commands", "whole"):
        assert before[unchanged] == report[unchanged]
    assert [] == before["targets"]
    assert ["build", "lint"] == [one["target"] for one in report["targets"]]
    for name in ("build", "lint"):
        shown = _target(report, name)
        assert (65, [20, 24]) == (shown["times"], shown["developers"])
        assert shown["p50"]["at_least"] <= statistics.median(times[name]) <= shown["p50"]["at_most"]
        assert shown["p90"]["at_least"] <= statistics.quantiles(times[name], n=10, method="inclusive")[8]
    assert None is _target(report, "build")["failure_rate"], "none and few are the same"
    assert round(15 / 65, 2) == _target(report, "lint")["failure_rate"]
    text = ready.cli("report", "acme").stdout
    assert "Targets: the slowest, and what fails most" in text
    assert "23%" in text


def test_somebody_of_whom_there_are_targets_only_is_no_developer(ready: Collector) -> None:
    _send(ready, [target_event(run_event(person)) for person in _people(9)])
    report = ready.ask("report", "acme")

    assert ("no events", [], []) == (report["state"], report["commands"], report["targets"])


def test_what_agents_jobs_and_tests_made_is_in_no_figure(ready: Collector) -> None:
    people = _people(6)
    real = [run_event(person) for person in people]
    odd = [run_event(person, **which) for person in people for which in ({"actor": "agent"}, {"actor": "ci"}, {"is_test": "smoke"})]
    _send(
        ready, [*real, *odd, *(target_event(run, duration_ms=100) for run in real), *(target_event(run, duration_ms=900000) for run in odd)]
    )
    shown = _target(ready.ask("report", "acme"), "build")

    assert (5, [5, 9]) == (shown["times"], shown["developers"])


def test_targets_of_too_few_are_not_named_and_what_one_dominates_is_hidden(ready: Collector) -> None:
    people = _people(9)
    runs = {person: run_event(person) for person in people}
    made = [("build", people), ("docs", people), ("lint", people[:2])]
    events = [target_event(runs[person], name) for name, group in made for person in group]
    _send(ready, [*runs.values(), *events])
    report = ready.ask("report", "acme")
    assert (["build", "docs"], []) == ([one["target"] for one in report["targets"]], report["hidden_targets"])

    _send(ready, [target_event(runs[people[0]], "build") for _ in range(20)])
    report = ready.ask("report", "acme")
    assert [{"name": "build", "why": "one developer has over half of it"}] == report["hidden_targets"]
    assert "Hidden targets: build (one developer has over half of it)" in ready.cli("report", "acme").stdout


def test_a_long_list_is_cut_in_the_terminal_and_whole_in_json(idle: Collector) -> None:
    names = [f"step-{number}" for number in range(25)]
    many = project(names={"allow": ["test", *names]})
    idle.for_trying().start_with(many)
    idle.apply(many, "--min-active-weeks", "1")
    runs = [run_event(person) for person in _people(6)]
    steps = [
        target_event(run, name, duration_ms=100 * (number + 1), exit_status=int(number < 2))
        for run in runs
        for number, name in enumerate(names)
    ]
    _send(idle, [*runs, *steps])
    text = idle.cli("report", "acme").stdout
    shown = [line.split()[0] for line in text.splitlines() if line.strip().startswith("step-")]

    assert 10 <= len(shown) <= 15
    assert f"{25 - len(shown)} more: --json" in text
    assert set(names) == {one["target"] for one in idle.ask("report", "acme")["targets"]}
    for columns in ("50", "80"):
        lines = idle.cli("report", "acme", env={"COLUMNS": columns}).stdout.splitlines()
        assert max(len(line) for line in lines) <= int(columns)


def test_a_targets_own_time_on_the_critical_path_is_without_the_makes_that_it_ran(ready: Collector) -> None:
    for person in _people(8):
        for _ in range(3):
            run = run_event(person, duration_ms=100_000)
            ready.send(
                run,
                target_event(run, "build", sequence=1, duration_ms=90_000),
                target_event(run, "lint", sequence=2, parent=1, duration_ms=30_000),
                target_event(run, "test", sequence=3, duration_ms=60_000, critical=False),
            )
    targets = {one["target"]: one["critical_minutes"] for one in ready.ask("report", "acme")["targets"]}

    assert {"build": 24 * 1.0, "lint": 24 * 0.5, "test": None} == targets
