"""What all published figures together tell of one person: a linear programme over everything that could have been so.

Whoever attacks knows all documents, how they are made and rounded, their own rows, who was there in which week, who uses which command on which
machine. Not known is how much of it everybody did. Blocks have no run in common, so each is looked at by itself: a sum over blocks reaches as far
as its parts do together.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from operator import or_

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from innerloop_collector.analysis.impact.saved import WEEKS_A_MONTH
from innerloop_collector.query.population import Population
from innerloop_collector.query.releases import habits
from innerloop_collector.query.releases.calendar import Unit, week
from innerloop_collector.query.releases.contribution import (
    BINS,
    FAILED,
    RUNS,
    SUCCEEDED,
    UNFINISHED,
    UNTIMED,
    WAITED_MS,
    People,
    added,
    weighed,
    weights,
)
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.releases.document import Atom, Release, has_whole
from innerloop_collector.query.releases.rows import Cells, Watermark
from innerloop_collector.query.releases.shown import WHOLE, Key
from innerloop_collector.query.verdicts.verdict_views import Verdict
from tests.releases.simulated_team import COMMANDS, Team

ENOUGH = 5  # runs, or minutes
REACH = 0.25
_REST = -1
_WAYS = {"succeeded": SUCCEEDED, "failed": FAILED, "unfinished": UNFINISHED}
# How a run ended and how long it took. What never ended has no duration.
_KINDS = {SUCCEEDED: (*BINS, UNTIMED), FAILED: (*BINS, UNTIMED), UNFINISHED: (UNTIMED,)}
_CLASS = 1_000  # added to the column of a class
_GREEN = habits.COLUMNS["green"]
# The classes that a run can have, by how it ended: two where it succeeded after failures.
_CLASSES: dict[str, list[tuple[int, ...]]] = {
    SUCCEEDED: [
        *((column,) for column in habits.COLUMNS["solved"][:-1] if column not in habits.AFTER_FAILURES),
        *product(habits.AFTER_FAILURES, _GREEN),
    ],
    FAILED: [(column,) for column in habits.COLUMNS["failed"]],
    UNFINISHED: [(column, habits.COLUMNS["solved"][-1]) for column in habits.COLUMNS["stopped"]],
}


class Watched(Team):
    """A team that remembers what was read of it."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.read: dict[tuple[date, date], Mapping[date | None, Cells]] = {}
        self.read_classes: dict[tuple[date, date], Mapping[date | None, Cells]] = {}

    def cells(self, of: Population, first: date, end: date, upto: int, released: Iterable[Watermark] = ()) -> Mapping[date | None, Cells]:
        """What was added in each released week by then, and under None the rest."""
        out = super().cells(of, first, end, upto, list(released))
        self.read[first, end] = out
        return out

    def classes(self, of: Population, first: date, end: date, upto: int, released: Iterable[Watermark] = ()) -> Mapping[date | None, Cells]:
        """The same of the classes."""
        out = self.read_classes[first, end] = super().classes(of, first, end, upto, list(released))
        return out


@dataclass
class Published:
    """A number as it was published, and what is in it."""

    name: str
    slots: frozenset[int]
    key: Key
    columns: frozenset[int] | None  # of the runs; None: all. WAITED_MS: minutes
    low: float
    high: float
    uncapped: Mapping[tuple[int, int], float] | None = (
        None  # of runs that succeeded alone: by how much what counts of a person in a slot is less than all
    )

    @property
    def is_time(self) -> bool:
        """Whether this is of minutes."""
        return self.columns == {WAITED_MS}


@dataclass
class Finding:
    """A number of a person that all figures together tell too closely."""

    person: int
    insiders: tuple[int, ...]
    number: str
    true: float
    low: float
    high: float


