"""Draw a run's targets for a terminal: what happened, in a few lines, and a bar for each target on one time axis."""

from collections.abc import Sequence
from typing import NamedTuple, Optional

from innerloop.core.shared.printable import clean
from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import FAILED, IGNORED, RUNNING, STOPPED, UNKNOWN, Target
from innerloop.tools.timeline import opening, words
from innerloop.tools.timeline.bars import Axis, Look
from innerloop.tools.timeline.rows import Row, choose, rows
from innerloop.tools.timeline.runs import Known

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
    owns: bool  # whether a target's own time is another than its total


def draw(run: Known, log: Log, look: Look, everything: bool, said: "Sequence[str]" = ()) -> str:
    """The whole timeline. `said` is what explains it, the most useful first: unless everything is wanted, as much as fits."""
    head = [words.fold(line, look.width, look.gap) for line in (opening.headline(run, log), *opening.summary(run, log, look))]
    head[0] = look.paint(head[0], BOLD)
    if not log.targets:
        return "\n".join(head)
    why = _why(said, look, everything)
    height = sum(text.count("\n") + 1 for text in (*head, *why))
    lanes = log.lanes if 1 < log.lanes <= max(look.height // 6, 2) else 0
    room = max(look.height - height - lanes - (2 if lanes else 0) - 7, 6)  # blank lines, axis, legend, what was left out, which run, prompt
    chosen = set(range(len(log.targets))) if everything or len(log.targets) <= 3 else choose(log, room)
    shown = rows(log, chosen)
    frame = _frame(run, log, look, shown)
    body = [_axis(frame), *(_row(frame, row) for row in shown)]
    if lanes:
        body += ["", *_lanes(frame)]
    return "\n".join([*head, "", *body, "", *_foot(frame, chosen, lanes > 0), *why]).rstrip()


def _why(said: "Sequence[str]", look: Look, everything: bool) -> "list[str]":
    """What explains the run, one paragraph for each sentence: a blank line, a title, and as many as a quarter of the screen holds."""
    lines: "list[str]" = []
    for text in said:
        more = words.fold(text, look.width, look.gap, "- ").split("\n")
        if lines and not everything and len(lines) + len(more) > max(look.height // 4, 6):
            break
        lines += more
    return ["", look.paint("Why, and what would help:", BOLD), *lines] if lines else []


def _frame(run: Known, log: Log, look: Look, shown: "list[Row]") -> Frame:
    labels = [_label(log, row) for row in shown]
    name = max(min(max(map(words.cells, labels), default=0), look.width * 2 // 5), 6)
    statuses = any(row.target is not None and log.targets[row.target].status for row in shown)
    owns = any(row.target is not None and _own(log.targets[row.target]) for row in shown)
    left = 3 + name + 1 + 8 + (9 if owns else 0) + (5 if statuses else 0) + (3 if log.lanes > 1 else 0) + 2
    length = max(opening.span(run, log), log.end_ns - opening.origin(run, log), 1)
    axis = Axis(opening.origin(run, log), length, max(look.width - left, 10), look.blocks)
    return Frame(log, look, axis, path.close(list(log.targets), log.end_ns), name, log.lanes > 1, statuses, owns)


def _label(log: Log, row: Row) -> str:
    text = f"in {row.directory}" if row.target is None else log.targets[row.target].name
    return "  " * row.depth + clean(text)


def _axis(frame: Frame) -> str:
    text = f"   {'target':<{frame.name}} {'total':>8}" + (" own".rjust(9) if frame.owns else "")
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
    text = f"{marks} {words.pad(label, frame.name)} {took:>8}" + (f" {_own(one) or took:>8}" if frame.owns else "")
    text += f" {_status(one.status):>4}" if frame.statuses else ""
    text += f" {'' if one.lane is None else one.lane + 1:>2}" if frame.lanes else ""
    colour = RED if one.outcome in (FAILED, UNKNOWN) else YELLOW if one.critical else ""
    return f"{text}  {frame.look.paint(_bar(frame, one, end), colour)}".rstrip()


def _own(one: Target) -> str:
    """Its time without the targets below it, where that is another one."""
    return words.duration(one.own_ns) if one.duration_ns is not None and one.own_ns != one.duration_ns else ""


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


def _foot(frame: Frame, chosen: "set[int]", lanes: bool) -> "list[str]":
    """What the marks mean, and what was left out."""
    seen = [frame.log.targets[place] for place in chosen]
    marks = {_mark(one) for one in seen} | {CRITICAL for one in seen if _critical_mark(frame.log, one)}
    marks_seen = [mark for mark in MEANINGS if mark in marks]
    legend = words.fold("   ".join(f"{mark} {MEANINGS[mark]}" for mark in marks_seen), frame.look.width, frame.look.gap)
    lines = [frame.look.paint(legend, FAINT)] if legend else []
    if lanes:
        full, *partly = reversed(frame.axis.shades[1:])
        shades = f"lanes: {full} busy   {' '.join(partly)} less and less   blank: nothing ran"
        lines.insert(0, frame.look.paint(words.fold(shades, frame.look.width, frame.look.gap), FAINT))
    left = [one.own_ns for place, one in enumerate(frame.log.targets) if place not in chosen]
    if left:
        own = words.duration(sum(left)) + (" together" if len(left) > 1 else "")
        lines.append(
            words.fold(f"{words.count(len(left), 'more target')} took {own}: innerloop timeline --all", frame.look.width, frame.look.gap)
        )
    return lines
