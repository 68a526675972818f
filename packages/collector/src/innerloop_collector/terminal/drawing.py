"""Where and how wide text is drawn. Colour only on a terminal that wants it; nothing depends on it."""

import io
import os
import shutil
import sys
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table

_NARROWEST = 40


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


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> str:
    """A table of text, or a sentence where there is nothing."""
    if not rows:
        return empty
    shown = Table(box=SIMPLE_HEAD if any(titles) else None, show_header=any(titles), pad_edge=False)
    for title in titles:
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    return draw(shown)