class Block:
    """One block: its documents, and what was true."""

    def __init__(self, team: Watched, documents: Mapping[str, Release], unit: Unit, verdicts: Iterable[Verdict] = ()) -> None:
        self._people = team.people
        self._seen: dict[tuple[int, bool], set[tuple[float, ...]]] = {}
        weeks = [one for one in map(week, unit.weeks) if one.name in documents and has_whole(documents[one.name])]
        self.slots: dict[int, Cells] = {}  # what each person adds, as much as counts
        self.classes: dict[int, Cells] = {}  # the same of the classes
        self.published: list[Published] = []
        for place, one in enumerate(weeks):
            self.slots[place] = _weighed(team.read[one.first, one.end].get(None, {}))
            self._add(documents[one.name].atoms, one.name, lambda _, place=place: frozenset({place}))
        if unit.name in documents:
            self._remainder(team.read[unit.first, unit.end], documents, unit, weeks)
            if documents[unit.name].splits:
                self._splits(team, documents, unit, weeks)
        self._succeeded: dict[str, dict[int, float]] = {}  # by the name of a number: what each person's successful runs took
        for verdict in verdicts:
            self._waited(team, verdict, [one.first for one in weeks])

    def _waited(self, team: Watched, verdict: Verdict, weeks: list[date]) -> None:
        """What a verdict says of minutes: of all that successful runs of what a change affects took since, of nobody less than all. How many developers there are is known."""
        since = [verdict.end - number * timedelta(weeks=1) for number in range(1, verdict.weeks + 1)]
        if verdict.waited is None or not set(since) <= set(weeks) or len(verdict.affected) > 1:
            return
        ((_, name),) = verdict.affected
        minutes: dict[int, float] = {}
        for row in team.rows:
            if row.week in since and row.runs is not None:
                some = (row.runs.command == COMMANDS.index(name)) & ~row.runs.failed & ~row.runs.unfinished & ~row.runs.asleep
                if some.any():
                    minutes[row.person] = minutes.get(row.person, 0.0) + float(row.runs.duration[some].sum()) / 60_000
        told = round(verdict.waited.value * 60_000)
        half = (0.5 * 10 ** (len(str(told)) - 3) + 0.5 if told >= 1000 else 0.5) / 60_000
        times = len(minutes) * len(since) / WEEKS_A_MONTH
        slots = frozenset(weeks.index(one) for one in since)
        weight = {slot: weights(team.read[weeks[slot], weeks[slot] + timedelta(weeks=1)].get(None, {}).get(WHOLE, {})) for slot in slots}
        uncapped = {(slot, person): 1 / by for slot in slots for person, by in weight[slot].items()}
        low, high = (verdict.waited.value + sign * half for sign in (-1, 1))
        one = Published(f"{verdict.unit} waited", slots, ("command", name), frozenset({WAITED_MS}), low * times, high * times, uncapped)
        self._succeeded[one.name] = minutes
        self.published.append(one)

    def _remainder(self, read: Mapping[date | None, Cells], documents: Mapping[str, Release], unit: Unit, weeks: list[Unit]) -> None:
        shown = [one.first for one in weeks]
        out: dict[Key, list[People]] = {}
        for monday, cells in read.items():
            for key, people in cells.items() if monday not in shown else ():
                out.setdefault(key, []).append(people)
        self.slots[_REST] = _weighed({key: added(people) for key, people in out.items()})
        by_week = [{(atom.breakdown, atom.name) for atom in documents[one.name].atoms} for one in weeks]
        kept = documents[unit.name].weeks or [one.name for one in weeks]
        rest = {_REST} if has_whole(documents[unit.name]) else set()
        self._add(
            documents[unit.name].atoms,
            unit.name,
            lambda key: frozenset(
                {_REST}
                if key == WHOLE
                else rest | {place for place, keys in enumerate(by_week) if key not in keys and weeks[place].name in kept}
            ),
        )

    def _splits(self, team: Watched, documents: Mapping[str, Release], unit: Unit, weeks: list[Unit]) -> None:
        cells, classes = team.read[unit.first, unit.end], team.read_classes[unit.first, unit.end]
        places = {one.first: place for place, one in enumerate(weeks)}
        for place in self.slots:
            mondays = [one for one in cells if places.get(one, _REST) == place]
            weight = weights(added(cells[one].get(WHOLE, {}) for one in mondays))
            keys = {key for one in mondays for key in classes.get(one, {})}
            self.classes[place] = {key: weighed(added(classes.get(one, {}).get(key, {}) for one in mondays), weight) for key in keys}
        for split in documents[unit.name].splits:
            key = (split.breakdown, split.name)
            where = frozenset(slot for one in self.published if one.key == key and one.columns is None for slot in one.slots)
            left_out = documents[unit.name].weeks
            where -= {place for place, one in enumerate(weeks) if left_out is not None and one.name not in left_out}
            for name, columns in habits.COLUMNS.items():
                by_name = {habits.NAMES[column]: column for column in columns}
                for one in getattr(split, name):
                    inside = [_CLASS + by_name[each] for each in one.names]
                    self.published.append(_counted(f"{unit.name} {key} {name} {one.names}", where, key, inside, one.runs))

    def _add(self, atoms: Iterable[Atom], unit: str, slots: object) -> None:
        for atom in atoms:
            key = (atom.breakdown, atom.name)
            if atom.breakdown == "target":
                continue
            where, name = slots(key), f"{unit} {atom.breakdown} {atom.name}"  # type: ignore[operator]
            self.published.append(_counted(f"{name} runs", where, key, None, atom.runs))
            for way in atom.outcomes:
                self.published.append(_counted(f"{name} {way.ways}", where, key, [_WAYS[one] for one in way.ways], way.runs))
            for some in atom.durations:
                self.published.append(_counted(f"{name} {some.bins}", where, key, [BINS[0] + one for one in some.bins], some.runs))
            if atom.waited_ms is not None:
                half = 0.5 * 10 ** (len(str(atom.waited_ms)) - 3) if atom.waited_ms >= 1000 else 0.5
                low, high = (atom.waited_ms - half) / 60_000, (atom.waited_ms + half) / 60_000
                self.published.append(Published(f"{name} minutes", where, key, frozenset({WAITED_MS}), low, high))

    def adds(self, number: int, of: Published) -> float:
        """What a person adds to a published number."""
        if of.uncapped is not None:
            return self._succeeded[of.name].get(number, 0.0)
        columns = of.columns or frozenset(_WAYS.values())
        if min(columns) >= _CLASS:
            return sum(self._in_classes(slot, of.key, number, columns) for slot in of.slots)
        found = (self.slots[slot].get(of.key, {}).get(number) for slot in of.slots)
        amount = sum(vector[column] for vector in found if vector for column in columns)
        return amount / 60_000 if of.is_time else amount

    def _in_classes(self, slot: int, key: Key, number: int, columns: Collection[int]) -> float:
        vector = self.slots[slot].get(key, {}).get(number)
        if vector is None:
            return 0.0
        mine = habits.completed(vector, self.classes.get(slot, {}).get(key, {}).get(number))
        return sum(mine[column - _CLASS] for column in columns)

    @property
    def there(self) -> list[int]:
        """Everybody who is behind the numbers."""
        return sorted({number for cells in self.slots.values() for number in cells.get(WHOLE, {})})

    def runs(self, person: int) -> float:
        """How much somebody did."""
        return sum(cells.get(WHOLE, {})[person][RUNS] for cells in self.slots.values() if person in cells.get(WHOLE, {}))

    def findings(self, person: int, insiders: Collection[int], numbers: Collection[Published] | None = None) -> Iterator[Finding]:
        """What insiders can tell of a person more closely than they may."""
        for family in (True, False):
            rows = [one for one in self.published if one.is_time == family]
            chosen = [place for place, one in enumerate(rows) if numbers is None or one in numbers]
            mine = [place for place in chosen if self.adds(person, rows[place]) >= ENOUGH]
            if not mine:
                continue
            known = np.array([sum(self.adds(one, row) for one in insiders) for row in rows])
            low = np.array([row.low for row in rows]) - known
            high = np.array([row.high for row in rows]) - known
            own = self._columns([person], rows)
            others = self._columns([one for one in self.there if one != person and one not in insiders], rows)
            wanted = [(rows[place].name, own[place], self.adds(person, rows[place])) for place in mine]
            total = [place for place, row in enumerate(rows) if row.key == WHOLE and row.columns in (None, {WAITED_MS})]
            if numbers is None:
                wanted.append(("all of the block", own[total].sum(0), sum(self.adds(person, rows[place]) for place in total)))
            space = _Space(np.hstack([own, others]), low, high)
            for name, goal, true in space.not_reaching(wanted):
                least, most = space.reach(goal)
                if least > (1 - REACH) * true or most < (1 + REACH) * true:
                    yield Finding(person, tuple(insiders), name, true, least, most)

    def _columns(self, people: Collection[int], rows: list[Published]) -> np.ndarray:
        """For each thing that somebody can have done, which numbers it is in. Different things that are in the same ones are one thing."""
        found = set().union(*(self._things(number, rows[0].is_time, rows) for number in people))
        return np.array(sorted(found), dtype=float).T if found else np.zeros((len(rows), 0))

    def _things(self, number: int, is_time: bool, rows: list[Published]) -> set[tuple[float, ...]]:
        if (number, is_time) not in self._seen:
            who = self._people[number]
            keys = {WHOLE, ("os", who.os), ("arch", who.arch), ("version", who.version), ("cohort", who.cohort)}
            found = self._seen[number, is_time] = set()
            for slot, cells in self.slots.items():
                for key in (key for key, cell in cells.items() if key[0] == "command" and number in cell):
                    near = [row if slot in row.slots and (row.key == key or row.key in keys) else None for row in rows]
                    found |= _minutes(near, (slot, number)) if is_time else set(_patterns(near))
        return self._seen[number, is_time]


