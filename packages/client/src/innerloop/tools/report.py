"""`innerloop report`: the developer's own week, exact and complete, for nobody else."""

import os
import statistics
import time
from typing import Any, NamedTuple, Optional

from innerloop.core.consent import texts
from innerloop.core.consent.resolve import Context, resolve
from innerloop.core.outbound import seal
from innerloop.core.shared.terminal import line as one_line
from innerloop.core.shared.terminal import say
from innerloop.core.spool import history
from innerloop.tools.output import show, show_json
from innerloop.tools.timeline import runs, words

NAME, WIDTHS = 19, (5, 7, 8, 9, 9, 7, 7, 9)  # characters: 80 with the name's column
INTERRUPTED = (-2, -15, -1, 130, 143)  # SIGINT, SIGTERM, SIGHUP: not failures


class Line(NamedTuple):
    """One command in one span of time, and in the span before."""

    name: str
    runs: int
    failed: int
    interrupted: int
    waited_ms: int
    median_ms: Optional[float]
    runs_before: int
    failed_before: int
    waited_before_ms: int


def report(context: Context, as_json: bool, days: int = 7) -> int:
    """Print what I ran, what I waited for and what failed, compared with the time before."""
    state = resolve(context)
    spool = context.spool(state.key)
    if os.path.isdir(spool):
        seal.seal_finished(spool, state, context)
    now, span = time.time(), days * 86400
    past = [one for one in history.read(spool) if one.test == "no" or state.testing]
    lines = summarise([one for one in past if one.actor == "human"], now, span)
    others = [one for one in past if one.actor != "human" and now - span <= one.start <= now]
    mine = [one for one in past if one.actor == "human" and now - span <= one.start <= now]
    targets = runs.slowest(spool, os.path.dirname(state.path), mine)
    if as_json:
        document = {
            "project": state.project.id,
            "days": days,
            "commands": [line._asdict() for line in lines],
            "runs_of_others": len(others),
            "slowest_targets": [one._asdict() for one in targets],
        }
        show_json(document)
        return 0
    if not lines and not others:
        say(f"No run of {state.project.name} was recorded in the last {days} days. See: innerloop doctor")
        return 0
    show(f"{state.project.name}, your last {days} days (only you can see this)\n")
    if lines:
        show(f"{texts.fold(sentence(lines, days))}\n\n{table(lines, days)}")
    if targets:
        named = ", ".join(map(_slow, targets))
        show("\n" + texts.fold(f"Slowest targets: {named}. One run in detail: innerloop timeline"))
    if others:
        waited = _time(sum(one.duration_ms or 0 for one in others))
        show(f"\nNot in these figures: {len(others)} run{'s' if len(others) > 1 else ''} of coding agents or CI jobs, {waited}.")
    return 0


def _slow(one: runs.Slow) -> str:
    """A target with its own time, and its total where that is another."""
    own, total = (words.duration(number * 1e6) for number in (one.own_ms, one.total_ms))
    return f"{words.cut(one_line(one.name), 40, '...')} {own} own{'' if own == total else f', {total} total'} in {words.count(one.runs, 'run')}"


def summarise(past: "list[history.Entry]", now: float, span: float) -> "list[Line]":
    """Add up the last span (s) by command, the most waited for first."""
    recent = [one for one in past if now - span <= one.start <= now]
    before = [one for one in past if now - 2 * span <= one.start < now - span]
    kinds = dict.fromkeys((one.type, one.name) for one in recent)
    names = [name for _, name in kinds]
    lines = [_line(kind, name, names.count(name) > 1, recent, before) for kind, name in kinds]
    return sorted(lines, key=lambda line: (-line.waited_ms, line.name))


def _line(kind: str, name: str, ambiguous: bool, recent: "list[history.Entry]", before: "list[history.Entry]") -> Line:
    """One command's line. A goal of make that a command is called like is not that command."""
    mine, old = ([one for one in some if (one.type, one.name) == (kind, name)] for some in (recent, before))
    durations = [one.duration_ms for one in mine if one.duration_ms is not None]
    return Line(
        name=runs.title(kind, name) if ambiguous else name,
        runs=len(mine),
        failed=_failed(mine),
        interrupted=sum(1 for one in mine if one.status in INTERRUPTED),
        waited_ms=sum(durations),
        median_ms=statistics.median(durations) if durations else None,
        runs_before=len(old),
        failed_before=_failed(old),
        waited_before_ms=sum(one.duration_ms or 0 for one in old),
    )


def _failed(some: "list[history.Entry]") -> int:
    return sum(1 for one in some if one.status not in (0, None, *INTERRUPTED))


def sentence(lines: "list[Line]", days: int) -> str:
    """The span in a sentence or two."""
    waited, before, runs, failed = (
        sum(getattr(line, key) for line in lines) for key in ("waited_ms", "waited_before_ms", "runs", "failed")
    )
    old_runs, old_failed = (sum(getattr(line, key) for line in lines) for key in ("runs_before", "failed_before"))
    if not old_runs:
        return f"You waited {_time(waited)}; {failed} of {runs} runs failed. Nothing is known about the {days} days before."
    change = "as long as" if waited == before else f"{_time(abs(waited - before))} {'more' if waited > before else 'less'} than"
    return f"You waited {_time(waited)}, {change} in the {days} days before; {failed} of {runs} runs failed (before: {old_failed} of {old_runs})."


def table(lines: "list[Line]", days: int) -> str:
    """Lay the lines out in columns, with a total; the span before stands on the right."""
    rows: "list[tuple[Any, ...]]" = [("command", "runs", "failed", "stopped", "median", "waited", "runs", "failed", "waited")]
    keys = ("runs", "failed", "interrupted", "runs_before", "failed_before", "waited_ms", "waited_before_ms")
    totals = Line("total", median_ms=None, **{key: sum(getattr(line, key) for line in lines) for key in keys})
    for line in [*lines, totals]:
        now = (line.runs, line.failed, line.interrupted, _time(line.median_ms) if line is not totals else "", _time(line.waited_ms))
        rows.append((one_line(line.name)[:NAME], *now, line.runs_before, line.failed_before, _time(line.waited_before_ms)))
    width = max(len(str(row[0])) for row in rows)
    left = width + sum(WIDTHS[:5])
    head = f"{'':<{width}}{f'last {days} days':>{left - width}}{f'{days} days before':>{sum(WIDTHS[5:])}}"
    return "\n".join(
        [head, *(f"{row[0]:<{width}}" + "".join(f"{cell!s:>{space}}" for cell, space in zip(row[1:], WIDTHS)) for row in rows)]
    )


def _time(milliseconds: Optional[float]) -> str:
    """A duration for a person."""
    if not milliseconds:
        return "-"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{milliseconds:.0f} ms"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
