"""A figure: one table of published numbers, and how it is drawn.

The table is the figure. The chart reads the table's own cells in the browser, and CSV and JSON are the same rows, so that none of them can say what
the others do not. A cell is made of a value that was published, of a name or of a day, and of nothing else.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from innerloop_collector.dashboard import words
from innerloop_collector.query import Count, Milliseconds, Minutes, People, Rate, RateRange, Spread, Time, Waited
from innerloop_collector.reports.spreadsheet import harmless

Machine = str | int | float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place: text for people, values for programs."""

    text: str
    values: tuple[Machine, ...]  # in the order of the column's fields
    detail: str = ""  # smaller, beside the text
    link: str = ""
    bar: float | None = None  # percent of the longest one
    interval: tuple[float, float | None, float] | None = None  # percent of the axis: from, about, to
    anchor: str = ""  # by which an address can point at it
    instant: str = ""  # the moment that it is, for a browser that tells it in its own time zone


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, and what programs call its values."""

    title: str
    fields: tuple[str, ...]
    numeric: bool = True
    bars: bool = False  # its cells are drawn, too
    mono: bool = False  # names of commands and targets


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Where a rule hides it, only the name is told."""

    cells: tuple[Cell, ...]
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """How a table is drawn: the fields that the browser reads from its cells."""

    y: str
    label: str
    unit: str  # "milliseconds", "minutes", "share", "times" or "count"; of a forest "percent" or "points"
    x: str = "first_day"
    low: str = ""
    high: str = ""
    second: str = ""
    second_label: str = ""
    scale: str = "linear"
    kind: str = "trend"  # over time, or "forest": an interval for each row
    rows: int = 0  # of a forest: so many are drawn

    @property
    def height(self) -> int:
        """Pixels that a forest takes, so that nothing moves when it is drawn."""
        return 34 + 46 * self.rows


@dataclass(frozen=True, slots=True)
class Mark:
    """Something dated that is marked on a chart, and named below it."""

    number: int
    title: str
    day: date
    link: str

    @property
    def said(self) -> str:
        """Its day in words."""
        return words.day(self.day)


@dataclass(frozen=True, slots=True)
class Figure:
    """A table with what is said about it."""

    id: str
    title: str
    subtitle: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    chart: Chart | None = None
    empty: str = "Nothing is published here yet."
    sort: str = ""  # the field by which it is sorted, where a reader may choose
    marks: tuple[Mark, ...] = ()
    explained: str = ""  # a sentence that says what the chart shows, for who does not see it

    @property
    def fields(self) -> tuple[str, ...]:
        """What programs call the values of a row."""
        return tuple(field for column in self.columns for field in column.fields)

    @property
    def has_numbers(self) -> bool:
        """Whether there is anything to draw."""
        field = self.chart.y if self.chart else ""
        return any(self.record(row).get(field) is not None for row in self.rows)

    def record(self, row: Row) -> dict[str, Machine]:
        """A row as programs read it. A hidden one has its name and the rule."""
        values = [value for cell in row.cells for value in cell.values]
        found = dict(zip(self.fields, values + [None] * (len(self.fields) - len(values)), strict=True))
        return {**found, "hidden": row.hidden} if any(one.hidden for one in self.rows) else found

    def sorted_by(self, field: str) -> "Figure":
        """The same figure in another order: the most first, names from a to z, and what is hidden or not told last."""
        place = self.fields.index(field)

        def key(row: Row) -> tuple[bool, Any]:
            values = [value for cell in row.cells for value in cell.values]
            value = values[place] if place < len(values) else None
            return value is None, value if isinstance(value, str) else -(value or 0)

        told, hidden = [row for row in self.rows if not row.hidden], [row for row in self.rows if row.hidden]
        return replace(self, rows=(*sorted(told, key=key), *hidden), sort=field)

    def csv(self, *, comment: str = "") -> str:
        """The table for a spreadsheet."""
        text = io.StringIO()
        if comment:
            text.write(f"# {comment}\n")
        writer = csv.writer(text, lineterminator="\n")
        records = [self.record(row) for row in self.rows]
        writer.writerow(list(records[0]) if records else self.fields)
        writer.writerows([[_safe(value) for value in record.values()] for record in records])
        return text.getvalue()

    def json(self) -> dict[str, Any]:
        """The table for a program."""
        return {"figure": self.id, "title": self.title, "measure": self.subtitle, "rows": [self.record(row) for row in self.rows]}