def _minutes(near: list[Published | None], whose: tuple[int, int]) -> set[tuple[float, ...]]:
    """Which numbers minutes of a person are in, and how often: those of runs that succeeded, and of others. A number that caps nobody has all of them."""
    everything = [row is not None for row in near]
    succeeded = [
        row.uncapped.get(whose, 1.0) if row and row.uncapped is not None else float(there)
        for row, there in zip(near, everything, strict=True)
    ]
    others = [float(there and not (row and row.uncapped is not None)) for row, there in zip(near, everything, strict=True)]
    return {tuple(succeeded), tuple(others)}


def _patterns(near: list[Published | None]) -> Iterator[tuple[bool, ...]]:
    """Which numbers a run is in, for every way to end, duration and class that it can have."""
    for way, bins in _KINDS.items():
        by_bin = {tuple(_has(row, (way, column)) for row in near) for column in bins}
        by_class = {tuple(_has(row, [_CLASS + one for one in classes]) for row in near) for classes in _CLASSES[way]}
        yield from (tuple(map(or_, one, other)) for one in by_bin for other in by_class)


def _has(row: Published | None, kind: Collection[int]) -> bool:
    return row is not None and (row.columns is None or not row.columns.isdisjoint(kind))


def _counted(name: str, slots: frozenset[int], key: Key, columns: Iterable[int] | None, number: int) -> Published:
    return Published(name, slots, key, None if columns is None else frozenset(columns), number - STEP / 2, number + STEP / 2)


