"""What can be worked out from published numbers: sums of some of them, less others. Where that says too much of somebody, a cell gives way."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.shown import ALL, Number, Shown, numbers, numbers_of_all, smallest

_NOTHING = 1e-6  # rounding errors of the subtraction


class Judge(Protocol):
    """What looks at some cells together."""

    @property
    def cells(self) -> Sequence[Shown]:
        """Those that it looks at."""

    def give_way(self, fixed: Collection[Shown], k: int, gone: list[Shown]) -> list[Shown]:
        """Let cells give way until nothing says too much. Returns those that did; those that are not to be shown at all are `gone` too."""


def protect(judges: Sequence[Judge], fixed: Collection[Shown], k: int) -> list[Shown]:
    """Let cells give way until no judge objects. Returns those that are not to be shown at all. `fixed` cannot give way."""
    gone: list[Shown] = []
    again = list(judges)
    while again:
        changed = {cell for one in again for cell in one.give_way(fixed, k, gone)}
        again = [one for one in judges if not changed.isdisjoint(one.cells)]
    return gone


@dataclass(slots=True)
class Comparison:
    """Published cells, and others that are taken away from them."""

    plus: Sequence[Shown]
    minus: Sequence[Shown]
    singles_out: Callable[[Iterable[float], int], bool]  # by what each person adds to the difference
    together: bool = False  # whether nothing can be told where one of them does not tell a number; then it `separates`

    @property
    def cells(self) -> Sequence[Shown]:
        """All of them."""
        return (*self.plus, *self.minus)

    def give_way(self, fixed: Collection[Shown], k: int, gone: list[Shown]) -> list[Shown]:
        """Let the smallest cell give way until what is left says nothing of anybody."""
        changed: list[Shown] = []
        while not (self.together and any(one in gone for one in self.cells)):
            self.minus = [one for one in self.minus if one not in gone]
            cell = self._giving_way(Number(ALL), fixed, k)
            if cell is None:
                told = (numbers_of_all if self.together else numbers)(self.cells)
                return changed + [cell for number in told for cell in self._telling_less(number, fixed, k)]
            gone.append(cell)
            changed.append(cell)
        return changed

    def _telling_less(self, number: Number, fixed: Collection[Shown], k: int) -> Iterator[Shown]:
        while (cell := self._giving_way(number, fixed, k)) is not None:
            cell.stop_telling(number)
            yield cell

    def _giving_way(self, number: Number, fixed: Collection[Shown], k: int) -> Shown | None:
        telling = [one for one in self.cells if one.tells(number)]
        free = [one for one in telling if one not in fixed]
        if not free or (self.together and len(telling) < len(self.cells)):
            return None
        if self.together and self._far_apart(number):
            return None
        return smallest(free) if self.singles_out(self._left(number), k) else None

    def _far_apart(self, number: Number) -> bool:
        """Whether so much is left that it is more than a few people's, whoever they are: nothing needs to be taken away person by person."""
        plus, minus = ([one.size(number) for one in cells] for cells in (self.plus, self.minus))
        left = sum(size for size, _ in plus) - sum(size for size, _ in minus)
        largest = max(sum(most for _, most in plus), sum(most for _, most in minus))
        return abs(left) >= (disclosure.LARGEST + disclosure.PROTECTED) * largest + _NOTHING

    def _left(self, number: Number) -> list[float]:
        """What each person adds to what is left of a number, by the cells that tell it. Less than nothing says as much as more."""
        left: dict[int, float] = {}
        for sign, cells in ((1, self.plus), (-1, self.minus)):
            for one in cells:
                for person, amount in one.by_person(number).items() if one.tells(number) else ():
                    left[person] = left.get(person, 0.0) + sign * amount
        return [abs(amount) for amount in left.values() if abs(amount) > _NOTHING]
