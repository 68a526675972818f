"""Sums of a few cells, less a few others, of several breakdowns of who people are: those of one system and of another, less those of a version.

A person mostly is in one cell of such a breakdown with all their runs. People who are in the same cells are in every mixture alike: they are of one
kind. A mixture tells of somebody where hardly anybody else is in it, so nearly all have to cancel out, and most mixtures are seen not to by their sums.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.shown import ALL, WHOLE, Key, Number, Shown, numbers, smallest

WHO = ("os", "arch", "version", "cohort")  # breakdowns by what people are rather than by what they do
_LEAST, _MOST = 3, 4  # cells in one mixture
_DIGITS = 6

Cells = Sequence[Shown]


class _Mixture(NamedTuple):
    chosen: int  # items, as bits
    items: tuple[tuple[int, int], ...]  # with their signs
    most: int  # how often somebody's runs can be in it


class _Kind(NamedTuple):
    """People of one kind, and what they add to a number: each of the largest, and all together."""

    parts: tuple[float, ...]  # of their runs, in each item
    largest: tuple[float, ...]
    all: float


class Mixtures:
    """All mixtures of some cells, each of which may be a sum over weeks."""

    def __init__(self, cells: Mapping[Key, Cells], wholes: Cells) -> None:
        self._items: list[Cells] = [wholes, *(found for key, found in cells.items() if key[0] in WHO)]
        self.cells = [one for cells in self._items for one in cells]
        self._mixtures = _mixtures((WHOLE[0], *(key[0] for key in cells if key[0] in WHO)))
        self._kinds = self._by_kind() if self._mixtures else {}

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
        if sum(told) < _LEAST:
            return None
        free = [[one for one in cells if one not in fixed] for cells in self._items]
        silent = sum(1 << place for place, one in enumerate(told) if not one)
        sums = [sum(_sum(cells, number).values()) if tells else 0.0 for cells, tells in zip(self._items, told, strict=True)]
        kinds = self._adding(number)
        limit = (disclosure.LARGEST + disclosure.PROTECTED) * max((one.largest[0] for one in kinds), default=0.0)
        for chosen, items, most in self._mixtures:
            if not chosen & silent and abs(sum([sign * sums[place] for place, sign in items])) < most * limit:
                cells = [cell for place, _ in items for cell in free[place]]
                if cells and _singles_out(items, kinds, most * limit):
                    return smallest(cells)
        return None

    def _adding(self, number: Number) -> list[_Kind]:
        """The kinds, the largest first."""
        amounts = _sum(self._items[0], number)
        values = ((parts, sorted((amounts.get(person, 0.0) for person in people), reverse=True)) for parts, people in self._kinds.items())
        return sorted((_Kind(parts, tuple(one[: disclosure.LARGEST]), sum(one)) for parts, one in values), key=lambda one: -one.all)

    def _by_kind(self) -> dict[tuple[float, ...], list[int]]:
        """People by how much of their runs is in each item."""
        amounts = [_sum(cells, Number(ALL)) for cells in self._items]
        out: dict[tuple[float, ...], list[int]] = {}
        for person, runs in amounts[0].items():
            out.setdefault(tuple(round(one.get(person, 0.0) / runs, _DIGITS) for one in amounts), []).append(person)
        return out


@lru_cache(maxsize=64)
def _mixtures(breakdowns: tuple[str, ...]) -> list[_Mixture]:
    """Every mixture of items of more than one breakdown; the whole is of none."""
    return [
        _Mixture(sum(1 << place for place in chosen), tuple(zip(chosen, signs, strict=True)), max(signs.count(1), signs.count(-1)))
        for size in range(_LEAST, _MOST + 1)
        for chosen in combinations(range(len(breakdowns)), size)
        if len({breakdowns[place] for place in chosen} - {WHOLE[0]}) > 1
        for signs in product((1,), *[(1, -1)] * (size - 1))
    ]


def _singles_out(items: Sequence[tuple[int, int]], kinds: Sequence[_Kind], limit: float) -> bool:
    """As `separates`, of the people who are in a mixture. Where all of them add more than a limit, it does not."""
    largest: list[float] = []
    everybody = 0.0
    for kind in kinds:
        part = abs(sum([sign * kind.parts[place] for place, sign in items]))
        if part > 10**-_DIGITS:
            everybody += part * kind.all
            if everybody >= limit:
                return False
            largest += [part * one for one in kind.largest]
    largest.sort(reverse=True)
    return bool(largest) and everybody - sum(largest[: disclosure.LARGEST]) < disclosure.PROTECTED * largest[0]


def _sum(cells: Cells, number: Number) -> dict[int, float]:
    """What each person adds, whether or not it is told."""
    out: dict[int, float] = {}
    for one in cells:
        for person, amount in one.by_person(number).items():
            out[person] = out.get(person, 0.0) + amount
    return out
