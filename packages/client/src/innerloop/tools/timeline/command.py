"""`innerloop timeline`: where a run's time went, target by target. For its developer alone: exact, and never sent.

Reads the spool, looks at the age of the files that the makefiles named, for two seconds at most, and writes nothing.
"""

import argparse
import os
import re
import shutil
import time
from typing import Any, Callable, Optional

from innerloop.core.asking import dialogue
from innerloop.core.consent.answer import NO
from innerloop.core.consent.resolve import Context, resolve
from innerloop.core.plan.project import ProjectError
from innerloop.core.shared import cache
from innerloop.core.shared.terminal import Failure, line, say
from innerloop.core.spool import layout
from innerloop.core.targets import target_log
from innerloop.core.targets.outcomes import STOPS
from innerloop.tools.output import show, show_json
from innerloop.tools.timeline import comparison, document, drawing, explanation, opening, page, traces, words
from innerloop.tools.timeline.bars import Look
from innerloop.tools.timeline.explanation import explain
from innerloop.tools.timeline.runs import ENDED, FORGOTTEN, GOING_ON, INFERRED, KILLED, LOOKED_AT, Known, known

SHORT = 8  # characters of an id that are shown
LISTED = 20  # runs that --list shows without --all
LAST = "last"  # a word for the last run
WHOLE = 4 << 20  # bytes of a log up to which it names what each target needs
READ_BACK = 32 << 20  # bytes of older logs that are read, to tell what is new
TRACES: "dict[str, Callable[[Known, target_log.Log], dict[str, Any]]]" = {"perfetto": traces.perfetto, "speedscope": traces.speedscope}
COERCED = (b"LC_CTYPE", "C.UTF-8")  # what Python makes of the locale C (PEP 538)


def timeline(context: Context, given: argparse.Namespace) -> int:
    """Print one run, the last one where none is named, two of them compared, or the list of runs."""
    style = "json" if given.json else given.format
    spool, why_none = _spool(context)
    runs = known(spool, context.now())
    if not runs and not given.list:
        raise Failure(why_none)
    if not runs and style != "json":
        say(f"innerloop: {why_none}")
        return 0
    if given.list:
        return _list(spool, runs if given.all else runs[:LISTED], style == "json", look(context.env))
    if given.compare:
        return _compare(spool, runs, given, style, look(context.env))
    one = pick(runs, given.run)
    log = one.log(spool)
    if style in TRACES:
        show_json(TRACES[style](one, log), None)
        return 0
    what = explain(one, log, processors(), _log_before(spool, runs, one), one.size(spool) < WHOLE)
    if style == "json":
        show_json(document.as_json(one, log, what))
    elif style == "html":
        show(page.page(one, log, what, when(one), outcome(one)), end="")
    else:
        text = drawing.draw(one, log, look(context.env), given.all, explanation.sentences(what))
        show(f"{text}\nRun {one.id[:SHORT]}, {when(one)}. Only you can see this.")
    return 0


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _log_before(spool: str, runs: "list[Known]", one: Known) -> "Optional[target_log.Log]":
    """The log of the last run of the same name that ended, if that was done and its log is small enough to be read as well."""
    before = next(iter(_ended_before(runs, one)), None)
    return before.log(spool) if before is not None and before.done and before.size(spool) < WHOLE else None


def before_it(runs: "list[Known]", one: Known) -> Optional[Known]:
    """The last run of the same name before a run: of those that were done, or where there is none of those that ended."""
    ended = _ended_before(runs, one)
    return next((other for other in ended if other.done), ended[0] if ended else None)


def _ended_before(runs: "list[Known]", one: Known) -> "list[Known]":
    """The runs of the same name before a run, the newest first."""
    return [other for other in runs[runs.index(one) + 1 :] if other.name == one.name and other.state == ENDED]


def _compare(spool: str, runs: "list[Known]", given: argparse.Namespace, style: str, view: Look) -> int:
    """Compare two runs: those that are named, or the last one with the one of its name before it. Raises Failure."""
    newer = pick(runs, "" if given.compare[-1] == LAST else given.compare[-1])
    older = before_it(runs, newer) if len(given.compare) == 1 else pick(runs, "" if given.compare[0] == LAST else given.compare[0])
    if older is None:
        raise Failure(f"there is no run of {line(newer.name)} before that one to compare with. See: innerloop timeline --list")
    if older.id == newer.id:
        raise Failure("both are the same run. See: innerloop timeline --list")
    before, now = (comparison.Side(one, one.log(spool)) for one in (older, newer))
    found = comparison.compare(before, now, _seen_before(spool, runs, newer))
    if style == "json":
        show_json(comparison.as_json(found))
    else:
        names = [f"run {one.id[:SHORT]}, {when(one)}, {outcome(one)}" for one in (older, newer)]
        show(comparison.draw(found, names, view))
    return 0


