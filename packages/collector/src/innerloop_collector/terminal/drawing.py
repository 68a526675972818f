"""Where and how wide text is drawn. Colour only on a terminal that wants it; nothing depends on it."""

import io
import os
import shutil
import sys
from collections.abc import Collection, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table

_NARROWEST = 40
_BARS = "▁▂▃▄▅▆▇█"


def width() -> int:
    """Columns to use: the terminal's, or 80 where there is none."""
    return max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST)


def draw(*parts: RenderableType) -> str:
    """Render parts one below the other."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    buffer = io.StringIO()
    console = Console(file=buffer, width=width(), force_terminal=colour, no_color=not colour, highlight=False, emoji=False, markup=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().splitlines())


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], empty: str, *, right: Collection[str] = ()) -> str:
    """A table of text, or a sentence where there is nothing. `right`: the columns whose numbers stand below each other."""
    if not rows:
        return empty
    shown = Table(box=SIMPLE_HEAD if any(titles) else None, show_header=any(titles), pad_edge=False)
    for title in titles:
        shown.add_column(title, overflow="fold", justify="right" if title in right else "left")
    for row in rows:
        shown.add_row(*row)
    return draw(shown)


def aligned(intervals: Sequence[str]) -> list[str]:
    """The intervals of a column, such as `+9 to +26`, with their ends below each other."""
    ends = [one.partition(" to ") for one in intervals]
    low = max((len(start) for start, to, _ in ends if to), default=0)
    high = max((len(end) for _, to, end in ends if to), default=0)
    return [f"{start:>{low}} to {end:>{high}}" if to else start for start, to, end in ends]


def fitting(rows: Sequence[dict[str, str]], optional: Sequence[str]) -> list[str]:
    """The titles of the columns for which there is room. `optional`: those that go where there is none, the first first."""
    kept = list(rows[0]) if rows else []
    for title in optional:
        if sum(max(len(one), *(len(row[one]) for row in rows)) + 3 for one in kept) - 1 > width():
            kept.remove(title)
    return kept


def sparkline(values: Sequence[float | None]) -> str:
    """One bar for each value, from nothing up to the largest; a dot where there is none."""
    largest = max((value for value in values if value is not None), default=0) or 1
    return "".join("." if value is None else _BARS[min(int(8 * value / largest), 7)] for value in values)
