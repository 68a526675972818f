"""A simulated team, as a source of what its people add, and an archive in memory.

Activity is as uneven as it was measured to be: log-normal with a deviation of 0.9 between people, a gamma of shape 2 from week to week, each
person with a mix of their own of the project's commands. What happened is fixed when the team is made; `now` decides how much of it is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.query.population import Population, Settings
from innerloop_collector.query.releases import habits
from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.releases.contribution import (
    BINS,
    EDGES_MS,
    FAILED,
    RUNS,
    SIZE,
    SUCCEEDED,
    UNFINISHED,
    UNTIMED,
    WAITED_MS,
    People,
    Vector,
)
from innerloop_collector.query.releases.document import Release, decode, encode
from innerloop_collector.query.releases.publisher import Publisher
from innerloop_collector.query.releases.rows import Cells, Watermark
from innerloop_collector.query.releases.shown import WHOLE, Key

WEEK = timedelta(weeks=1)
FIRST = date(2026, 1, 26)  # the Monday of the second block of 2026
BEFORE = 5  # weeks in which everybody became known
PROJECT = "devstack"
COMMANDS = ("build", "test", "lint", "docs", "package", "deploy", "clean", "bench")
_MEDIANS_MS = np.array([20_000, 60_000, 5_000, 15_000, 120_000, 240_000, 400, 90_000])
_USE = np.array([1.2, 1.2, 0.6, 0.0, -0.4, -0.8, 0.2, -1.2])  # log of how often, before each person's own taste
_RUNS_A_WEEK = 14.0  # of the median person
_EDGES = np.array(EDGES_MS)
Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Person:
    """Who somebody is. Everybody in a team knows the others' machines."""

    number: int
    activity: float
    mix: tuple[float, ...]
    slowness: float
    failing: float
    os: str
    arch: str
    version: str
    cohort: str


@dataclass(frozen=True)
class Slower:
    """A command that takes so many times as long, for everybody, from a Monday on."""

    command: str
    since: date
    times: float


@dataclass(frozen=True, eq=False)
class Runs:
    """Each run of a person in a week."""

    command: Codes  # by its place in COMMANDS
    duration: Numbers  # milliseconds
    failed: Flags
    unfinished: Flags
    asleep: Flags
    day: Codes  # of the week


@dataclass(frozen=True)
class Delivery:
    """What somebody did in a week, as it was received on a day."""

    person: int
    week: date
    received: date
    cells: Mapping[Key, Vector]
    classes: Mapping[Key, Vector] = field(default_factory=dict)
    runs: Runs | None = None  # each of them. None: of somebody who was invented


@dataclass
class Events:
    """What happens to a team."""

    joins: dict[int, date] = field(default_factory=dict)
    leaves: dict[int, date] = field(default_factory=dict)
    away: dict[int, frozenset[date]] = field(default_factory=dict)  # weeks
    late: dict[tuple[int, date], date] = field(default_factory=dict)  # received on
    erased: dict[int, date] = field(default_factory=dict)
    slower: Slower | None = None


@cache
def person(seed: int, number: int) -> Person:
    """Somebody drawn by a seed."""
    draw = np.random.default_rng((seed, number, 1))
    alike = seed % 3 == 0  # a team in which all have the same machine
    mix = np.exp(_USE + draw.normal(0, 1, len(COMMANDS)))
    return Person(
        number,
        float(np.exp(draw.normal(0, 0.9))),
        tuple(mix / mix.sum()),
        float(draw.normal(0, 0.4)),
        float(draw.beta(2, 10)),
        str(draw.choice(["Linux", "Darwin"], p=[1, 0] if alike else [0.65, 0.35])),
        str(draw.choice(["x86_64", "arm64"], p=[1, 0] if alike else [0.6, 0.4])),
        str(draw.choice(["1.4", "1.5"], p=[0.4, 0.6])),
        str(draw.choice(["early", "late"])),
    )


def runs_of(seed: int, of: Person, week: date, slower: Slower | None = None) -> Runs:
    """What a person runs in a week."""
    draw = np.random.default_rng((seed, of.number, week.toordinal()))
    number = int(draw.poisson(_RUNS_A_WEEK * of.activity * draw.gamma(2, 0.5)))
    command = draw.choice(len(COMMANDS), number, p=of.mix)
    duration = _MEDIANS_MS[command] * np.exp(of.slowness + draw.normal(0, 0.5, number))
    luck = draw.random(number)
    unfinished = luck > 0.96
    failed = (luck < of.failing) & ~unfinished
    asleep = draw.random(number) < 0.005
    day = np.random.default_rng((seed, of.number, week.toordinal(), 3)).integers(0, 5, number)
    if slower is not None and week >= slower.since:
        duration = np.where(command == COMMANDS.index(slower.command), duration * slower.times, duration)
    return Runs(command, duration, failed, unfinished, asleep, day)


def work(seed: int, of: Person, week: date) -> Mapping[Key, Vector]:
    """What a person adds in a week, by cell. Empty: nothing."""
    return _week(seed, of, week, runs_of(seed, of, week))[0]


