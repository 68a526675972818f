"""A cell that is shown: the people behind it, and how finely its runs are told apart."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.contribution import BINS, OUTCOMES, RUNS, UNFINISHED, UNTIMED, WAITED_MS, People, amounts
from innerloop_collector.query.releases.disclosure import Part, Partition, Rule

Key = tuple[str, str]  # breakdown and name: ("command", "build"); the whole is ("", "")
WHOLE: Key = ("", "")
ALL: Part = (RUNS,)
WAITED: Part = (WAITED_MS,)
_OUTCOMES: Partition = tuple((column,) for column in OUTCOMES)
_DURATIONS: Partition = tuple((column,) for column in (*BINS, UNTIMED))


@dataclass(frozen=True, slots=True)
class Number:
    """A number of each cell: the sum of some columns, less another. What never ended has no duration: the difference of both is a number too."""

    part: Part
    less: Part = ()

    def tells_all(self) -> bool:
        """Whether this is as much as the number of runs."""
        return self.part in (tuple(OUTCOMES), (*BINS, UNTIMED))


@dataclass(slots=True, eq=False)
class Shown:
    """A cell that passes by itself, with the parts of its runs that do. It can still give way."""

    key: Key
    people: People
    outcomes: Partition
    durations: Partition
    waited: bool
    _amounts: dict[Number, dict[int, float]] = field(default_factory=dict)
    _sizes: dict[Number, tuple[float, float]] = field(default_factory=dict)

    @property
    def runs(self) -> float:
        """How many there are."""
        return sum(amounts(self.people, ALL))

    def by_person(self, number: Number) -> dict[int, float]:
        """What each person adds to a number."""
        found = self._amounts.get(number)
        if found is None:
            found = dict(zip(self.people, amounts(self.people, number.part), strict=True))
            if number.less:
                less = amounts(self.people, number.less)
                found = {person: a - b for (person, a), b in zip(found.items(), less, strict=True)}
            self._amounts[number] = found
        return found

    def size(self, number: Number) -> tuple[float, float]:
        """A number, and the most that one person adds to it."""
        found = self._sizes.get(number)
        if found is None:
            values = self.by_person(number).values()
            found = self._sizes[number] = (sum(values), max(values, default=0.0))
        return found

    def tells(self, number: Number) -> bool:
        """Whether a number can be worked out from what is shown of this cell alone."""
        if number.less and not told(number.less, self.outcomes):
            return False
        if number.part in (ALL, WAITED):
            return self.waited or number.part == ALL
        return told(number.part, self.outcomes if number.part[0] in OUTCOMES else self.durations)

    def stop_telling(self, number: Number) -> None:
        """Show less, so that a number cannot be worked out any more. Not for the number of runs: without it nothing is shown."""
        if number.part == WAITED:
            self.waited = False
        elif number.part[0] in OUTCOMES:
            self.outcomes = coarser(self.outcomes, number.part)
        else:
            self.durations = coarser(self.durations, number.part)


def judged(key: Key, people: People, k: int) -> Shown | Rule:
    """A cell, as finely as it passes by itself, or the rule that hides it."""
    rule = disclosure.broken_rule(amounts(people, ALL), k)
    if rule is not None:
        return rule
    waited = disclosure.passes(people, WAITED, k)
    out = Shown(key, people, disclosure.merged(people, _OUTCOMES, k), disclosure.merged(people, _DURATIONS, k), waited)
    for number in numbers([out]):
        while number.less and out.tells(number) and disclosure.reveals(out.by_person(number).values(), k):
            out.stop_telling(number)
    return out


def numbers(cells: Iterable[Shown]) -> list[Number]:
    """Every number that some of the cells tell alike, apart from their runs: what several partitions tell is what they have in common."""
    cells = list(cells)
    return _numbers(*(closed({getattr(one, family) for one in cells}) for family in ("outcomes", "durations")))


def numbers_of_all(cells: Iterable[Shown]) -> list[Number]:
    """Every number that all of the cells tell alike, apart from their runs."""
    cells = list(cells)
    return _numbers(*(set(disclosure.common(*(getattr(one, family) for one in cells))) for family in ("outcomes", "durations")))


def _numbers(outcomes: set[Part], durations: set[Part]) -> list[Number]:
    unfinished = (UNFINISHED,)
    untimed = [part for part in durations if UNTIMED in part] if unfinished in outcomes else []
    found = (Number(WAITED), *map(Number, sorted({*outcomes, *durations})), *(Number(part, unfinished) for part in sorted(untimed)))
    return [number for number in found if not number.tells_all()]


def smallest(cells: Iterable[Shown]) -> Shown:
    """The cell that gives way first."""
    return min(cells, key=lambda one: (len(one.people), one.runs, one.key))


@lru_cache(maxsize=4096)
def told(part: Part, partition: Partition) -> bool:
    """Whether the sum of some columns can be worked out from a partition."""
    columns = set(part)
    return all(columns.issuperset(one) or columns.isdisjoint(one) for one in partition)


def coarser(partition: Partition, part: Part) -> Partition:
    """Merge the first two neighbours of which only one lies within some columns, so that their sum is told no more."""
    columns = set(part)
    inside = [columns.issuperset(one) for one in partition]
    there = next(place for place in range(1, len(partition)) if inside[place - 1] != inside[place])
    joined = tuple(sorted((*partition[there - 1], *partition[there])))
    return tuple(sorted([*partition[: there - 1], joined, *partition[there + 1 :]]))


def closed(partitions: set[Partition]) -> set[Part]:
    """The parts of some partitions, and of all that any of them have in common."""
    found = set(partitions)
    new = set(partitions)
    while new:
        new = {disclosure.common(one, other) for one in new for other in partitions} - found
        found |= new
    return {part for partition in found for part in partition}
