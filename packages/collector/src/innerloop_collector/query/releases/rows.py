# ruff: noqa: S608 - the text is ours, from constants of this file; every value is a parameter
"""From rows to what people add: the only SQL that reads events for figures.

It is hand-written, parameterised and the same embedded and on a server. People are those who count in a block: `actor` human, or absent as in the
founding system, and known from enough active weeks before the block began. An active week is one in which something was received of them: the times of
events are whatever a sender says. Tests, coding agents and CI are no people, and events without an id are nobody's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol

from innerloop.core.plan.names_table import STARTUP_MS
from innerloop_collector.db.schema import WEEKLY_TOTALS
from innerloop_collector.query.releases.contribution import EDGES_MS, People
from innerloop_collector.query.releases.shown import Key

_SEEN_WITHIN = timedelta(weeks=13)  # before a block: who was away for longer gives their place to others
_BLOCK_DAYS = 28  # who could be counted so long before already goes before who is new
_PERSON = "actor IN ('', 'human')"
_REAL = "project = {project:String} AND installation != 0 AND is_test IN ('', 'no')"
_KEPT = "keep_until >= {today:Date} AND toDate(corrected_time) >= {oldest:Date}"  # by what was agreed, and by the newest promise
_IN_SPAN = "corrected_time >= toDateTime64({first:Date}, 3, 'UTC') AND corrected_time < toDateTime64({end:Date}, 3, 'UTC')"
_INTERRUPTED = "ifNull(exit_status IN (-1, -2, -15, 130, 143), 0)"
_ENDED = f"(exit_status IS NOT NULL AND NOT {_INTERRUPTED})"
_SESSION = "(kind = 'run' AND command IN {sessions:Array(String)})"  # a server, a shell: its hours are use, and nobody waited for it
_AWAKE = f"(duration_ms IS NOT NULL AND NOT ifNull(suspended, 0) AND NOT {_SESSION})"
_TIMED = f"({_ENDED} AND {_AWAKE})"
_WAIT = "ifNull(duration_ms, 0)"
_FAILED = f"({_ENDED} AND exit_status != 0 AND NOT ({_SESSION} AND {_WAIT} > {STARTUP_MS}))"  # of a session: as it started
_SUCCEEDED = f"({_ENDED} AND exit_status = 0)"
_NUMBERS = f"""count(), sumIf({_WAIT}, {_AWAKE}), countIf({_SUCCEEDED}), countIf({_FAILED}), countIf(NOT {_SUCCEEDED} AND NOT {_FAILED}),
    sumMapIf([toUInt8(arrayCount(edge -> {_WAIT} > edge, {list(EDGES_MS)}))], [toUInt64(1)], {_TIMED}), countIf(NOT {_TIMED})"""


class Store(Protocol):
    """What runs SQL."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        """Run a SELECT and return its rows."""


BREAKDOWNS = {"command": "command", "os": "os", "arch": "arch", "version": "client", "cohort": "cohort"}  # of runs: by name, the column
_OF_RUNS = ", ".join(f"('{name}', toString({column}))" for name, column in BREAKDOWNS.items())
_CELLS = f"if(kind = 'run', [('', ''), {_OF_RUNS}], [('target', toString(target))])"  # runs are never counted by their targets


def none(_: Iterable[str]) -> Iterable[str]:
    """No command is a session."""
    return ()


@dataclass(frozen=True, slots=True)
class Population:
    """Whose rows of a project count in a block, and which of them are there to be read."""

    project: str
    began: date  # the Monday of the block
    min_weeks: int
    most: int  # people; those who were there first
    today: date
    retention_days: int
    sessions: Callable[[Iterable[str]], Iterable[str]] = none  # which of some commands are sessions
    every: bool = False  # in a store that publishes at once: whoever is there, however new

    @property
    def parameters(self) -> dict[str, Any]:
        """As SQL wants them."""
        oldest = self.today - timedelta(days=self.retention_days)
        seen = self.began - _SEEN_WITHIN
        before = date(2149, 6, 6) if self.every else self.began
        return {
            "project": self.project, "began": before, "seen": seen, "min_weeks": self.min_weeks, "most": self.most,
            "today": self.today, "oldest": oldest,
        }  # fmt: skip


class Watermark(NamedTuple):
    """How far a week's release went: rows with a higher position came later."""

    week: date
    position: int


Cells = dict[Key, People]