def _weighed(cells: Cells) -> Cells:
    weight = weights(cells.get(WHOLE, {}))
    return {key: weighed(people, weight) for key, people in cells.items()}


class _Space:
    """All that could have been: amounts of things, none below nothing, of which the published numbers are what they are."""

    def __init__(self, matrix: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self._rows = np.vstack([matrix, -matrix])
        self._bounds = np.concatenate([high, -low]) + 1e-6
        self._size = matrix.shape[1]

    def reach(self, goal: np.ndarray) -> tuple[float, float]:
        """The least and the most that a sum can be."""
        least, most = (self._solve(sign * self._padded(goal), self._rows, self._bounds) for sign in (1, -1))
        return (least.fun if least.status == 0 else -np.inf), (-most.fun if most.status == 0 else np.inf)

    def not_reaching(self, wanted: list[tuple[str, np.ndarray, float]]) -> Iterator[tuple[str, np.ndarray, float]]:
        """Those sums that were not seen to reach far enough, when all of them were moved as far as they go together."""
        goals = np.array([self._padded(goal) for _, goal, _ in wanted])
        true = np.array([one for _, _, one in wanted])
        rows = np.hstack([self._rows, np.zeros((len(self._rows), len(wanted)))])
        fine = np.ones(len(wanted), dtype=bool)
        for sign in (1, -1):  # how far up, then how far down: each as a share of what it has to reach
            moved = np.hstack([-sign * goals, REACH * np.diag(true)])
            found = self._solve(
                np.concatenate([np.zeros(self._size), -np.ones(len(wanted))]),
                np.vstack([rows, moved]),
                np.concatenate([self._bounds, -sign * true]),
                [(0, None)] * self._size + [(None, 1)] * len(wanted),
            )
            fine &= found.x[self._size :] > 1 - 1e-6
        return (one for one, is_fine in zip(wanted, fine, strict=True) if not is_fine)

    def _padded(self, goal: np.ndarray) -> np.ndarray:
        return np.concatenate([goal, np.zeros(self._size - len(goal))])

    def _solve(self, goal: np.ndarray, rows: np.ndarray, most: np.ndarray, bounds: object = (0, None)) -> OptimizeResult:
        found = linprog(goal, A_ub=rows, b_ub=most, bounds=bounds, method="highs")
        assert found.status in (0, 3), found.message  # solved, or without an end
        return found
