"""What can be worked out from published numbers: sums of some of them, less others. Where that says too much of somebody, a cell gives way."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from innerloop_collector.query.releases.shown import ALL, Number, Shown, numbers, numbers_of_all

_NOTHING = 1e-6  # rounding errors of the subtraction


@dataclass(slots=True)
class Comparison:
    """Published cells, and others that are taken away from them."""

    cells: Sequence[Shown]
    without: Sequence[Shown]
    singles_out: Callable[[Iterable[float], int], bool]  # by what each person adds to the difference
    together: bool = False  # whether nothing can be told where one of them does not tell a number

    def difference(self, number: Number) -> list[float]:
        """What each person adds to what is left of a number, by the cells that tell it. Less than nothing says as much as more."""
        left: dict[int, float] = {}
        for sign, cells in ((1, self.cells), (-1, self.without)):
            for one in cells:
                for person, amount in one.by_person(number).items() if one.tells(number) else ():
                    left[person] = left.get(person, 0.0) + sign * amount
        return [abs(amount) for amount in left.values() if abs(amount) > _NOTHING]

    def giving_way(self, number: Number, fixed: Collection[Shown], k: int) -> Shown | None:
        """The smallest cell that must not tell a number. None: what is left says nothing of anybody."""
        telling = [one for one in (*self.cells, *self.without) if one.tells(number)]
        free = [one for one in telling if one not in fixed]
        if not free or (self.together and len(telling) < len(self.cells) + len(self.without)):
            return None
        return min(free, key=lambda one: (len(one.people), one.runs, one.key)) if self.singles_out(self.difference(number), k) else None

    def numbers(self) -> list[Number]:
        """Each number that there may be to tell, apart from the runs."""
        return (numbers_of_all if self.together else numbers)([*self.cells, *self.without])


def protect(comparisons: Sequence[Comparison], fixed: Collection[Shown], k: int) -> list[Shown]:
    """Let cells give way until no comparison says too much. Returns those that are not to be shown at all. `fixed` cannot give way."""
    gone: list[Shown] = []
    again = list(comparisons)
    while again:
        changed = {cell for one in again for cell in _given_way(one, fixed, k, gone)}
        again = [one for one in comparisons if not changed.isdisjoint((*one.cells, *one.without))]
    return gone


def _given_way(comparison: Comparison, fixed: Collection[Shown], k: int, gone: list[Shown]) -> list[Shown]:
    """Let cells give way in a comparison. Returns those that did."""
    changed: list[Shown] = []
    while not (comparison.together and any(one in gone for one in (*comparison.cells, *comparison.without))):
        comparison.without = [one for one in comparison.without if one not in gone]
        cell = comparison.giving_way(Number(ALL), fixed, k)
        if cell is None:
            return changed + [cell for number in comparison.numbers() for cell in _telling_less(comparison, number, fixed, k)]
        gone.append(cell)
        changed.append(cell)
    return changed


def _telling_less(comparison: Comparison, number: Number, fixed: Collection[Shown], k: int) -> Iterator[Shown]:
    while (cell := comparison.giving_way(number, fixed, k)) is not None:
        cell.stop_telling(number)
        yield cell