def _week(seed: int, of: Person, week: date, runs: Runs) -> tuple[Mapping[Key, Vector], Mapping[Key, Vector]]:
    """What the runs of a week come to, and their classes: for all and by command. Every fifth person's machine sends no classes."""
    number, command, duration, failed, unfinished = len(runs.command), runs.command, runs.duration, runs.failed, runs.unfinished
    if not number:
        return {}, {}
    columns = np.zeros((number, SIZE))
    columns[:, RUNS] = 1
    columns[:, WAITED_MS] = np.where(runs.asleep, 0, duration.round())
    columns[:, SUCCEEDED], columns[:, FAILED], columns[:, UNFINISHED] = ~failed & ~unfinished, failed, unfinished
    untimed = unfinished | runs.asleep
    columns[np.arange(number), np.where(untimed, UNTIMED, BINS[0] + np.searchsorted(_EDGES, duration))] = 1
    out: dict[Key, Vector] = {("command", COMMANDS[c]): tuple(columns[command == c].sum(0).tolist()) for c in np.unique(command)}
    whole: Vector = tuple(columns.sum(0).tolist())
    out[WHOLE] = whole
    out |= dict.fromkeys([("os", of.os), ("arch", of.arch), ("version", of.version), ("cohort", of.cohort)], whole)
    if not of.number % 5:
        return out, {}
    classes = _classes(np.random.default_rng((seed, of.number, week.toordinal(), 2)), of, failed, unfinished)
    by_cell: dict[Key, Vector] = {("command", COMMANDS[c]): tuple(classes[command == c].sum(0).tolist()) for c in np.unique(command)}
    by_cell[WHOLE] = tuple(classes.sum(0).tolist())
    return out, by_cell


def _classes(draw: np.random.Generator, of: Person, failed: np.ndarray, unfinished: np.ndarray) -> np.ndarray:
    """Which classes each run has: whoever fails more often needs more tries, and everybody takes their own time."""
    solved, of_failed, stopped, green = (habits.COLUMNS[one] for one in ("solved", "failed", "stopped", "green"))
    number = len(failed)
    out = np.zeros((number, habits.SIZE))
    before = np.minimum(draw.geometric(1 - min(2 * of.failing, 0.8), number) - 1, 3)
    pace = np.exp(-0.5 * np.abs(np.arange(len(green)) - len(green) * of.activity % len(green)))
    hurry = np.exp(-0.5 * np.abs(np.arange(len(stopped) - 1) - 2 - of.slowness))
    place = np.where(unfinished, draw.choice(stopped[:-1], number, p=hurry / hurry.sum()), np.array(solved)[before])
    place = np.where(failed, np.where(before == 0, of_failed[0], of_failed[1]), place)
    out[np.arange(number), place] = 1
    after = ~failed & ~unfinished & (before > 0)
    out[after, draw.choice(green, number, p=pace / pace.sum())[after]] = 1
    return out


def by_target(cells: Mapping[Key, Vector]) -> Mapping[Key, Vector]:
    """The same with a target for each command, which each of its runs makes."""
    return {**cells, **{("target", name): vector for (breakdown, name), vector in cells.items() if breakdown == "command"}}


def deliveries(seed: int, of: Person, weeks: Iterable[date], events: Events) -> list[Delivery]:
    """All that a person sends."""
    number = of.number
    there = [
        week
        for week in weeks
        if events.joins.get(number, week) <= week < events.leaves.get(number, date.max) and week not in events.away.get(number, ())
    ]
    found = ((week, runs_of(seed, of, week, events.slower)) for week in there)
    return [
        Delivery(number, week, events.late.get((number, week), week + timedelta(days=5)), *_week(seed, of, week, runs), runs)
        for week, runs in found
        if len(runs.command)
    ]


