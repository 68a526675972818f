# ruff: noqa: S608 - the text is ours, from constants of this file; every value is a parameter
"""From rows to contributions: what each developer adds to a command or target, and how that is spread. The only SQL that reads events for figures.

It is hand-written, parameterised and the same embedded and on a server; it returns no installation. Only developers (`actor` human, or absent
as in the founding system) who were active in enough weeks are counted; tests, coding agents, CI and events without an id are in no report.
An active week is one in which something was received of them: the times of events are whatever a sender says. What comes in during a week,
and what goes by its retention, changes nothing before the next one: otherwise asking twice would show the run that came between.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol

from innerloop_collector.query.rules import NOTHING, Cell, Share

EDGES_MS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000)
ACTORS = ("human", "agent", "ci")

_PEOPLE = """project = {{project:String}} AND kind = '{kind}' AND installation != 0
    AND actor IN ('', 'human') AND is_test IN ('', 'no')"""
_OTHERS = "project = {{project:String}} AND kind = '{kind}' AND is_test IN ('', 'no') AND actor = '{actor}' AND installation {whose} 0"
_KEPT = """received_day < {until:Date} AND keep_until >= {as_of:Date}
    AND toDate(corrected_time) >= {oldest:Date}"""  # by what was agreed, and by the newest promise
_ALWAYS = date(2149, 6, 6)  # the last one that the store knows
_IN_SPAN = "corrected_time >= toDateTime64({first:Date}, 3, 'UTC') AND corrected_time < toDateTime64({end:Date}, 3, 'UTC')"
_INTERRUPTED = "ifNull(exit_status IN (-1, -2, -15, 130, 143), 0)"
_ENDED = f"(exit_status IS NOT NULL AND NOT {_INTERRUPTED})"
_AWAKE = "(duration_ms IS NOT NULL AND NOT ifNull(suspended, 0))"
_TIMED = f"({_ENDED} AND {_AWAKE})"
_WAIT = "ifNull(duration_ms, 0)"


class Store(Protocol):
    """What runs SQL."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        """Run a SELECT and return its rows."""

    def insert(self, table: str, columns: dict[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows. On return they are on the disk."""


class Breakdown(NamedTuple):
    """How rows are told apart: runs by their commands, or what ran inside them by target. Runs are never counted by their targets."""

    kind: str  # of the events
    name: str  # the column


COMMANDS, TARGETS = Breakdown("run", "command"), Breakdown("target", "target")


class Times(NamedTuple):
    """How the durations of runs that ended by themselves are described: SQL for each developer, and for all of them."""

    each: str
    all: str


QUANTILES = Times(f"groupArray(if({_TIMED}, duration_ms, NULL))", "quantilesExactInclusiveArray(0.5, 0.9)(times)")
HISTOGRAM = Times(
    f"sumMapIf([toUInt8(arrayCount(edge -> {_WAIT} > edge, {list(EDGES_MS)}))], [toUInt64(1)], {_TIMED})",
    "sumMap(tupleElement(times, 1), tupleElement(times, 2))",
)


class Span(NamedTuple):
    """From a Monday up to another."""

    first: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions(Cell):
    """What developers added to one command or target, before any rule was applied. It stays inside this package."""

    folded: bool = False  # not of one name, but of all that were folded
    failed: int = 0
    ended: int = 0  # by themselves
    ended_developers: int = 0
    interrupted: int = 0
    unknown: int = 0
    timed: int = 0
    timed_developers: int = 0
    waited: Share = NOTHING  # ms, all waiting
    waiting_developers: int = 0
    ran: Share = NOTHING  # ms, of the timed runs
    times: Any = ()  # as Times says


