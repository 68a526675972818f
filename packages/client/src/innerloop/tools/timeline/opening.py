"""What a timeline says above its drawing: how the run ended, how long it took, what failed first, or why there is nothing to draw."""

from innerloop.core.shared.printable import clean
from innerloop.core.targets.outcomes import STOPS
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import UNKNOWN, Target
from innerloop.tools.timeline import words
from innerloop.tools.timeline.bars import Look
from innerloop.tools.timeline.rows import base, directory
from innerloop.tools.timeline.runs import ENDED, FORGOTTEN, GOING_ON, INFERRED, KILLED, Known

LATE = 10_000_000  # ns after the run's end from which on a target's own end is worth a word


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
        guess = "its targets say that it failed" if log.first_failure is not None else "no target failed"
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
    return [
        f"{words.count(len(log.targets), 'target')}{makes}{side if len(log.targets) > 1 else ''}. {_critical(log, look)}",
        *remarks(run, log),
    ]


def remarks(run: Known, log: Log) -> "list[str]":
    """What failed first, and what is odd about a run or its log."""
    lines: "list[str]" = []
    never = _never_ended(run, log)
    if log.first_failure is not None:
        lines.append(_failure(run, log, log.targets[log.first_failure]))
    elif run.state == ENDED and not never and (run.status or 0) > 0 and run.status not in STOPS:
        lines.append("No target failed: the run failed for another reason, such as a missing rule.")
    lines += never
    late = log.end_ns - origin(run, log) - span(run, log)
    if late > LATE:
        lines.append(f"Targets went on after the run had ended, for {words.duration(late)} or more.")
    if log.damaged:
        lines.append(f"{words.count(log.damaged, 'record')} of the target log could not be read.")
    if log.cut:
        lines.append(f"The target log is full: {words.count(log.cut, 'recipe line')} more, at least, had no room in it.")
    if run.suspended:
        lines.append("The machine slept meanwhile; that is not counted.")
    return lines


def _never_ended(run: Known, log: Log) -> "list[str]":
    """What it means that targets of a run that ended did not."""
    number = sum(1 for one in log.targets if one.outcome == UNKNOWN)
    if not number or run.state != ENDED:
        return []
    were = "it was" if number == 1 else "they were"
    by_itself = run.status is not None and run.status >= 0 and run.status not in STOPS  # then make waited for them
    fate = f"{were} killed" if by_itself else f"{were} killed too, or went on without make"
    return [f"{words.count(number, 'target')} never ended: {fate}."]


def nothing(run: Known, log: Log) -> str:
    """Why there are no targets."""
    if log.problem or log.damaged:
        return f"Its target log cannot be used: {log.problem or words.count(log.damaged, 'record') + ' could not be read'}."
    if run.state == GOING_ON:
        return "No recipe ran so far."
    return f"No recipe ran: {_why_none(run)}."


def _why_none(run: Known) -> str:
    if run.state != ENDED or run.status is None or run.exit == INFERRED:
        return "there was nothing to do, or make ended before the first one"
    if run.status == 0:
        return "there was nothing to do"
    if run.status in STOPS or run.status < 0:
        return f"make was {'stopped' if run.status in STOPS else 'killed'} before the first one"
    return "make failed before the first one, as it does with a missing rule"


def span(run: Known, log: Log) -> int:
    """How long the run took (ns): what its record says; without an end, as far as the log knows. Targets may outlive it."""
    if run.duration_ms is not None:
        return run.duration_ms * 1_000_000
    return log.end_ns - origin(run, log) if log.targets else 0


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
