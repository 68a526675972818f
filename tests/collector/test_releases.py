"""Figures are published: once, from what was there by then, and whatever comes later changes nothing that was."""

import csv
import shutil
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from innerloop_collector.query.releases.calendar import block_of, week
from tests.collector.asking import asked
from tests.collector.clock import movable, move
from tests.collector.support import PROJECT, Collector, Owner, project, run_event, target_event

TODAY = datetime.now(UTC).date()
FIRST = block_of(block_of(TODAY).end)  # the next block that begins
SECOND = block_of(FIRST.end)


class Year:
    """A collector whose clock a test moves on."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        movable(collector)
        self.on(FIRST.first)

    def on(self, day: date) -> "Year":
        """Let it be so late."""
        move(self.collector, (day - TODAY).days)
        return self

    def send(self, people: Sequence[str], *, runs: int = 2, **properties: Any) -> None:
        """Runs of now."""
        for first in range(0, len(people), 100):
            self.collector.send(*(run_event(person, **properties) for person in people[first : first + 100] for _ in range(runs)))

    def report(self, period: str | None = None) -> dict[str, Any]:
        """The report, after what is due was done."""
        self.sweep()
        answer: dict[str, Any] = asked(self.collector, "report", project="acme", period=period).json()
        return answer

    def sweep(self) -> list[str]:
        """Do what is due. Returns the units that were published."""
        answer = asked(self.collector, "retention.sweep")
        assert answer.status_code == 200, answer.text
        return [one["unit"] for one in answer.json()["published"]]

    def log(self) -> str:
        """The journal."""
        return (self.collector.data / "releases.log").read_text()

    def use(self, people: Sequence[str], **more: Any) -> None:
        """Let people work for two blocks: in the second they count."""
        for monday in (FIRST.first, *SECOND.weeks):
            self.on(monday + timedelta(days=1)).send(people, **more)


def team(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def shown(report: dict[str, Any]) -> dict[str, int]:
    return {one["command"]: one["runs"] for one in report["commands"]}


@pytest.fixture
def year(idle: Collector) -> Year:
    """Begins with a block; developers count from one active week before a block on."""
    found = Year(idle)
    idle.start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    return found


def test_a_week_is_published_two_days_after_its_end_and_the_rest_with_its_block(year: Year) -> None:
    people = team(8)
    began = year.report()
    year.send(people)
    first = year.report()
    due = week(SECOND.first).due
    assert (began, None) == (first, first["period"]["period"]), "a report tells of nobody's run, also not that there was a first one"
    assert ("not published yet", str(due)) == (first["state"], first["next_figures"])
    assert (
        f"the first figures can come on {due} at the earliest: developers count from 1 active week before a block on"
        in first["explanation"]
    )

    year.use(people)
    for monday in SECOND.weeks[:-1]:
        year.on(monday + timedelta(days=8)).sweep()
        assert week(monday).name not in year.log()
        year.on(monday + timedelta(days=9))
        assert week(monday).name in year.sweep()
    running = year.report(SECOND.name)
    assert (False, {}, 45) == (running["period"]["complete"], shown(running), running["whole"]["runs"])
    assert [week(SECOND.weeks[-1]).name, SECOND.name] == year.on(SECOND.due).sweep()
    report = year.report()

    assert (SECOND.name, True, str(SECOND.first)) == (
        report["period"]["period"],
        report["period"]["complete"],
        report["period"]["first_day"],
    )
    assert ({"test": 65}, 60, [5, 9]) == (shown(report), report["whole"]["runs"], report["developers"])
    assert str(SECOND.due + timedelta(days=7)) == report["next_figures"]
    assert f"Next figures: Wednesday {report['next_figures']}." in year.collector.ask_text("report", "acme")


def test_who_is_new_in_a_block_counts_from_the_next_one_on(year: Year) -> None:
    people = team(7)
    year.on(FIRST.first + timedelta(days=3)).send(people)
    year.on(SECOND.first + timedelta(days=1)).send(people)
    year.send(team(60), runs=9)
    report = year.on(SECOND.due).report()

    assert ({"test": 15}, [5, 9]) == (shown(report), report["developers"])


def test_what_comes_late_counts_at_the_end_of_the_block_and_after_that_nowhere(year: Year) -> None:
    people = team(8)
    year.use(people)
    year.on(week(SECOND.first).due).sweep()
    before = year.log()
    for person in people:
        year.collector.send(run_event(person, ago=timedelta(days=6)))  # from the first week, which is published
    assert year.report(week(SECOND.first).name)["whole"]["runs"] == 15
    assert year.log() == before
    report = year.on(SECOND.due).report()
    assert ({"test": 70}, 70) == (shown(report), report["whole"]["runs"])

    for person in people:
        year.collector.send(run_event(person, ago=timedelta(days=9)))
    assert report == year.report()
    year.on(SECOND.due + timedelta(days=7)).sweep()
    assert report["commands"] == year.report(SECOND.name)["commands"]


def test_an_erasure_changes_nothing_that_was_published(year: Year) -> None:
    owners = [Owner() for _ in range(6)]
    people = [owner.id for owner in owners]
    year.use(people)
    for owner in owners:
        year.collector.send(run_event(owner.id), owners=[owner])
    year.on(week(SECOND.weeks[1]).due)
    before = year.report(SECOND.name)
    year.collector.forget(owners[0])
    assert before == year.report(SECOND.name)

    after = year.on(SECOND.due).report()
    assert before["whole"]["runs"] < after["whole"]["runs"] < 6 * 2 * len(SECOND.weeks)
    assert shown(after)["test"] < after["whole"]["runs"], "of the weeks that were published with them, the block's cells say nothing"


def test_nothing_is_published_twice_or_computed_again_whatever_is_lost(year: Year) -> None:
    people = team(8)
    year.use(people)
    report = year.on(SECOND.due).report()
    collector, log = year.collector, year.log()
    collector.kill()
    with (collector.data / "releases.log").open("a") as file:
        file.write(log.splitlines()[-1][:40])  # as a kill leaves it
    collector.start()
    assert [] == year.sweep()
    assert report == year.report()
    year.on(SECOND.due + timedelta(days=7)).sweep()
    assert year.log().startswith(log)
    assert 1 == len(year.log().splitlines()) - len(log.splitlines())
    points = asked(collector, "trends", project="acme", name="test").json()["points"]
    assert [SECOND.name, 65] == [points[-2]["period"], points[-2]["figures"]["runs"]]
    assert points[-1]["figures"] is None
    head, *rows = collector.cli("trends", "acme", "--csv").stdout.splitlines()
    assert [60] == [int(row["runs"]) for row in csv.DictReader([head, *rows]) if row["block"] == SECOND.name]

    collector.stop()
    (collector.data / "releases.log").unlink()  # the store has them too
    collector.start()
    assert set(log.splitlines()) <= set(year.log().splitlines())
    assert report["commands"] == year.report(SECOND.name)["commands"]


def test_a_store_that_is_put_back_says_what_was_published_since_and_computes_nothing_again(year: Year) -> None:
    people = team(8)
    year.use(people)
    year.on(week(SECOND.weeks[1]).due).sweep()
    collector = year.collector
    directory = collector.directory / "backup"
    assert 0 == collector.cli("backup", str(directory)).returncode
    year.on(SECOND.due)
    report, log = year.report(), year.log()
    collector.stop()
    shutil.rmtree(collector.data / "store")
    done = collector.cli("restore", str(directory))
    assert 0 == done.returncode, done.stderr
    collector.start()

    assert [] == year.sweep()
    assert (report["commands"], set(log.splitlines())) == (year.report(SECOND.name)["commands"], set(year.log().splitlines()))


def test_a_damaged_journal_is_said_and_nothing_is_published_again(year: Year) -> None:
    year.use(team(8))
    year.on(SECOND.due).sweep()
    report, collector = year.report(), year.collector
    collector.stop()
    path, good = collector.data / "releases.log", year.log()
    damaged = good.replace('"k":5', '"k":1', 1)
    path.write_text(damaged)
    collector.start()
    assert report == year.report(), "what the store has is read"
    said = [one["text"] for one in asked(collector, "check").json()["findings"] if one["about"] == "releases"]
    assert [True] == [f"line 1 of {path} is damaged" in one for one in said]
    year.on(SECOND.due + timedelta(days=7))
    swept = asked(collector, "retention.sweep")
    assert (200, damaged) == (swept.status_code, year.log()), "nothing is added to it"
    said = [one["text"] for one in asked(collector, "check").json()["findings"] if "could not be published" in one["text"]]
    assert [True] == [f"line 1 of {path} is damaged" in one for one in said]

    collector.stop()
    path.write_text(good)
    collector.start()
    year.sweep()
    assert f'"unit":"{week(SECOND.end).name}"' in year.log()


def test_what_was_due_while_nothing_ran_is_published_later_and_a_clock_that_goes_back_takes_nothing_back(year: Year) -> None:
    people = team(8)
    year.use(people)
    year.collector.stop()
    year.on(SECOND.due + timedelta(days=20))
    year.collector.start()
    report = year.report(SECOND.name)
    assert ({"test": 65}, 60) == (shown(report), report["whole"]["runs"])
    year.on(SECOND.due - timedelta(days=30))
    assert report["commands"] == year.report(SECOND.name)["commands"]


def test_a_headcount_limits_who_counts_and_is_told_beside_who_takes_part(year: Year) -> None:
    year.collector.apply(PROJECT, "--headcount", "6")
    people, made_up = team(6), team(30)  # to show one among them
    year.on(FIRST.first + timedelta(days=1)).send(people)
    year.on(FIRST.first + timedelta(days=2)).send(made_up)
    year.on(SECOND.first + timedelta(days=1)).send([*people, *made_up])
    report = year.on(SECOND.due).report()

    assert (6, [5, 9], {"test": 10}) == (report["headcount"], report["developers"], shown(report))
    assert "by 5 to 9 of 6 developers" in year.collector.ask_text("report", "acme")


def test_a_project_may_ask_for_more_than_five_and_not_for_fewer(year: Year) -> None:
    year.collector.apply(PROJECT, "--k", "10")
    year.use(team(8))
    report = year.on(SECOND.due).report()
    assert (10, {}, "too few developers") == (report["k"], shown(report), report["state"])
    assert "figures need 10 developers" in report["explanation"]

    done = year.collector.cli("projects", "apply", str(year.collector.write(PROJECT)), "--k", "4")
    assert 2 == done.returncode
    assert 400 == asked(year.collector, "projects.apply", toml="", source="x", k=4).status_code


def test_larger_teams_see_commands_and_targets_by_the_week_after_a_block_in_which_they_passed(year: Year) -> None:
    people = team(24)
    third = block_of(SECOND.end)
    for monday in (FIRST.first, *SECOND.weeks, third.first):
        year.on(monday + timedelta(days=1)).send(people, command="build")
        runs = [run_event(person) for person in people]
        year.collector.send(*runs, *(target_event(run, "lint") for run in runs))
        if monday == third.first:
            year.send(people[:12], command="docs")
    report = year.on(week(third.first).due).report(week(third.first).name)

    assert {"build": 50, "test": 25} == shown(report)
    assert ["lint"] == [one["target"] for one in report["targets"]]
    assert {"os", "arch", "version"} == {one["by"] for one in report["parts"]}


def test_a_period_that_is_none_is_refused_and_one_without_figures_says_so(year: Year) -> None:
    year.use(team(8))
    for odd in ("2026-W60", "2026-B13", "2026-Q5", "2026-13", "last", "2026-W", "99999"):
        answer = asked(year.collector, "report", project="acme", period=odd)
        assert (409, True) == (answer.status_code, "is no" in answer.text), odd
    year.on(week(SECOND.weeks[0]).due).sweep()
    assert "nothing of 2020-Q1 is published yet" in year.report("2020-Q1")["explanation"]


def test_what_rows_said_stays_when_they_go_and_no_id_is_in_it(idle: Collector) -> None:
    year = Year(idle)
    short = project(project={"retention_days": 90})
    idle.start_with(short)
    idle.apply(short, "--min-active-weeks", "1")
    people = team(8)
    year.use(people)
    report = year.on(SECOND.due).report()
    assert {"test": 65} == shown(report)
    later = year.on(SECOND.due + timedelta(days=120)).report(SECOND.name)

    assert 0 == asked(idle, "check").json()["events"]
    assert (report["commands"], report["whole"]) == (later["commands"], later["whole"])
    assert not any(person in year.log() for person in people)
    releases = asked(idle, "releases", project="acme").json()["releases"]
    assert SECOND.name in [one["unit"] for one in releases]


def test_a_project_whose_rows_go_before_a_block_is_published_is_told_so(idle: Collector) -> None:
    short = project(project={"retention_days": 30})
    idle.start_with(short)

    def said() -> list[str]:
        return [one["text"] for one in asked(idle, "check").json()["findings"] if one["about"] == "releases"]

    assert ["acme keeps rows for 30 days" in text for text in said()] == [True]
    idle.apply(project(project={"retention_days": 52}), "--min-active-weeks", "1")
    assert [] == said()
