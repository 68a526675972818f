"""`innerloop report`: the developer's own week, exact and complete, for nobody else."""

import argparse
import os
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from innerloop.core.consent import phrases
from innerloop.core.consent.resolve import Context, resolve
from innerloop.core.outbound import seal
from innerloop.core.plan.names_table import STARTUP_MS
from innerloop.core.plan.project import Project
from innerloop.core.shared.terminal import Failure, say
from innerloop.core.shared.terminal import line as one_line
from innerloop.core.spool import history
from innerloop.tools import own_week
from innerloop.tools.output import show, show_json
from innerloop.tools.own_week import Line, Week
from innerloop.tools.timeline import runs, words

NAME, WIDTHS = 19, (5, 7, 8, 9, 9, 7, 7, 9)  # characters: 80 with the name's column


class Span(NamedTuple):
    """What time a report is of."""

    seconds: float
    title: str
    before: str  # the time before it, as long


def report(context: Context, given: argparse.Namespace) -> int:
    """Print what I ran, what I waited for and what failed: compared with the time before, or week by week."""
    state = resolve(context)
    spool = context.spool(state.key)
    if os.path.isdir(spool):
        seal.seal_finished(spool, state, context)
    past = [one for one in history.read(spool) if one.test == "no" or state.testing]
    if given.weeks:
        return _weeks(state.project, [one for one in past if one.actor == "human"], context.now(), given.weeks, given.json)
    now, span, marks = context.now(), _span(given, context.now()), state.project.marks
    week = own_week.week([one for one in past if one.actor == "human"], marks, now, span.seconds)
    others = [one for one in past if one.actor != "human" and now - span.seconds <= one.start <= now]
    mine = [one for one in past if one.actor == "human" and now - span.seconds <= one.start <= now and not own_week.is_session(one, marks)]
    targets = runs.slowest(spool, os.path.dirname(state.path), mine)
    if given.json:
        document = {
            "project": state.project.id,
            **({"since": given.since.isoformat()} if given.since else {"days": given.days}),
            "commands": [line._asdict() for line in week.commands],
            "checks": [line.name for line in week.checks],
            "sessions": [one._asdict() for one in week.sessions],
            "session_candidates": [one._asdict() for one in week.candidates],
            "runs_of_others": len(others),
            "slowest_targets": [one._asdict() for one in targets],
        }
        show_json(document)
        return 0
    if not week.commands and not week.sessions and not others:
        say(f"No run of {state.project.name} was recorded in the {span.title}. See: innerloop doctor")
        return 0
    show(f"{state.project.name}, your {span.title} (only you can see this)\n")
    if week.commands:
        show(f"{phrases.fold(sentence(week, span, bool(marks.checks)))}\n\n{table(week, span)}")
    for said in (*_used(week), *_candidates(week)):
        show("\n" + phrases.fold(said))
    if targets:
        named = ", ".join(map(_slow, targets))
        show("\n" + phrases.fold(f"Slowest targets: {named}. One run in detail: innerloop timeline"))
    if others:
        waited = _time(sum(one.duration_ms or 0 for one in others))
        show(f"\nNot in these figures: {len(others)} run{'s' if len(others) > 1 else ''} of coding agents or CI jobs, {waited}.")
    return 0


def _span(given: argparse.Namespace, now: float) -> Span:
    """What was asked for. Raises Failure."""
    if not given.since:
        return Span(given.days * 86400, f"last {given.days} days", f"{given.days} days before")
    began = own_week.midnight(given.since)
    if not now - history.KEEP <= began <= now:
        raise Failure(f"{given.since} is no day of the last {history.KEEP // 86400} days, which is how long the history is kept")
    return Span(now - began, f"days since {given.since.day} {given.since:%b %Y}", "days before")


def _weeks(project: Project, past: "list[history.Entry]", now: float, weeks: int, as_json: bool) -> int:
    """Print the last weeks, one by one."""
    some = own_week.by_week(past, project.marks, now, weeks)
    if as_json:
        show_json({"project": project.id, "weeks": [{"week_of": one.monday.isoformat(), **_rest(one)} for one in some]})
        return 0
    if not some:
        say(f"No run of {project.name} was recorded in the last {weeks} weeks. See: innerloop doctor")
        return 0
    heads = ("checks", "failed", "others", "failed") if project.marks.checks else ("runs", "failed")
    lines = [f"{'week of':<18}" + "".join(f"{one:>8}" for one in (*heads, "stopped", "median", "waited"))]
    for one in some:
        label = f"{one.monday.day} {one.monday:%b %Y}" + (" (now)" if one is some[-1] else "")
        kinds = (one.checks, one.checks_failed) if project.marks.checks else ()
        cells = (*kinds, one.others, one.others_failed, one.interrupted, _time(one.median_ms), _time(one.waited_ms))
        lines.append(f"{label:<18}" + "".join(f"{cell!s:>8}" for cell in cells))
    show(f"{project.name}, your last weeks (only you can see this)\n\n" + "\n".join(lines))
    return 0