def _seen_before(spool: str, runs: "list[Known]", newer: Known) -> "set[comparison.Key]":
    """The targets of the runs before one, as far back as is read."""
    seen: "set[comparison.Key]" = set()
    left = READ_BACK
    for one in runs[runs.index(newer) + 1 :][:LOOKED_AT]:
        left -= one.size(spool)
        if left < 0:
            break
        seen |= comparison.keys(one.log(spool))
    return seen


def _spool(context: Context) -> "tuple[str, str]":
    """The project's spool, and what to say where it has no run with targets. Raises NoProject or ProjectError.

    A project file that cannot be read forbids to measure, not to look at what was measured before.
    """
    try:
        state = resolve(context)
    except ProjectError as error:
        before = _used_with(context)
        if not before:
            raise
        say(f"innerloop: {line(str(error))}; this is what was recorded before.")
        return before, "no run with targets was recorded here yet"
    name = state.project.name
    if state.answer.decision == NO:
        return context.spool(state.key), f"you opted out of {name}, which deletes the target logs as well: there is no timeline any more"
    return context.spool(
        state.key
    ), f"no run of {name} with targets was recorded here yet. Only make shows its targets; see: innerloop doctor"


def _used_with(context: Context) -> str:
    """The spool that was used with the project file around here, the one with the newest run with targets; or an empty string."""
    found = cache.find_project(context.home.uid, os.fsencode(context.directory))
    path = os.fsdecode(found[0]) if found else ""
    spools = [context.spool(key) for key, _ in dialogue.known(context) if path in layout.roots(context.spool(key))]
    return max(spools, key=lambda spool: max((one.start for one in known(spool, context.now())), default=0.0), default="")


def pick(runs: "list[Known]", run: str) -> Known:
    """The run whose id begins so, or the last one. Raises Failure."""
    found = [one for one in runs if one.id.startswith(run.lower())]
    if not found:
        raise Failure(f"no run with targets has an id that begins with {line(run)}. See: innerloop timeline --list")
    if run and len(found) > 1:
        raise Failure(f"{len(found)} runs have ids that begin with {line(run)}; give more of it. See: innerloop timeline --list")
    return found[0]


def look(env: "dict[bytes, bytes]") -> Look:
    """What stdout can show."""
    size = shutil.get_terminal_size()
    colour = os.isatty(1) and not env.get(b"NO_COLOR") and env.get(b"TERM") != b"dumb"
    return Look(min(max(size.columns, 60), 240), max(size.lines, 10), _blocks(env), colour)


def _blocks(env: "dict[bytes, bytes]") -> bool:
    """Whether the developer's own locale is a UTF-8 one; Python may have put one in the place of C."""
    chosen = [(name, env[name].decode("ascii", "replace")) for name in (b"LC_ALL", b"LC_CTYPE", b"LANG") if env.get(name)]
    if chosen[:1] == [COERCED]:
        chosen = chosen[1:]
    return bool(chosen) and bool(re.search(r"utf-?8$", chosen[0][1].partition("@")[0], re.IGNORECASE))


def when(one: Known) -> str:
    """A run's start by the local clock."""
    return time.strftime("%d %b %H:%M:%S", time.localtime(one.start))


def outcome(one: Known) -> str:
    """A run's end in a few words."""
    if one.state in (GOING_ON, KILLED, FORGOTTEN) or one.status is None:
        return {GOING_ON: "still running", KILLED: "killed"}.get(one.state, "not known")
    inferred = ", inferred" if one.exit == INFERRED else ""
    return ("done" if one.status == 0 else "stopped" if one.status in STOPS else f"failed ({_code(one.status)})") + inferred


def _code(status: int) -> str:
    return str(status) if status > 0 else words.signal_name(-status)


def _list(spool: str, runs: "list[Known]", as_document: bool, view: Look) -> int:
    """Print the runs that have a target log, the newest first."""
    logs = [one.log(spool) for one in runs]
    if as_document:
        show_json([{**document.about(one, log), "targets": len(log.targets)} for one, log in zip(runs, logs)])
        return 0
    ends = [outcome(one) for one in runs]
    room = view.width - SHORT - 40 - max(map(len, ends))
    width = max(min(max(words.cells(line(one.name)) for one in runs), room), 8)
    lines = [f"{'run':<{SHORT}}  {'when':<15}  {'name':<{width}}  {'time':>8}  targets  outcome"]
    for one, log, end in zip(runs, logs, ends):
        name = words.pad(words.cut(line(one.name), width, view.gap), width)
        took = words.duration(opening.span(one, log))
        lines.append(f"{one.id[:SHORT]}  {when(one):<15}  {name}  {took:>8}  {len(log.targets):>7}  {end}")
    show("\n".join(lines))
    return 0