class Rows:
    """Reads what people add to every cell of a span of weeks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def cells(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> dict[date | None, Cells]:
        """What was added in each released week by then, and under None the rest, up to a position. The whole is a cell too."""
        out: dict[date | None, Cells] = defaultdict(lambda: defaultdict(dict))
        parameters = {
            **of.parameters,
            "sessions": self._sessions(of, first, end), "first": first, "end": end, "upto": upto,
            "weeks": [one.week for one in released], "positions": [one.position for one in released],
        }  # fmt: skip
        for week, (breakdown, name), installation, *numbers in self._store.query(_SQL, parameters):
            if name or not breakdown:  # without a name the field is off, or the event is from a time when it was
                out[week if week in parameters["weeks"] else None][str(breakdown), str(name)][installation] = _vector(numbers)
        return {week: dict(cells) for week, cells in out.items()}

    def agents(self, of: Population, first: date, end: date, upto: int) -> People:
        """What coding agents added, by the people they work for."""
        where = f"{_REAL} AND kind = 'run' AND actor = 'agent' AND {_KEPT} AND {_IN_SPAN} AND position <= {{upto:UInt64}} AND {_COUNTED}"
        rows = self._store.query(
            f"SELECT installation, {_NUMBERS} FROM events WHERE {where} GROUP BY installation",
            {**of.parameters, "sessions": self._sessions(of, first, end), "first": first, "end": end, "upto": upto},
        )
        return {installation: _vector(numbers) for installation, *numbers in rows}

    def _sessions(self, of: Population, first: date, end: date) -> list[str]:
        sql = f"SELECT DISTINCT command FROM events WHERE project = {{project:String}} AND kind = 'run' AND {_IN_SPAN}"
        return sorted(of.sessions(str(name) for (name,) in self._store.query(sql, {"project": of.project, "first": first, "end": end})))

    def jobs(self, project: str, first: date, end: date, upto: int) -> int:
        """How many runs there were in CI. They carry no id and are nobody's."""
        sql = f"""SELECT count() FROM events WHERE project = {{project:String}} AND kind = 'run' AND actor = 'ci' AND installation = 0
            AND is_test IN ('', 'no') AND {_IN_SPAN} AND position <= {{upto:UInt64}}"""
        return int(self._store.query(sql, {"project": project, "first": first, "end": end, "upto": upto})[0][0])

    def position(self) -> int:
        """The highest position that there is."""
        return int(self._store.query("SELECT max(position) FROM events")[0][0])

    def first_day(self, project: str) -> date | None:
        """The day on which the first run of a person happened that is there. None: there is none."""
        sql = f"SELECT count(), min(toDate(corrected_time)) FROM events WHERE {_REAL} AND {_PERSON} AND kind = 'run'"
        count, day = self._store.query(sql, {"project": project})[0]
        return day if count else None

    def weekly_totals(self, project: str) -> list[dict[str, Any]]:
        """What versions before releases kept of a project's weeks."""
        rows = self._store.query(
            f"SELECT {', '.join(WEEKLY_TOTALS)} FROM weekly_totals FINAL WHERE project = {{project:String}} AND kind != 'week'",
            {"project": project},
        )
        return [dict(zip(WEEKLY_TOTALS, row, strict=True)) for row in rows]

    def waiting(self, project: str) -> list[tuple[str, date]]:
        """Why events wait in quarantine, and when the first of each came."""
        sql = "SELECT reason, min(received_day) FROM quarantine FINAL WHERE project = {project:String} GROUP BY reason ORDER BY reason"
        return [(reason, day) for reason, day in self._store.query(sql, {"project": project})]


_COUNTED = f"""installation GLOBAL IN (SELECT installation FROM events WHERE {_REAL} AND {_PERSON} AND kind = 'run' AND {_KEPT}
    AND received_day < {{began:Date}} GROUP BY installation
    HAVING uniqExact(toMonday(received_day)) >= {{min_weeks:UInt16}} AND max(received_day) >= {{seen:Date}}
    ORDER BY uniqExactIf(toMonday(received_day), received_day < subtractDays({{began:Date}}, {_BLOCK_DAYS})) >= {{min_weeks:UInt16}} DESC,
        min(received_day), min(position) LIMIT {{most:UInt64}})"""


_WEEK = "toMonday(corrected_time)"
_SLOT = f"if(position <= transform({_WEEK}, {{weeks:Array(Date)}}, {{positions:Array(UInt64)}}, toUInt64(0)), {_WEEK}, toDate(0))"
_SQL = f"""SELECT {_SLOT} AS slot, arrayJoin({_CELLS}) AS cell, installation, {_NUMBERS}
    FROM events WHERE {_REAL} AND {_PERSON} AND kind IN ('run', 'target') AND {_KEPT} AND {_IN_SPAN} AND position <= {{upto:UInt64}} AND {_COUNTED}
    GROUP BY slot, cell, installation ORDER BY slot, cell, installation"""


def _vector(numbers: Sequence[Any]) -> tuple[float, ...]:
    runs, waited, succeeded, failed, unfinished, bins, untimed = numbers
    counts: Mapping[int, int] = dict(zip(*bins, strict=True))
    return (runs, waited, succeeded, failed, unfinished, *(counts.get(place, 0) for place in range(len(EDGES_MS) + 1)), untimed)