class Rows:
    """The rows of one population of a project, as figures see them."""

    def __init__(self, store: Store, actor: str, kept: str, parameters: Mapping[str, Any]) -> None:
        """`kept` is a condition on rows, and `parameters` are those that it and the population need."""
        self._store = store
        self._actor = actor
        self._kept = kept
        self._parameters = parameters

    def contributions(self, of: Breakdown, span: Span, times: Times, folded: Collection[str] = ()) -> list[Contributions]:
        """The contributions to every command or target; those to some of them folded into one."""
        name, is_folded = f"if({of.name} IN {{folded:Array(String)}}, '', toString({of.name}))", f"{of.name} IN {{folded:Array(String)}}"
        rows = self._run(
            f"""SELECT name, is_folded, count(), {_spread("runs")},
            sum(failed), sum(ended), countIf(ended > 0), sum(broken_off), sum(unknown), sum(timed), countIf(timed > 0),
            {_spread("waited")}, countIf(awake > 0), {_spread("ran")}, {times.all}
            FROM (SELECT {name} AS name, {is_folded} AS is_folded, installation, count() AS runs,
                countIf({_ENDED} AND exit_status != 0) AS failed, countIf({_ENDED}) AS ended, countIf({_INTERRUPTED}) AS broken_off,
                countIf(exit_status IS NULL) AS unknown, countIf({_TIMED}) AS timed, countIf({_AWAKE}) AS awake,
                sumIf({_WAIT}, {_AWAKE}) AS waited, sumIf({_WAIT}, {_TIMED}) AS ran, {times.each} AS times
                {self._from(of.kind)} GROUP BY name, is_folded, installation)
            GROUP BY name, is_folded ORDER BY name, is_folded""",
            **span._asdict(),
            folded=list(folded),
        )
        return [_contributions(row) for row in rows]

    def developers(self, of: Breakdown, span: Span, names: Collection[str] | None = None) -> int:
        """How many distinct developers there are, in all or in some commands or targets."""
        among = "" if names is None else f"AND {of.name} IN {{names:Array(String)}}"
        sql = f"SELECT uniqExact(installation) {self._from(of.kind)} {among}"
        return int(self._run(sql, **span._asdict(), names=list(names or ()))[0][0])

    def developers_by_name(self, of: Breakdown, span: Span) -> dict[str, int]:
        """How many distinct developers each command or target has."""
        sql = f"SELECT {of.name}, uniqExact(installation) {self._from(of.kind)} GROUP BY {of.name}"
        return dict(self._run(sql, **span._asdict()))  # type: ignore[arg-type]

    def began(self) -> date | None:
        """The day on which the first run was received. None: there is none."""
        sql = f"SELECT count(), min(received_day) FROM events WHERE {_PEOPLE.format(kind='run')} AND {self._kept}"
        count, day = self._run(sql)[0]
        return day if count else None

    def _from(self, kind: str) -> str:
        return f"FROM events WHERE {self._counted(kind)} AND {_IN_SPAN}"

    def _counted(self, kind: str) -> str:
        """The condition for rows of whoever counts. Agents are somebody's; CI carries no id."""
        if self._actor != "human":
            return _OTHERS.format(kind=kind, actor=self._actor, whose="=" if self._actor == "ci" else "!=")
        runs = f"{_PEOPLE.format(kind='run')} AND {self._kept}"
        active = f"SELECT installation FROM events WHERE {runs} GROUP BY installation HAVING uniqExact(toMonday(received_day)) >= {{min_weeks:UInt16}}"
        return f"{_PEOPLE.format(kind=kind)} AND {self._kept} AND installation GLOBAL IN ({active})"

    def _run(self, sql: str, **parameters: Any) -> list[Sequence[Any]]:
        return self._store.query(sql, {**self._parameters, **parameters})


def seen(store: Store, project: str, min_weeks: int, retention_days: int, as_of: date, until: date | None = None) -> Rows:
    """The rows of people that reports may be of: those that are kept on a day, and came before another (None: all).

    `retention_days` is what the project promises now.
    """
    kept = {"as_of": as_of, "until": until or _ALWAYS, "oldest": as_of - timedelta(days=retention_days)}
    return Rows(store, "human", _KEPT, {"project": project, "min_weeks": min_weeks, **kept})


def there(store: Store, project: str, min_weeks: int, actor: str) -> Rows:
    """All rows of an actor that are there, for what stays of them."""
    return Rows(store, actor, "1", {"project": project, "min_weeks": min_weeks})


def waiting(store: Store, project: str) -> list[tuple[str, date]]:
    """Why events wait in quarantine, and when the first of each came."""
    sql = "SELECT reason, min(received_day) FROM quarantine FINAL WHERE project = {project:String} GROUP BY reason ORDER BY reason"
    return [(reason, day) for reason, day in store.query(sql, {"project": project})]


def _spread(column: str) -> str:
    return f"sum({column}), max({column}), arraySum(arraySlice(arrayReverseSort(groupArray({column})), 1, 2))"


def _contributions(row: Sequence[Any]) -> Contributions:
    name, folded, developers, runs, most, two, failed, ended, enders, interrupted, unknown, timed, timers = row[:13]
    waited, longest, longest_two, waiters, ran, ran_longest, ran_longest_two, times = row[13:]
    return Contributions(
        name, developers, Share(runs, most, two), folded=bool(folded), failed=failed, ended=ended, ended_developers=enders,
        interrupted=interrupted, unknown=unknown, timed=timed, timed_developers=timers, waited=Share(waited, longest, longest_two),
        waiting_developers=waiters, ran=Share(ran, ran_longest, ran_longest_two), times=times,
    )  # fmt: skip
