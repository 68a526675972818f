"""Durations, ends and widths in a person's words."""

import signal
import textwrap
import unicodedata
from typing import Optional

from innerloop.core.shared.printable import clean


def duration(nanoseconds: float) -> str:
    """A duration in at most eight characters."""
    seconds = nanoseconds / 1e9
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes = round(seconds / 60, 1)
    return f"{minutes:.1f} min" if minutes < 600 else f"{minutes / 60:.1f} h"


def signal_name(number: int) -> str:
    """A signal's name, or its number where this system has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ending(status: Optional[int]) -> str:
    """How a process ended."""
    if status is None:
        return "exit status unknown"
    return f"killed by {signal_name(-status)}" if status < 0 else f"exit status {status}"


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def cut(text: str, width: int, gap: str) -> str:
    """Cut a text's middle out until it fits into columns: names are told apart by how they begin and how they end."""
    if cells(text) <= width:
        return text
    head, tail = text[: width // 3], text[len(text) - width + width // 3 + len(gap) :]
    while cells(head) + len(gap) + cells(tail) > width:
        head, tail = (head, tail[1:]) if len(tail) >= len(head) else (head[:-1], tail)
    return head + gap + tail


def pad(text: str, width: int) -> str:
    """Fill a text up with blanks."""
    return text + " " * (width - cells(text))


def fold(text: str, width: int, gap: str, mark: str = "") -> str:
    """A text in lines of a width, four at most; `mark` stands before the first one, and the others are indented by as much."""
    return textwrap.fill(
        clean(text),
        width,
        max_lines=4,
        placeholder=" " + gap,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_on_hyphens=False,
    )


def count(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
