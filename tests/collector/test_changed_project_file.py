"""Names that a project file calls otherwise or lists no more, and a headcount that is too low: one clear sentence each."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from innerloop_collector.query.releases.calendar import block_of
from tests.collector.asking import asked
from tests.collector.support import Collector, digest_of, project, run_event

FIRST = block_of(date(2031, 3, 3))
SECOND = block_of(FIRST.end)
THIRD = block_of(SECOND.end)
BEFORE = project(names={"allow": ["build", "lint", "test"]})
NOW = project(names={"allow": ["compile", "test"]}, renamed_from={"compile": "build"})


def _at(day: date) -> str:
    return datetime(day.year, day.month, day.day, 1, tzinfo=UTC).isoformat()


def _week(monday: date, *commands: str) -> list[dict[str, Any]]:
    start = _at(monday + timedelta(days=1))
    return [
        {**run_event(f"developer {number}", command=command, start_time=start), "timestamp": start}
        for number in range(7)
        for command in commands
        for _ in range(5)
    ]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """Seven developers, of whom the headcount knows six; in the third block `build` is called `compile`, and `lint` is listed no more."""
    made = Collector(tmp_path_factory.mktemp("changed"))
    made.for_trying().environment["INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK"] = _at(FIRST.first)
    try:
        made.start_with(BEFORE)
        made.apply(BEFORE, "--min-active-weeks", "1", "--headcount", "6")
        for monday in (FIRST.first, *SECOND.weeks, *THIRD.weeks):
            friday = _at(monday + timedelta(days=4))
            assert 200 == asked(made, "simulation.move", to=friday).status_code
            if monday == THIRD.first:
                made.apply(NOW)
            later = monday >= THIRD.first
            made.send(
                *_week(monday, "compile" if later else "build", "test", *(() if later else ("lint",))),
                plan=digest_of(NOW if later else BEFORE),
                sent_at=friday,
            )
        assert 200 == asked(made, "simulation.move", to=_at(THIRD.due)).status_code
        yield made
    finally:
        made.close()


@pytest.mark.slow
def test_a_renamed_command_is_one_series_with_a_note_and_no_row_is_read_again(changed: Collector) -> None:
    trend, text = changed.ask("trends", "acme", "compile"), changed.ask_text("trends", "acme", "compile")

    assert (["build"], True) == (trend["renamed_from"], "compile of acme, before called build" in text)
    runs = {one["period"]: one["figures"]["runs"] for one in trend["points"] if one["figures"]}
    assert {SECOND.name, THIRD.name} == set(runs)
    alone = changed.ask("trends", "acme", "build")
    assert [runs[SECOND.name]] == [one["figures"]["runs"] for one in alone["points"] if one["figures"]], (
        "the old name has its own series as before"
    )


@pytest.mark.slow
def test_a_name_that_is_listed_no_more_is_said_in_the_report(changed: Collector) -> None:
    report = changed.ask("report", "acme", "--period", SECOND.name)
    text = " ".join(changed.ask_text("report", "acme", "--period", SECOND.name).split())

    (said,) = (one for one in report["notes"] if "lint" in one)
    assert said.startswith("the project file lists lint no more: its figures are of runs until then")
    assert f"Note: {said}." in text
    assert [] == [one for one in report["notes"] if "build" in one], "what is called otherwise now is in its trend"


@pytest.mark.slow
def test_a_headcount_below_those_who_are_there_is_said_when_it_is_applied_and_in_the_report(changed: Collector) -> None:
    applied = changed.cli("projects", "apply", str(changed.write(NOW)), "--headcount", "6")
    report = changed.ask("report", "acme", "--period", SECOND.name)

    assert (0, ["note: more developers are there than the headcount of 6, and no more of them count; say how many there are"]) == (
        applied.returncode,
        applied.stderr.splitlines(),
    )
    assert [True] == ["more developers are there than the headcount of 6" in one for one in report["notes"] if "headcount" in one]
    enough = changed.cli("projects", "apply", str(changed.write(NOW)), "--headcount", "7")
    assert (0, "") == (enough.returncode, enough.stderr)
