"""Days are looked at once, in order, and what is told is kept: the publisher of alerts over days in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import log
from typing import Any, NamedTuple

import numpy as np

from innerloop_collector.analysis.alerts.daily import Daily, Measure
from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_documents import Appeared, Fate, Subject
from innerloop_collector.query.alerts.alert_publisher import AlertPublisher
from innerloop_collector.query.alerts.daily_looks import DailyLooks
from innerloop_collector.query.alerts.daily_rows import Span
from innerloop_collector.query.alerts.known_projects import Expected, KnownProjects
from innerloop_collector.query.alerts.shown_alerts import Alerts
from innerloop_collector.query.population import Population, Settings
from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.reports.alert_report import sentence
from innerloop_collector.store.change_record import Change
from tests.evidence.daily import World, simulated

PROJECT = "devstack"
FIRST = date(2026, 1, 5)  # a Monday, of simulated days
STEP_AT = 140
BUILD = Subject("command", "build", "duration")
_GRACE = 3  # days from a day to its look


class Unit(NamedTuple):
    unit: str
    document: str


@dataclass
class Shelf:
    """Documents and the last days, in memory."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)
    full: bool = False
    noted: int = 0

    def units(self, project: str, kind: str) -> frozenset[str]:
        return frozenset(unit for of, unit in self.kept if of == project and unit.startswith(f"{kind}/"))

    def add(self, project: str, unit: str, document: str) -> None:
        assert (project, unit) not in self.kept
        self.kept[project, unit] = document

    def read(self, project: str, units: Iterable[str]) -> Sequence[Unit]:
        return [Unit(unit, self.kept[project, unit]) for unit in units]

    def last(self, project: str) -> date | None:
        return self.days.get(project)

    def note(self, days: Mapping[str, date]) -> None:
        assert all(day > self.days.get(project, date.min) for project, day in days.items())
        self.days |= days
        self.noted += 1
        if self.full:
            raise OSError("no space left")


class Team:
    """Rows of simulated days, and a collector's looks at them."""

    def __init__(self, worlds: Mapping[Subject, World], *, k: int = 5) -> None:
        self.days = {subject: simulated(world, 3)[_measure(subject)] for subject, world in worlds.items()}
        self.shelf, self.asked = Shelf(), list[Span]()
        self.broken: set[str] = set()
        self.began = FIRST
        archive = AlertArchive(self.shelf, self.shelf)
        settings = {name: Settings(3, k, None, 365, public=("open",)) for name in (PROJECT, "other")}
        known = KnownProjects(lambda: settings, lambda _, names: {"lint"} & set(names), lambda: 7)
        expected = Expected(0.3, 0.03)
        looks = DailyLooks(self, archive, self, known, expected)
        self.publisher = AlertPublisher(lambda: looks, archive, known, lambda _: self.began)
        self.archive = archive
        self.changes: list[Change] = []
        self.alerts = Alerts(archive, lambda: datetime.combine(self.today, time(), UTC), expected, lambda: self.changes)
        self.today = FIRST

    def daily(self, of: Population, span: Span) -> dict[Subject, Daily]:
        """Rows of one project; the other one has none."""
        if of.project in self.broken:
            raise OSError
        if of.project != PROJECT:
            return {}
        self.asked.append(span)
        assert (of.began, of.plans) == (block_of(span.last).first, ("open",)), "only who agreed to open figures"
        first, end = span.place(FIRST), (span.last - FIRST).days + 1
        return {subject: Daily(_cut(one.runs, first, end), _cut(one.total, first, end)) for subject, one in self.days.items()}

    def appeared(self, of: Population, span: Span, since: date, k: int) -> list[Appeared]:
        return [Appeared("version", "2", since)]

    def read(self, project: str, units: Iterable[str]) -> dict[str, Any]:
        return {}

    def on(self, day: int) -> list[tuple[str, str]]:
        """Publish when a simulated day is closed."""
        self.today = FIRST + timedelta(days=day + _GRACE)
        return self.publisher.publish(self.today)

    def told(self) -> list[tuple[Subject, Fate]]:
        return [(one.subject, one.fate) for day in self.archive.days(PROJECT) for one in day.told]


def _cut(of: Any, first: int, end: int) -> Any:
    """Days from a place on; before the first there are none."""
    begin = -first
    return np.hstack([np.zeros((of.shape[0], max(-begin, 0))), of[:, max(begin, 0) : end]])


def _measure(subject: Subject) -> Measure:
    return next(one for one in Measure if one.word == subject.measure)


def slower(subject: Subject, step: float = log(1.6), **more: Any) -> dict[Subject, World]:
    return {subject: World(step=step, step_at=STEP_AT, weeks=40, **more)}


def test_each_day_is_looked_at_once_and_told_once_with_what_became_of_it() -> None:
    team = Team(slower(BUILD))
    for day in range(STEP_AT, STEP_AT + 40):
        team.on(day)
        team.on(day)  # again, as after a restart
    assert [FIRST + timedelta(days=day) for day in range(STEP_AT, STEP_AT + 40)] == [one.last for one in team.asked]
    assert [(BUILD, Fate.OPEN), (BUILD, Fate.CONFIRMED)] == team.told()
    ((first_day, first), (_, last)), *rest = team.archive.told(PROJECT)
    assert ([], first.seen) == (rest, last.seen)
    assert abs((last.since - FIRST).days - STEP_AT) <= 7
    assert ([Appeared("version", "2", first.since)], first.seen) == (list(first.appeared), first_day.day)
    assert (0, 0) == (first.size.value % 5, first.people % 5)


