"""Sums of a few cells, less a few others, of several breakdowns of who people are: those of one system and of another, less those of a version.

A person mostly is in one cell of such a breakdown with all their runs. People who are in the same cells are in every mixture alike: they are of one
kind.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.shown import ALL, WHOLE, Key, Number, Shown, numbers, smallest

WHO = ("os", "arch", "version", "cohort")  # breakdowns by what people are rather than by what they do
_LEAST, _MOST = 3, 4  # cells in one mixture
_DIGITS = 6

Cells = Sequence[Shown]


_Part = tuple[int, float]  # a kind that is in a mixture, with how much of their runs


class _Mixture(NamedTuple):
    chosen: int  # items, as bits
    items: tuple[int, ...]


class _Kind(NamedTuple):
    """What people of one kind add to a number: each of the largest, and all together."""

    largest: tuple[float, ...]
    all: float


class Mixtures:
    """All mixtures of some cells, each of which may be a sum over weeks."""

    def __init__(self, cells: Mapping[Key, Cells], wholes: Cells) -> None:
        self._items: list[Cells] = [wholes, *(found for key, found in cells.items() if key[0] in WHO)]
        self._breakdowns = [WHOLE[0], *(key[0] for key in cells if key[0] in WHO)]
        self.cells = [one for cells in self._items for one in cells]
        self._kinds: list[list[int]] = []
        self._mixtures: dict[tuple[_Part, ...], list[_Mixture]] = {}  # by the people who are in them
        for kinds, mixture in self._found():
            self._mixtures.setdefault(kinds, []).append(mixture)

    def give_way(self, fixed: Collection[Shown], k: int, gone: list[Shown]) -> list[Shown]:  # noqa: ARG002 - as every judge
        """Let cells give way until no mixture tells of anybody. Returns those that did; those that are not to be shown at all are `gone` too."""
        changed = []
        for number in (Number(ALL), *numbers(self.cells)) if self._mixtures else ():
            while (cell := self._giving_way(number, fixed, gone)) is not None:
                changed.append(cell)
                if number.part == ALL:
                    gone.append(cell)
                else:
                    cell.stop_telling(number)
        return changed

    def _giving_way(self, number: Number, fixed: Collection[Shown], gone: Collection[Shown]) -> Shown | None:
        """The smallest cell of a mixture that tells a number of somebody."""
        told = [all(one.tells(number) and one not in gone for one in cells) for cells in self._items]
        free = [[one for one in cells if one not in fixed] if tells else [] for cells, tells in zip(self._items, told, strict=True)]
        if sum(told) < _LEAST:
            return None
        silent = sum(1 << place for place, one in enumerate(told) if not one)
        kinds = self._adding(number)
        strong = _strong(kinds)
        for parts, mixtures in self._mixtures.items():
            telling = [one for one in mixtures if not one.chosen & silent and any(free[place] for place in one.items)]
            if telling and strong.isdisjoint(parts) and _singles_out(parts, kinds):
                return smallest(cell for place in telling[0].items for cell in free[place])
        return None

    def _adding(self, number: Number) -> list[_Kind]:
        amounts = _sum(self._items[0], number)
        values = (sorted((amounts.get(person, 0.0) for person in people), reverse=True) for people in self._kinds)
        return [_Kind(tuple(one[:3]), sum(one)) for one in values]

    def _found(self) -> Iterator[tuple[tuple[_Part, ...], _Mixture]]:
        if len(set(self._breakdowns)) < _LEAST:
            return
        kinds = self._by_kind()
        self._kinds = list(kinds.values())
        for size in range(_LEAST, _MOST + 1):
            for chosen in combinations(range(len(self._items)), size):
                if len({self._breakdowns[place] for place in chosen} - {WHOLE[0]}) > 1:
                    for signs in product((1, -1), repeat=size - 1):
                        parts = _parts(list(zip(chosen, (1, *signs), strict=True)), list(kinds))
                        if parts:
                            yield parts, _Mixture(sum(1 << place for place in chosen), chosen)

    def _by_kind(self) -> dict[tuple[float, ...], list[int]]:
        """People by how much of their runs is in each item."""
        amounts = [_sum(cells, Number(ALL)) for cells in self._items]
        out: dict[tuple[float, ...], list[int]] = {}
        for person, runs in amounts[0].items():
            out.setdefault(tuple(round(one.get(person, 0.0) / runs, _DIGITS) for one in amounts), []).append(person)
        return out


def _parts(signs: Sequence[tuple[int, int]], kinds: Sequence[tuple[float, ...]]) -> tuple[_Part, ...]:
    """Which kinds are in a mixture."""
    parts = (abs(sum(sign * kind[place] for place, sign in signs)) for kind in kinds)
    return tuple((place, round(part, _DIGITS)) for place, part in enumerate(parts) if part > 10**-_DIGITS)


def _strong(kinds: Sequence[_Kind]) -> set[_Part]:
    """The kinds of which there are enough: where they are in a mixture with all their runs, they hide whoever else is in it."""
    largest = max((one.largest[0] for one in kinds), default=0.0)
    return {(place, 1.0) for place, one in enumerate(kinds) if one.all - sum(one.largest) >= disclosure.PROTECTED * largest > 0}


def _singles_out(parts: Sequence[_Part], kinds: Sequence[_Kind]) -> bool:
    """As `separates`, of the people of some kinds."""
    largest = sorted((part * value for place, part in parts for value in kinds[place].largest), reverse=True)[:3]
    rest = sum(part * kinds[place].all for place, part in parts) - sum(largest)
    return rest < disclosure.PROTECTED * largest[0]


def _sum(cells: Cells, number: Number) -> dict[int, float]:
    """What each person adds, whether or not it is told."""
    out: dict[int, float] = {}
    for one in cells:
        for person, amount in one.by_person(number).items():
            out[person] = out.get(person, 0.0) + amount
    return out
