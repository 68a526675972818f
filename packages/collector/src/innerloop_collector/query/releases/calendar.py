"""When figures are published: ISO weeks in UTC, nested in blocks (4-4-5 weeks), quarters and years. Pure functions.

A week is closed two days after its end, a block together with its last week. A week and a block, once closed, are published once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from innerloop_collector.errors import UsageError

GRACE = timedelta(days=2)
_WEEK = timedelta(weeks=1)
_LENGTHS = (4, 4, 5)  # weeks of the three blocks of a quarter
_BLOCKS = 12
_NAME = re.compile(r"([0-9]{4})(?:-(W|B|Q)([0-9]{1,2}))?")
_YEARS = range(1970, 9001)  # in which periods have names: further on, days that are reckoned with are none of a calendar


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """What is published at once: a week, or what remains of a block."""

    name: str  # `2026-W48`, or `2026-B12`
    first: date  # a Monday
    end: date  # the Monday after its last week

    @property
    def is_block(self) -> bool:
        """Whether this is a block."""
        return "B" in self.name

    @property
    def weeks(self) -> tuple[date, ...]:
        """The Mondays of its weeks."""
        return tuple(self.first + _WEEK * number for number in range((self.end - self.first) // _WEEK))

    @property
    def due(self) -> date:
        """The day from which it is closed."""
        return self.end + GRACE


def week(monday: date) -> Unit:
    """The week that begins on a Monday."""
    year, number, _ = monday.isocalendar()
    return Unit(f"{year}-W{number:02d}", monday, monday + _WEEK)


def block_of(day: date) -> Unit:
    """The block in which a day lies. The last one of a year with 53 weeks has six."""
    year, number, _ = day.isocalendar()
    begins = 1
    for block in range(_BLOCKS):
        ends = begins + _LENGTHS[block % 3] if block + 1 < _BLOCKS else _weeks_in(year) + 1
        if number < ends:
            return Unit(f"{year}-B{block + 1:02d}", date.fromisocalendar(year, begins, 1), _monday(year, begins) + _WEEK * (ends - begins))
        begins = ends
    raise AssertionError("a year has no week after its last one")


def unit_named(name: str) -> Unit:
    """The week or block with a name. Raises UsageError for another name."""
    year, kind, number = _parts(name)
    if kind == "W" and 1 <= number <= _weeks_in(year):
        return week(_monday(year, number))
    return blocks_of(name)[0]


def in_time(unit: Unit) -> tuple[date, bool]:
    """What puts units in the order in which they are published."""
    return unit.end, unit.is_block


def blocks_of(name: str) -> tuple[Unit, ...]:
    """The blocks of a block, a quarter or a year by its name (`2026-B12`, `2026-Q4`, `2026`). Raises UsageError for another name."""
    year, kind, number = _parts(name)
    most = {None: 1, "Q": _BLOCKS // 3, "B": _BLOCKS}.get(kind, 0)
    if not 1 <= number <= most:
        raise _no_period(name)
    size = {None: _BLOCKS, "Q": 3, "B": 1}[kind]
    return tuple(_block(year, one) for one in range((number - 1) * size + 1, number * size + 1))


def _parts(name: str) -> tuple[int, str | None, int]:
    """The year, the letter and the number in a name. Raises UsageError for what no period is called."""
    found = _NAME.fullmatch(name)
    if not found or int(found[1]) not in _YEARS:
        raise _no_period(name)
    return int(found[1]), found[2], int(found[3] or 1)


def _no_period(name: str) -> UsageError:
    forms = "give a week, a block, a quarter or a year, such as 2026-W48, 2026-B12, 2026-Q4 or 2026"
    return UsageError(f"{name[:60]!r} is no period: {forms}, of a year from {_YEARS[0]} to {_YEARS[-1]}")


def closed(first: date, today: date) -> Iterator[Unit]:
    """Every unit from the week of a day on that is closed, in the order in which they are published: a block after its last week."""
    monday = first - timedelta(days=first.weekday())
    while week(monday).due <= today:
        yield week(monday)
        block = block_of(monday)
        if monday + _WEEK == block.end:
            yield block
        monday += _WEEK


def next_due(today: date) -> date:
    """The next day on which a week is published."""
    monday = today - timedelta(days=today.weekday())
    this_week = monday + GRACE
    return this_week if today < this_week else this_week + _WEEK


def next_block_due(today: date) -> date:
    """The next day on which a block is published."""
    return block_of(today - GRACE).due


def _block(year: int, number: int) -> Unit:
    begins = 1 + sum(_LENGTHS[block % 3] for block in range(number - 1))
    return block_of(_monday(year, begins))


def _monday(year: int, number: int) -> date:
    return date.fromisocalendar(year, number, 1)


def _weeks_in(year: int) -> int:
    return date(year, 12, 28).isocalendar().week