def test_two_weeks_that_were_missed_are_made_up_for_and_no_more() -> None:
    team = Team(slower(BUILD))
    team.on(STEP_AT - 30)
    team.on(STEP_AT + 10)
    assert [FIRST + timedelta(days=day) for day in (STEP_AT - 30, *range(STEP_AT - 3, STEP_AT + 11))] == [one.last for one in team.asked]


def test_a_project_without_days_to_compare_with_is_not_looked_at() -> None:
    team = Team(slower(BUILD))
    team.began = FIRST + timedelta(days=10)
    for day in (20, 23, 24):
        team.on(day)

    assert [FIRST + timedelta(days=24)] == [one.last for one in team.asked]


def test_checks_have_no_alert_about_failures() -> None:
    fails = World(failing_step=2.0, step_at=STEP_AT, weeks=30)
    team = Team({Subject("command", name, "failures"): fails for name in ("lint", "build")})
    for day in range(STEP_AT, STEP_AT + 12):
        team.on(day)
    assert {"build"} == {subject.name for subject, _ in team.told()}


def test_an_alert_of_what_nobody_runs_any_more_is_gone() -> None:
    team = Team(slower(BUILD))
    day = next(day for day in range(STEP_AT, STEP_AT + 20) if team.on(day))
    team.days = {}
    for later in range(day + 1, day + 20):
        team.on(later)
    assert [(BUILD, Fate.OPEN), (BUILD, Fate.GONE)] == team.told()


def test_what_fewer_than_a_projects_k_ran_is_not_told() -> None:
    team = Team(slower(BUILD, people=30, runs=2.0), k=50)
    for day in range(STEP_AT, STEP_AT + 20):
        team.on(day)
    assert [] == team.told()


def test_one_project_that_cannot_be_read_keeps_no_other_from_being_looked_at() -> None:
    team = Team(slower(BUILD))
    team.broken = {"other"}
    team.on(STEP_AT)
    assert ({"other": "OSError"}, 1) == (dict(team.publisher.failed), len(team.asked))


def test_what_was_looked_at_and_could_not_be_noted_is_said() -> None:
    team = Team(slower(BUILD))
    team.shelf.full = True
    team.on(STEP_AT)
    assert "no space left" == team.publisher.failed[PROJECT]
    team.shelf.full = False
    team.on(STEP_AT + 1)
    assert {} == team.publisher.failed


def test_days_that_are_made_up_for_are_noted_with_their_project_and_one_day_of_all_projects_at_once() -> None:
    team = Team(slower(BUILD))
    team.on(STEP_AT)
    once = team.shelf.noted
    team.on(STEP_AT + 5)
    assert (1, 1 + len(team.shelf.days)) == (once, team.shelf.noted)


def test_creep_is_told_once_in_half_a_year_and_not_of_what_was_told_to_be_slower() -> None:
    creeping = World(trend=0.15, weeks=60, runs=2.0)
    team = Team({BUILD: creeping})
    ends = [(block_of(FIRST + timedelta(weeks=week)).end - FIRST).days - 1 for week in range(30, 50)]
    for end in sorted(set(ends)):
        team.shelf.days[PROJECT] = FIRST + timedelta(days=end - 1)
        team.on(end)
    creeps = [day.day for day in team.archive.days(PROJECT) for one in day.told if one.fate is Fate.CREEP]
    assert 1 == len([one for one in creeps if one <= creeps[0] + timedelta(days=182)])


def test_a_registered_change_that_came_then_and_affects_it_is_named_whenever_it_was_registered() -> None:
    team = Team(slower(BUILD))
    for day in range(STEP_AT, STEP_AT + 12):
        team.on(day)
    (alert,) = team.alerts.of_project(PROJECT).alerts
    assert ((), "open" if alert.decided is None else alert.fate) == (alert.explained_by, alert.fate)
    came = FIRST + timedelta(days=STEP_AT)
    team.changes = [
        Change("new-linker", "", came, "code", (PROJECT,), ("build", "test")),
        Change("everything", "", came, "server", (PROJECT,)),
        Change("elsewhere", "", came, "server", ("other",)),
        Change("docs", "", came, "docs", (PROJECT,), ("docs",)),
        Change("too-late", "", came + timedelta(days=20), "server", (PROJECT,)),
    ]
    (alert,) = team.alerts.of_project(PROJECT).alerts
    assert ("new-linker", "everything") == alert.explained_by
    assert "may be explained by the change new-linker, everything" in sentence(alert)
    team.changes.append(Change("secret", "", came, "server", (PROJECT,), control_projects=("hidden",)))
    (seen,) = team.alerts.of_project(PROJECT, frozenset({PROJECT, "other"})).alerts
    assert ("new-linker", "everything", "a change of other projects") == seen.explained_by, (
        "a name may say what somebody else's project does"
    )
    assert sentence(alert).startswith(f"build of devstack became about {alert.size} slower around {alert.since} (")