def _safe(value: Machine) -> Machine:
    return harmless(value) if isinstance(value, str) else value


def name(text: str, link: str = "", detail: str = "") -> Cell:
    """The name of a command, a target or another cell."""
    return Cell(text, (text,), detail, link)


def when(period: str, first: date, last: date) -> Cell:
    """A period."""
    return Cell(words.period(period, first, last), (period, first.isoformat(), last.isoformat()))


WHEN = ("period", "first_day", "last_day")


def count(of: Count | None) -> Cell:
    """How many."""
    return Cell(words.count(of), (of.value if of else None,))


def share(of: Rate | None) -> Cell:
    """A part of a whole."""
    return Cell(words.share(of), (of.value if of else None,))


def share_in(of: Rate | None, between: RateRange | None) -> Cell:
    """A part of a whole, and between what it lies."""
    low, high = (between.at_least.value, between.at_most.value) if between else (None, None)
    detail = f"({words.share_range(between)})" if of and between else ""
    return Cell(words.share(of), (of.value if of else None, low, high), detail)


def share_fields(name: str) -> tuple[str, str, str]:
    """What programs call a part of a whole, and between what it lies."""
    return name, f"{name}_at_least", f"{name}_at_most"


def waiting(of: Waited | None) -> Cell:
    """What was waited, between bounds."""
    if of is None:
        return Cell(words.ABSENT, (None, None, None))
    about, most = (one.value if one else None for one in (of.about, of.at_most))
    detail = f"({words.waiting_bounds(of)})" if of.about else ""
    return Cell(words.waiting(of), (about, of.at_least.value, most), detail)


def spread(of: Spread | None) -> Cell:
    """How many times as long, and between what that lies."""
    if of is None:
        return Cell(words.ABSENT, (None, None, None))
    about, most = (one.value if one else None for one in (of.about, of.at_most))
    return Cell(words.spread(of), (about, of.at_least.value, most), f"({words.spread_bounds(of)})" if of.about else "")


def spread_fields(name: str) -> tuple[str, str, str]:
    """What programs call it, and between what it lies."""
    return name, f"{name}_at_least", f"{name}_at_most"


def people(of: People | None) -> Cell:
    """How many developers, as a range."""
    low, high = of.value if of else (None, None)
    return Cell(words.people(of), (low, high))


def waited(of: Minutes | None) -> Cell:
    """A sum of waiting."""
    return Cell(words.waited(of), (of.value if of else None,))


def per_week(of: Minutes | None, weeks: int) -> Cell:
    """A sum of waiting over some weeks, by the week."""
    minutes = of.value / weeks if of else None
    return Cell(words.ABSENT if minutes is None else words.duration(minutes * 60_000), (None if minutes is None else round(minutes, 2),))


def time(of: Milliseconds | None) -> Cell:
    """A time that is told as one number."""
    return Cell(words.time(of), (of.value if of else None,))


def quantile(of: Time | None) -> Cell:
    """A quantile, with the published durations between which it lies."""
    if of is None:
        return Cell(words.ABSENT, (None, None, None))
    about, most = (one.value if one else None for one in (of.about, of.at_most))
    detail = f"({words.bounds(of)})" if words.is_wide(of) and about is not None else ""
    return Cell(words.quantile(of), (about, of.at_least.value, most), detail)


def quantile_fields(name: str) -> tuple[str, str, str]:
    """What programs call a quantile and its bounds."""
    return f"{name}_ms", f"{name}_at_least_ms", f"{name}_at_most_ms"


def untold(column: Column) -> Cell:
    """Nothing of a column may be told."""
    return Cell("not told", (None,) * len(column.fields))


def with_bars(cells: Sequence[Cell]) -> list[Cell]:
    """Cells of one column with bars, the longest of which is the largest."""
    most = max((_number(cell) for cell in cells), default=0)
    return [replace(cell, bar=round(100 * _number(cell) / most, 1) if most and cell.values[0] is not None else None) for cell in cells]


def _number(cell: Cell) -> float:
    value = cell.values[0]
    return float(value) if isinstance(value, int | float) else 0
