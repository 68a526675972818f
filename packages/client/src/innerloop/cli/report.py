"""`innerloop report`: the developer's own week, exact and complete, for nobody else.

May import: consent, the spool, and this package.
"""

import json
import os
import statistics
import time
from typing import Any, NamedTuple, Optional

from innerloop.cli.terminal import say
from innerloop.consent.resolve import State, resolve
from innerloop.spool import history, seal

WEEK = 7 * 86400  # s
INTERRUPTED = (-2, -15, -1, 130, 143)  # SIGINT, SIGTERM, SIGHUP: not failures


class Line(NamedTuple):
    """One command in one week."""

    name: str
    runs: int
    failed: int
    interrupted: int
    waited_ms: int
    median_ms: Optional[float]
    waited_before_ms: int  # in the week before


def report(here: State, as_json: bool, days: int = 7) -> int:
    """Print what I ran, waited for and what failed, compared with the time before."""
    state = resolve(here)
    spool = here.spool(state.key)
    if os.path.isdir(spool):
        seal.seal_finished(spool, state)
    now = time.time()
    past = [one for one in history.read(spool) if one.test == "no" or state.testing]
    lines = summarise(past, now, days * 86400)
    if as_json:
        print(json.dumps({"project": state.project.id, "days": days, "commands": [line._asdict() for line in lines]}, indent=2))
        return 0
    if not lines:
        say(f"No run of {state.project.name} was recorded in the last {days} days. See: innerloop doctor")
        return 0
    print(f"{state.project.name}, your last {days} days (only you can see this)\n")
    print(table(lines))
    return 0


def summarise(past: "list[history.Entry]", now: float, span: float) -> "list[Line]":
    """Add up the last span (s) by command, the most waited for first."""
    recent = [one for one in past if now - span <= one.start <= now]
    before = [one for one in past if now - 2 * span <= one.start < now - span]
    lines = [_line(name, recent, before) for name in dict.fromkeys(one.name for one in recent)]
    return sorted(lines, key=lambda line: (-line.waited_ms, line.name))


def _line(name: str, recent: "list[history.Entry]", before: "list[history.Entry]") -> Line:
    mine = [one for one in recent if one.name == name]
    durations = [one.duration_ms for one in mine if one.duration_ms is not None]
    return Line(
        name=name,
        runs=len(mine),
        failed=sum(1 for one in mine if one.status not in (0, None, *INTERRUPTED)),
        interrupted=sum(1 for one in mine if one.status in INTERRUPTED),
        waited_ms=sum(durations),
        median_ms=statistics.median(durations) if durations else None,
        waited_before_ms=sum(one.duration_ms or 0 for one in before if one.name == name),
    )


def table(lines: "list[Line]") -> str:
    """Lay the lines out in columns, with a total."""
    rows: "list[tuple[Any, ...]]" = [("command", "runs", "failed", "stopped", "median", "waited", "before")]
    for line in lines:
        rows.append(
            (
                line.name[:32],
                line.runs,
                line.failed,
                line.interrupted,
                _time(line.median_ms),
                _time(line.waited_ms),
                _time(line.waited_before_ms),
            )
        )
    total = ("total", *(sum(getattr(line, key) for line in lines) for key in ("runs", "failed", "interrupted")), "")
    rows.append((*total, _time(sum(line.waited_ms for line in lines)), _time(sum(line.waited_before_ms for line in lines))))
    width = max(len(str(row[0])) for row in rows)
    return "\n".join(f"{row[0]:<{width}}" + "".join(f"{cell!s:>9}" for cell in row[1:]) for row in rows)


def _time(milliseconds: Optional[float]) -> str:
    """A duration for a person."""
    if not milliseconds:
        return "-"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{milliseconds:.0f} ms"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
