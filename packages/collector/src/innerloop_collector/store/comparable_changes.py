"""Finds the changes that came at the same time to the same commands, without holding each against every other one."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from innerloop_collector.store.change_record import WEEKS_BEFORE, Cell, Change

_WEEK = timedelta(weeks=1)
_BEFORE = WEEKS_BEFORE * _WEEK
_ANYTHING = None  # in place of a name: whatever is named of a project
_Place = tuple[date, int]  # a day, and the number of the change that came on it


class ComparableChanges:
    """Changes that stand and are looked at, by what they affect and what they are compared with."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes
        self._longest = max((one.ends - one.day for one in changes), default=_WEEK)  # until the end of the last look
        self._affected = _by_cell((number, one.day, one.affected) for number, one in enumerate(changes))
        self._compared = _by_cell((number, one.day, one.compared) for number, one in enumerate(changes))

    def meeting(self, change: Change) -> Iterator[Change]:
        """Those that confound a change, or are confounded by it, in the order in which they were given. What it takes grows with what is found."""
        if change.is_annotation:
            return
        first, last = change.day - max(self._longest, _BEFORE) - _WEEK, max(change.ends, change.day + _BEFORE) + _WEEK
        near: set[int] = set()
        for cells, tables in ((change.affected, (self._affected, self._compared)), (change.compared, (self._affected,))):
            for cell in cells:
                for table in tables:
                    near.update(_between(table, cell, first, last))
        for number in sorted(near):
            other = self._changes[number]
            if (other.project, other.name) != (change.project, change.name) and change.meets(other):
                yield other


_Table = dict[tuple[str, str | None], list[_Place]]


def _by_cell(found: Iterable[tuple[int, date, tuple[Cell, ...]]]) -> _Table:
    """The days of changes, in order, by each cell that they name, and by project for whoever asks of everything there."""
    table: _Table = defaultdict(list)
    for number, day, cells in found:
        for key in {*cells, *((project, _ANYTHING) for project, _ in cells)}:
            table[key].append((day, number))
    for places in table.values():
        places.sort()
    return dict(table)


def _between(table: _Table, cell: Cell, first: date, last: date) -> Iterator[int]:
    project, name = cell
    for key in ((project, name), (project, "")) if name else ((project, _ANYTHING),):
        places = table.get(key, [])
        for _, number in places[bisect_left(places, (first, -1)) : bisect_right(places, (last, len(places)))]:
            yield number
