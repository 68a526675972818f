# ruff: noqa: S608 - the text is ours, from constants of this file; every value is a parameter
"""The SQL of the team's report: hand-written, parameterised, the same embedded and on a server. May import: the store's engine.

Nothing here returns an installation. Only developers (`actor` human, or absent as in the founding system) who were active in enough
weeks are counted; tests, coding agents, CI and events without an id are in no figure. An active week is one in which something was
received of them: the times of events are whatever a sender says. What comes in during a week, and what goes by its retention, changes
nothing before the next one: else whoever asks twice sees the run that came between.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from innerloop_collector.db.engine import Engine
from innerloop_collector.query.windows import Window

PEOPLE = """project = {{project:String}} AND kind = '{kind}' AND installation != 0
    AND actor IN ('', 'human') AND is_test IN ('', 'no')"""
KEPT = """received_day < {until:Date} AND keep_until >= {as_of:Date}
    AND toDate(corrected_time) >= {oldest:Date}"""  # by what was agreed, and by the newest promise
_ALWAYS = date(2149, 6, 6)  # the last one that the store knows
WEEKS = "toMonday(received_day)"
IN_WINDOW = "corrected_time >= toDateTime64({first:Date}, 3, 'UTC') AND corrected_time < toDateTime64({end:Date}, 3, 'UTC')"
INTERRUPTED = "ifNull(exit_status IN (-1, -2, -15, 130, 143), 0)"
ENDED = f"(exit_status IS NOT NULL AND NOT {INTERRUPTED})"
AWAKE = "(duration_ms IS NOT NULL AND NOT ifNull(suspended, 0))"
TIMED = f"({ENDED} AND {AWAKE})"


def counted(kind: str, kept: str = "1") -> str:
    """The condition for rows of developers who count. `kept` is one for rows that may be seen; for weekly totals all that are there may."""
    runs = f"{PEOPLE.format(kind='run')} AND {kept}"
    active = f"SELECT installation FROM events WHERE {runs} GROUP BY installation HAVING uniqExact({WEEKS}) >= {{min_weeks:UInt16}}"
    return f"{PEOPLE.format(kind=kind)} AND {kept} AND installation GLOBAL IN ({active})"


_FIRST = f"SELECT count(), min(received_day) FROM events WHERE {PEOPLE.format(kind='run')} AND {KEPT}"
_WAITING = "SELECT reason, min(received_day) FROM quarantine FINAL WHERE project = {project:String} GROUP BY reason ORDER BY reason"
_TEAM = f"SELECT uniqExact(installation) FROM events WHERE {counted('run', KEPT)} AND {IN_WINDOW}"


class Breakdown:
    """A list of figures by name: of runs by their commands, or of what ran inside them by target. Runs are never counted by their targets."""

    def __init__(self, kind: str, name: str) -> None:
        """`kind` is that of the events, `name` the column that names a row."""
        rows = f"FROM events WHERE {counted(kind, KEPT)} AND {IN_WINDOW}"
        self.figures = f"""SELECT {name}, count(), uniqExact(installation),
            uniqExactIf(installation, {TIMED}), quantilesExactInclusiveIf(0.5, 0.9)(ifNull(duration_ms, 0), {TIMED}),
            uniqExactIf(installation, {ENDED}), countIf({ENDED}), countIf({ENDED} AND exit_status != 0),
            countIf({INTERRUPTED}), countIf(exit_status IS NULL)
            {rows} GROUP BY {name} ORDER BY {name}"""
        self.spreads = f"""SELECT {name}, sum(runs), max(runs), arraySum(arraySlice(arrayReverseSort(groupArray(runs)), 1, 2)),
            sum(waited), max(waited), arraySum(arraySlice(arrayReverseSort(groupArray(waited)), 1, 2)), countIf(waiters > 0)
            FROM (SELECT {name}, installation, count() AS runs, sumIf(ifNull(duration_ms, 0), {AWAKE}) AS waited, countIf({AWAKE}) AS waiters
                {rows} GROUP BY {name}, installation) GROUP BY {name}"""
        self.developers_in = f"SELECT uniqExact(installation) {rows} AND {name} IN {{names:Array(String)}}"
        self.developers = f"SELECT {name}, uniqExact(installation) {rows} GROUP BY {name}"


COMMANDS, TARGETS = Breakdown("run", "command"), Breakdown("target", "target")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one command or target before any rule was applied. They stay inside reports."""

    name: str
    runs: int
    developers: int
    timed_developers: int
    quantiles: Sequence[float]
    ended_developers: int
    ended: int
    failed: int
    interrupted: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How the runs and the waiting of one command or target are spread over developers. It stays inside reports."""

    name: str
    runs: int
    runs_largest: int
    runs_largest_two: int
    waited: int  # ms
    waited_largest: int
    waited_largest_two: int
    waiting_developers: int


class TeamQueries:
    """The questions that a report asks about one project."""

    def __init__(self, engine: Engine, project: str, min_weeks: int, retention_days: int, as_of: date, until: date | None = None) -> None:
        """`retention_days` is what the project promises now. Rows are those that are kept on a day, and came before another (None: all)."""
        self._engine = engine
        self._common: dict[str, Any] = {
            "project": project,
            "min_weeks": min_weeks,
            "as_of": as_of,
            "until": until or _ALWAYS,
            "oldest": as_of - timedelta(days=retention_days),
        }

    def first_day(self) -> date | None:
        """The day on which the first event was received. None: there is no event."""
        count, day = self._run(_FIRST)[0]
        return day if count else None

    def waiting(self) -> list[tuple[str, date]]:
        """Why events wait in quarantine, and when the first of each came."""
        return [(reason, day) for reason, day in self._run(_WAITING)]

    def team(self, window: Window) -> int:
        """How many developers are counted in a window."""
        return int(self._run(_TEAM, first=window.first, end=window.end)[0][0])

    def figures(self, of: Breakdown, window: Window) -> list[Figures]:
        """The figures of every command or target."""
        return [Figures(*row) for row in self._run(of.figures, first=window.first, end=window.end)]

    def spreads(self, of: Breakdown, window: Window) -> dict[str, Spread]:
        """How every command or target is spread over developers."""
        return {row[0]: Spread(*row) for row in self._run(of.spreads, first=window.first, end=window.end)}

    def developers_in(self, of: Breakdown, names: Collection[str], window: Window) -> int:
        """How many developers ran any of some commands, or made any of some targets."""
        return int(self._run(of.developers_in, first=window.first, end=window.end, names=list(names))[0][0])

    def differences(self, of: Breakdown, spans: Sequence[tuple[date, date]]) -> dict[str, list[int]]:
        """How many developers each command or target has within each of some spans of weeks."""
        found: dict[str, list[int]] = {}
        for number, (first, end) in enumerate(spans):
            for name, developers in self._run(of.developers, first=first, end=end):
                found.setdefault(name, [0] * len(spans))[number] = developers
        return found

    def _run(self, sql: str, **parameters: Any) -> list[Sequence[Any]]:
        return self._engine.query(sql, {**self._common, **parameters})
