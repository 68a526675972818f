"""Draw a run's targets for a terminal: what happened, in a few lines, and a bar for each target on one time axis.

May import: the standard library, the plan's `clean`, targets, and this package.
"""

import textwrap
from typing import NamedTuple, Optional

from innerloop.plan.project import clean
from innerloop.targets import Log, path
from innerloop.targets.outcomes import STOPS
from innerloop.targets.tree import FAILED, IGNORED, RUNNING, STOPPED, UNKNOWN, Target
from innerloop.timeline import words
from innerloop.timeline.bars import Axis, Look
from innerloop.timeline.rows import Row, base, choose, directory, rows
from innerloop.timeline.runs import ENDED, FORGOTTEN, GOING_ON, INFERRED, KILLED, Known

CRITICAL = "*"
BECAUSE = "v"  # failed, but the cause stands below
MARKS = {FAILED: "!", IGNORED: "-", STOPPED: "x", UNKNOWN: "?", RUNNING: ">"}
MEANINGS = {
    "*": "critical path", "!": "failed", "v": "failed because of one below", "-": "error ignored", "x": "stopped", "?": "never ended", ">": "still running",
}  # fmt: skip
RED, YELLOW, FAINT, BOLD = "31", "33", "2", "1"


class Frame(NamedTuple):
    """What all rows of one drawing share."""

    log: Log
    look: Look
    axis: Axis
    ends: "list[int]"
    name: int  # columns of a target's name
    lanes: bool
    statuses: bool