def _rest(one: own_week.Total) -> "dict[str, Any]":
    return {key: value for key, value in one._asdict().items() if key != "monday"}


def _slow(one: runs.Slow) -> str:
    """A target with its own time, and its total where that is another."""
    own, total = (words.duration(number * 1e6) for number in (one.own_ms, one.total_ms))
    return f"{words.cut(one_line(one.name), 40, '...')} {own} own{'' if own == total else f', {total} total'} in {words.count(one.runs, 'run')}"


def _used(week: Week) -> "Iterator[str]":
    """What was used and not waited for."""
    if week.sessions:
        named = ", ".join(
            f"{words.cut(one_line(one.name), 40, '...')} {words.count(one.runs, 'run')}{f' ({one.not_started} failed to start)' if one.not_started else ''}"
            for one in week.sessions
        )
        yield f"Used, not waited for: {named}. A session fails to start if it ends by itself, with an error, within {STARTUP_MS // 1000} s."


def _candidates(week: Week) -> "Iterator[str]":
    """What looks like a session, and is not said to be one."""
    for one in week.candidates:
        name = words.cut(one_line(one.name), 40, "...")
        ended = f"{one.stopped} of {one.runs} runs were stopped, after {_time(one.after_ms)} (median)"
        yield f"{name}: a session? {ended}. `sessions` in innerloop.toml says that it is used, not waited for."


def sentence(week: Week, span: Span, checked: bool) -> str:
    """The span in a sentence or two. Where the project says which commands are checks (`checked`), there are two rates of failure."""
    lines = week.commands
    waited, before, old_runs = (sum(getattr(line, key) for line in lines) for key in ("waited_ms", "waited_before_ms", "runs_before"))
    rates = (
        [_rate(week.checks, "checks", old_runs), _rate(week.others, "other runs", old_runs)]
        if checked
        else [_rate(lines, "runs", old_runs)]
    )
    if not old_runs:
        return f"You waited {_time(waited)}; {' and '.join(rates)}. Nothing is known about the {span.before}."
    change = "as long as" if waited == before else f"{_time(abs(waited - before))} {'more' if waited > before else 'less'} than"
    return f"You waited {_time(waited)}, {change} in the {span.before}; {' and '.join(rates)}."


def _rate(lines: "list[Line]", what: str, compared: bool) -> str:
    failed, all_runs, old_failed, old_runs = (
        sum(getattr(line, key) for line in lines) for key in ("failed", "runs", "failed_before", "runs_before")
    )
    return f"{failed} of {all_runs} {what} failed" + (f" (before: {old_failed} of {old_runs})" if compared else "")


def table(week: Week, span: Span) -> str:
    """Lay the lines out in columns, with a total, or one of the checks and one of the others; the span before stands on the right."""
    rows: "list[tuple[Any, ...]]" = [("command", "runs", "failed", "stopped", "median", "waited", "runs", "failed", "waited")]
    keys = ("runs", "failed", "interrupted", "runs_before", "failed_before", "waited_ms", "waited_before_ms")
    sums = {"total": week.others} if not week.checks else {"all checks": week.checks, "all others": week.others}
    totals = [
        Line(title, median_ms=None, **{key: sum(getattr(line, key) for line in some) for key in keys}) for title, some in sums.items()
    ]
    medians = [*(_time(line.median_ms) for line in week.commands), *("" for _ in totals)]
    for line, median in zip([*week.commands, *totals], medians):
        now = (line.runs, line.failed, line.interrupted, median, _time(line.waited_ms))
        rows.append((one_line(line.name)[:NAME], *now, line.runs_before, line.failed_before, _time(line.waited_before_ms)))
    width = max(len(str(row[0])) for row in rows)
    left = width + sum(WIDTHS[:5])
    head = f"{'':<{width}}{span.title:>{left - width}}{span.before:>{sum(WIDTHS[5:])}}"
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