class Team:
    """A source of rows: those received by now, of whoever is not erased by now."""

    def __init__(self, seed: int, size: int, weeks: int, events: Events | None = None, *, others: Mapping[int, int] | None = None) -> None:
        """`others` says by which seed some people are drawn instead: as who they are, they stay."""
        self.events = events or Events()
        self.people = {number: person(seed, number) for number in range(1, size + 1)}
        self.weeks = [FIRST + WEEK * number for number in range(-BEFORE, weeks)]
        self._others = others or {}
        self.rows: list[Delivery] = []
        for number, one in self.people.items():
            drawn = self._others.get(number, seed)
            behaves = person(drawn, number)
            who = replace(behaves, os=one.os, arch=one.arch, version=one.version, cohort=one.cohort)
            self.add(deliveries(drawn, who, self.weeks, self.events))
        self.now = FIRST

    def add(self, rows: Iterable[Delivery]) -> None:
        """Somebody sends something."""
        self.rows += rows
        self.rows.sort(key=lambda one: (one.received, one.person, one.week))
        self._by_week: dict[date, list[tuple[int, Delivery]]] = {}
        for position, one in enumerate(self.rows, 1):
            self._by_week.setdefault(one.week, []).append((position, one))

    def committed(self) -> int:
        """The position up to which all is to be seen."""
        return sum(one.received <= self.now for one in self.rows)

    def _there(self, one: Delivery, of: Population) -> bool:
        oldest = of.today - timedelta(days=of.retention_days)
        return one.received <= self.now and one.week >= oldest and not self.erased(one.person)

    def erased(self, number: int) -> bool:
        """Whether somebody is erased by now."""
        return self.events.erased.get(number, date.max) <= self.now

    def counted(self, of: Population) -> frozenset[int]:
        """Whose rows count in a block."""
        known: dict[int, list[tuple[date, int]]] = {}
        for position, one in enumerate(self.rows, 1):
            if one.received < of.began and self._there(one, of):
                known.setdefault(one.person, []).append((one.received, position))
        seen, earlier = of.began - timedelta(weeks=13), of.began - timedelta(days=28)
        enough = {
            number: (_weeks(day for day, _ in days if day < earlier) < of.min_weeks, min(days))
            for number, days in known.items()
            if _weeks(day for day, _ in days) >= of.min_weeks and max(days)[0] >= seen
        }
        return frozenset(sorted(enough, key=lambda number: enough[number])[: of.most])

    def known(self, of: Population, first: date, end: date) -> Population:
        """The same: nothing here is slow to find out."""
        return of

    def cells(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> Mapping[date | None, Cells]:
        """What was added in each released week by then, and under None the rest, up to a position."""
        return self._sums("cells", of, first, end, upto, released)

    def classes(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> Mapping[date | None, Cells]:
        """The same of the classes."""
        return self._sums("classes", of, first, end, upto, released)

    def critical(
        self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()
    ) -> Mapping[date | None, Cells]:
        """Targets are not simulated."""
        return {}

    def _sums(
        self, what: str, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark]
    ) -> Mapping[date | None, Cells]:
        marks = dict(released)
        counted = self.counted(of)
        out: dict[date | None, Cells] = {}
        for week in (first + WEEK * number for number in range((end - first) // WEEK)):
            for position, one in self._by_week.get(week, ()):
                if position <= upto and one.person in counted and self._there(one, of):
                    cells = out.setdefault(week if position <= marks.get(week, -1) else None, {})
                    for key, vector in getattr(one, what).items():
                        _add(cells.setdefault(key, {}), one.person, vector)
        return out

    def agents(self, of: Population, first: date, end: date, upto: int) -> People:
        """Nobody here has a coding agent."""
        return {}

    def jobs(self, project: str, first: date, end: date, upto: int) -> int:
        """Nor is there CI."""
        return 0

    def could_count(self, of: Population) -> int:
        """How many people could count in a block, if any number might."""
        return len(self.counted(replace(of, most=1_000_000)))

    def weekly_totals(self, project: str) -> Sequence[Mapping[str, object]]:
        """This team had no older version."""
        return ()

    def first_day(self, project: str) -> date | None:
        """The day of the first run that is there."""
        return min((one.week for one in self.rows if one.received <= self.now and not self.erased(one.person)), default=None)


class Shelf:
    """An archive in memory, which keeps what a file would keep."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def units(self, project: str) -> frozenset[str]:
        """The units that were published."""
        return frozenset(self._kept)

    def add(self, release: Release) -> None:
        """Publish. Twice is a fault."""
        assert release.unit not in self._kept
        self._kept[release.unit] = encode(release)

    def read(self, project: str, units: Iterable[str]) -> dict[str, Release]:
        """Those of some units that are there."""
        return {unit: decode(self._kept[unit]) for unit in units if unit in self._kept}

    def position(self, project: str, unit: str) -> int:
        """How far a release read."""
        return self.read(project, [unit])[unit].position

    @property
    def documents(self) -> dict[str, Release]:
        """All that was ever published, by unit."""
        return self.read(PROJECT, self._kept)

    @property
    def texts(self) -> dict[str, bytes]:
        """The same as it is kept."""
        return dict(self._kept)


def publish(
    team: Team, *, k: int = 5, headcount: int | None = None, shelf: Shelf | None = None, retention_days: int = 400, weeks: int | None = None
) -> Shelf:
    """Publish all that is due, day by day of publication, from the second block of 2026 on."""
    shelf = shelf or Shelf()
    settings = Settings(min_weeks=3, k=k, headcount=headcount, retention_days=retention_days)
    publisher = Publisher(team, shelf, lambda: {PROJECT: settings}, team.committed)
    for week in team.weeks[:weeks]:
        team.now = week + WEEK + timedelta(days=2)
        publisher.publish(team.now)
    return shelf


def blocks(team: Team) -> list[str]:
    """The names of the blocks in which the team works, once everybody is known."""
    return list(dict.fromkeys(block_of(week).name for week in team.weeks if week >= FIRST))


def _weeks(days: Iterable[date]) -> int:
    return len({day - timedelta(days=day.weekday()) for day in days})


def _add(people: People, number: int, vector: Vector) -> None:
    before = people.get(number)
    people[number] = vector if before is None else tuple(map(sum, zip(before, vector, strict=True)))