def draw(run: Known, log: Log, look: Look, everything: bool) -> str:
    """The whole timeline."""
    head = [_fold(line, look) for line in (headline(run, log), *summary(run, log, look))]
    head[0] = look.paint(head[0], BOLD)
    if not log.targets:
        return "\n".join(head)
    height = sum(text.count("\n") + 1 for text in head)
    lanes = log.lanes if 1 < log.lanes <= max(look.height // 6, 2) else 0
    room = max(look.height - height - lanes - (1 if lanes else 0) - 7, 6)  # blank lines, axis, legend, what was left out, which run, prompt
    chosen = set(range(len(log.targets))) if everything or len(log.targets) <= 3 else choose(log, room)
    shown = rows(log, chosen)
    frame = _frame(run, log, look, shown)
    body = [_axis(frame), *(_row(frame, row) for row in shown)]
    if lanes:
        body += ["", *_lanes(frame)]
    return "\n".join([*head, "", *body, "", *_foot(frame, chosen)]).rstrip()


def headline(run: Known, log: Log) -> str:
    """What was typed and how it ended."""
    length = span(run, log)
    took = words.duration(length)
    if run.state == FORGOTTEN:
        return f"{run.name}: {took} from the first target to the last, how it ended is not known"
    if run.state == GOING_ON:
        return f"{run.name}: still running, so far {took}"
    if run.state == KILLED:
        return f"{run.name}: killed after {took} or more, so how it would have ended is not known"
    if run.status is None:
        guess = "it failed, as its targets tell" if log.first_failure is not None else "no target failed"
        return f"{run.name}: ended after {took}; its exit status could not be read, {guess}"
    inferred = " (exit status inferred)" if run.exit == INFERRED else ""
    if run.status in STOPS:
        number = -run.status if run.status < 0 else run.status - 128
        return f"{run.name}: stopped by {words.signal_name(number)} after {took}{inferred}"
    how = "failed with " if run.status > 0 else ""
    return (
        f"{run.name}: done in {took}{inferred}"
        if run.status == 0
        else f"{run.name}: {how}{words.ending(run.status)} after {took}{inferred}"
    )


def summary(run: Known, log: Log, look: Look) -> "list[str]":
    """How many targets there were, what the run had to wait for, and what failed first."""
    if not log.targets:
        return [nothing(run, log)]
    makes = f" in {len(log.makes)} makes" if len(log.makes) > 1 else ""
    side = f", up to {log.lanes} side by side" if log.lanes > 1 else ", one after the other"
    lines = [f"{words.count(len(log.targets), 'target')}{makes}{side if len(log.targets) > 1 else ''}. {_critical(log, look)}"]
    if log.first_failure is not None:
        lines.append(_failure(run, log, log.targets[log.first_failure]))
    elif run.state == ENDED and run.status not in (0, None, *STOPS):
        lines.append("No target failed: the run did for another reason, such as a missing rule.")
    if log.damaged:
        lines.append(f"{words.count(log.damaged, 'record')} of the target log could not be read.")
    if run.suspended:
        lines.append("The machine slept meanwhile; that is not counted.")
    return lines


def nothing(run: Known, log: Log) -> str:
    """Why there are no targets."""
    if log.problem or log.damaged:
        return f"Its target log tells nothing: {log.problem or words.count(log.damaged, 'record') + ' could not be read'}."
    if run.state == GOING_ON:
        return "No recipe ran so far."
    return "No recipe ran: nothing was to be done, or make ended before the first one."


def span(run: Known, log: Log) -> int:
    """How long the run took, as far as that is known (ns)."""
    seen = log.end_ns - origin(run, log) if log.targets else 0
    return max(seen, (run.duration_ms or 0) * 1_000_000)


def origin(run: Known, log: Log) -> int:
    """The moment that offsets count from: the run's start, or the first target's where the record is gone."""
    return run.awake_ns if run.awake_ns is not None and run.awake_ns <= log.start_ns else log.start_ns


def _critical(log: Log, look: Look) -> str:
    """The critical path in a sentence; of a target that ran makes, what it waited for in there."""
    parents = {make.parent for make in log.makes}
    names = [clean(log.targets[place].name) for place in log.critical if place not in parents]
    if len(log.targets) == 1:
        return ""
    if len(names) > 6:
        names = [*names[:3], look.gap, *names[-3:]]
    return f"Critical path {words.duration(log.critical_ns)}: " + " > ".join(words.cut(name, 40, look.gap) for name in names)


def _failure(run: Known, log: Log, one: Target) -> str:
    make = log.makes[one.make]
    where = "" if make.directory == base(log) else f" in {directory(log, make)}"
    others = sum(1 for other in log.targets if other.failed and other.cause is None) - 1
    more = f" ({words.count(others, 'more failure')} later)" if others else ""
    moment = words.duration((one.end_ns or one.start_ns) - origin(run, log))
    return f"First failure: {one.name}{where}, {words.ending(one.status)}, {moment} into the run{more}."


def _fold(line: str, look: Look) -> str:
    return textwrap.fill(clean(line), look.width, break_long_words=True, break_on_hyphens=False, max_lines=4, placeholder=" " + look.gap)


def _frame(run: Known, log: Log, look: Look, shown: "list[Row]") -> Frame:
    labels = [_label(log, row) for row in shown]
    name = max(min(max(map(words.cells, labels), default=0), look.width * 2 // 5), 6)
    statuses = any(row.target is not None and log.targets[row.target].status for row in shown)
    left = 3 + name + 1 + 8 + (5 if statuses else 0) + (3 if log.lanes > 1 else 0) + 2
    axis = Axis(origin(run, log), max(span(run, log), 1), max(look.width - left, 10), look.blocks)
    return Frame(log, look, axis, path.close(list(log.targets), log.end_ns), name, log.lanes > 1, statuses)


def _label(log: Log, row: Row) -> str:
    text = f"in {row.directory}" if row.target is None else log.targets[row.target].name
    return "  " * row.depth + clean(text)


def _axis(frame: Frame) -> str:
    text = f"   {'target':<{frame.name}} {'time':>8}"
    text += " exit".rjust(5) if frame.statuses else ""
    text += " ln" if frame.lanes else ""
    return frame.look.paint(f"{text}  {frame.axis.ticks()}", FAINT)


def _row(frame: Frame, row: Row) -> str:
    label = words.cut(_label(frame.log, row), frame.name, frame.look.gap)
    if row.target is None:
        return frame.look.paint(f"   {label}", FAINT)
    one, end = frame.log.targets[row.target], frame.ends[row.target]
    marks = (CRITICAL if _critical_mark(frame.log, one) else " ") + _mark(one)
    took = "" if one.outcome == UNKNOWN else words.duration(end - one.start_ns)
    text = f"{marks} {words.pad(label, frame.name)} {took:>8}"
    text += f" {_status(one.status):>4}" if frame.statuses else ""
    text += f" {'' if one.lane is None else one.lane + 1:>2}" if frame.lanes else ""
    colour = RED if one.outcome in (FAILED, UNKNOWN) else YELLOW if one.critical else ""
    return f"{text}  {frame.look.paint(_bar(frame, one, end), colour)}".rstrip()


def _mark(one: Target) -> str:
    return BECAUSE if one.cause is not None else MARKS.get(one.outcome, " ")


def _critical_mark(log: Log, one: Target) -> bool:
    """Of a single target the path is nothing to be told."""
    return one.critical and len(log.targets) > 1


def _bar(frame: Frame, one: Target, end: int) -> str:
    if one.end_ns is None:
        return frame.axis.line(one.start_ns, end, "\u2591" if frame.look.blocks else ".")
    if one.lane is None:  # it ran makes, whose targets stand below it
        return frame.axis.line(one.start_ns, end, "\u2500" if frame.look.blocks else "-")
    return frame.axis.bar(one.start_ns, end, "#" if one.critical else "=")


def _status(status: Optional[int]) -> str:
    if not status:
        return ""
    return str(status) if status > 0 else words.signal_name(-status).replace("SIG", "").replace("signal ", "s")[:4]


def _lanes(frame: Frame) -> "list[str]":
    """How full each lane was, so that one sees where targets waited for each other."""
    lines = []
    for lane in range(frame.log.lanes):
        mine = [(one.start_ns, frame.ends[place]) for place, one in enumerate(frame.log.targets) if one.lane == lane]
        busy = sum(end - start for start, end in mine) / frame.axis.length
        left = frame.look.width - frame.axis.columns - 2
        lines.append(f"   {f'lane {lane + 1}':<{frame.name}} {f'{busy:.0%} full':>{left - frame.name - 4}}  {frame.axis.load(mine)}")
    return lines


def _foot(frame: Frame, chosen: "set[int]") -> "list[str]":
    """What the marks mean, and what was left out."""
    seen = [frame.log.targets[place] for place in chosen]
    marks = {_mark(one) for one in seen} | {CRITICAL for one in seen if _critical_mark(frame.log, one)}
    marks_seen = [mark for mark in MEANINGS if mark in marks]
    legend = _fold("   ".join(f"{mark} {MEANINGS[mark]}" for mark in marks_seen), frame.look)
    lines = [frame.look.paint(legend, FAINT)] if legend else []
    left = [one.own_ns for place, one in enumerate(frame.log.targets) if place not in chosen]
    if left:
        lines.append(
            _fold(
                f"{words.count(len(left), 'more target')} took {words.duration(sum(left))} together: innerloop timeline --all", frame.look
            )
        )
    return lines
