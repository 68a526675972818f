"""A developer's own runs in a span of time, added up: what was waited for, what was used, and two kinds of failure.

A session is used and never waited for, so it stands apart from the commands. Of those, a failed check is information and any other failure
is friction: nothing here adds the two together.
"""

import statistics
import time
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple, Optional

from innerloop.core.plan.names_table import STARTUP_MS
from innerloop.core.plan.project import CHECK, SESSION, Marks
from innerloop.core.spool.history import INTERRUPTED, Entry
from innerloop.tools.timeline import runs

CANDIDATE_RUNS, CANDIDATE_MS = 3, 600_000  # that make a command look like a session: runs, and how long it went on until it was stopped

Kind = tuple[str, str, str]  # type, mark and name of a command


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


class Session(NamedTuple):
    """One session in one span of time, and in the span before."""

    name: str
    runs: int
    not_started: int  # ended by themselves, with an error, within STARTUP_MS
    runs_before: int
    not_started_before: int


class Candidate(NamedTuple):
    """A command that looks like a session: it was mostly stopped, after a long time."""

    name: str
    runs: int
    stopped: int
    after_ms: float  # median of those that were stopped


class Total(NamedTuple):
    """One calendar week, by this machine's clock: commands that were waited for."""

    monday: date
    checks: int
    checks_failed: int
    others: int
    others_failed: int
    interrupted: int
    waited_ms: int
    median_ms: Optional[float]


class Week(NamedTuple):
    """A span of time: commands that were waited for, the most waited for first, and sessions, the most used first."""

    checks: "list[Line]"
    others: "list[Line]"
    sessions: "list[Session]"
    candidates: "list[Candidate]"

    @property
    def commands(self) -> "list[Line]":
        """Checks and others together."""
        return sorted([*self.checks, *self.others], key=_by_waiting)


def week(past: "list[Entry]", marks: Marks, now: float, span: float) -> Week:
    """Add up the last span (s) by command."""
    recent = _by_kind([one for one in past if now - span <= one.start <= now], marks)
    before = _by_kind([one for one in past if now - 2 * span <= one.start < now - span], marks)
    names = [name for _, mark, name in recent if mark != SESSION]
    titles = {kind: runs.title(kind[0], kind[2]) if names.count(kind[2]) > 1 else kind[2] for kind in recent}
    lines = {
        wanted: sorted(
            (_line(titles[kind], some, before.get(kind, [])) for kind, some in recent.items() if kind[1] == wanted), key=_by_waiting
        )
        for wanted in (CHECK, "")
    }
    sessions = [_session(kind[2], some, before.get(kind, [])) for kind, some in recent.items() if kind[1] == SESSION]
    candidates = [found for kind, some in recent.items() if kind[1] == "" and (found := _candidate(titles[kind], some))]
    return Week(lines[CHECK], lines[""], sorted(sessions, key=lambda one: (-one.runs, one.name)), candidates)


def by_week(past: "list[Entry]", marks: Marks, now: float, weeks: int) -> "list[Total]":
    """The last calendar weeks, the running one last; from the first one on in which anything ran. Sessions are left out."""
    today = datetime.fromtimestamp(now, timezone.utc).astimezone().date()
    last = today - timedelta(days=today.weekday())
    mondays = [last - timedelta(weeks=number) for number in range(weeks - 1, -1, -1)]
    found: "list[Total]" = []
    for monday in mondays:
        since, until = midnight(monday), midnight(monday + timedelta(weeks=1))
        some = [one for one in past if since <= one.start < until and one.start <= now and not is_session(one, marks)]
        if some or found:
            found.append(_total(monday, some, marks))
    return found


def midnight(day: date) -> float:
    """When a day begins here (s since 1970)."""
    return time.mktime(day.timetuple())


def _total(monday: date, some: "list[Entry]", marks: Marks) -> Total:
    checks = [one for one in some if marks.of(one.listed or one.name) == CHECK]
    others = [one for one in some if marks.of(one.listed or one.name) != CHECK]
    durations = [one.duration_ms for one in some if one.duration_ms is not None]
    stopped = sum(1 for one in some if one.status in INTERRUPTED)
    median = statistics.median(durations) if durations else None
    return Total(monday, len(checks), _failed(checks), len(others), _failed(others), stopped, sum(durations), median)


def is_session(one: Entry, marks: Marks) -> bool:
    """Tell whether a run was one of a session."""
    return marks.of(one.listed or one.name) == SESSION


def _by_kind(some: "list[Entry]", marks: Marks) -> "dict[Kind, list[Entry]]":
    """Runs by command. A goal of make that a command is called like is not that command; of a marked one the whole name counts."""
    found: "dict[Kind, list[Entry]]" = {}
    for one in some:
        mark = marks.of(one.listed or one.name)
        name = one.listed if mark and one.listed and one.type == "command" else one.name
        found.setdefault((one.type, mark, name), []).append(one)
    return found


def _by_waiting(line: Line) -> "tuple[int, str]":
    return -line.waited_ms, line.name


def _line(name: str, mine: "list[Entry]", old: "list[Entry]") -> Line:
    durations = [one.duration_ms for one in mine if one.duration_ms is not None]
    return Line(
        name=name,
        runs=len(mine),
        failed=_failed(mine),
        interrupted=sum(1 for one in mine if one.status in INTERRUPTED),
        waited_ms=sum(durations),
        median_ms=statistics.median(durations) if durations else None,
        runs_before=len(old),
        failed_before=_failed(old),
        waited_before_ms=sum(one.duration_ms or 0 for one in old),
    )


def _session(name: str, mine: "list[Entry]", old: "list[Entry]") -> Session:
    def not_started(some: "list[Entry]") -> int:
        return _failed([one for one in some if one.duration_ms is not None and one.duration_ms <= STARTUP_MS])

    return Session(name, len(mine), not_started(mine), len(old), not_started(old))


def _failed(some: "list[Entry]") -> int:
    return sum(1 for one in some if one.status not in (0, None, *INTERRUPTED))


def _candidate(name: str, mine: "list[Entry]") -> Optional[Candidate]:
    stopped = [one.duration_ms for one in mine if one.status in INTERRUPTED and one.duration_ms is not None]
    if len(mine) < CANDIDATE_RUNS or len(stopped) * 2 <= len(mine) or statistics.median(stopped) < CANDIDATE_MS:
        return None
    return Candidate(name, len(mine), len(stopped), statistics.median(stopped))
