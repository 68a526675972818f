# ruff: noqa: S608 - the text is ours, from constants; every value is a parameter
"""Weekly totals: what stays of raw rows. Numbers only, no id and no sketch of ids. May import: reports, the store's engine and schema.

A week's totals are made once, from all of its rows, before the first of them goes, and in one atomic insert with a row that says so. Who
counts is who counts in a report; what a report would hide is folded into one row, and left out where that row too is about few.
Runs of coding agents are somebody's, so they take as many people. CI carries no id: its runs are counted as they are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from innerloop.plan.granularity import three_digits
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.query import rules
from innerloop_collector.query.queries import ENDED, IN_WINDOW, INTERRUPTED, TIMED, counted

EDGES_MS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000)
MADE = "week"  # the kind of the row that says that a week's totals were made
_NAMES = {"run": "command", "target": "target"}
_OTHERS = """project = {{project:String}} AND kind = '{kind}' AND is_test IN ('', 'no') AND actor = '{actor}'"""
_LARGEST_TWO = "arraySum(arraySlice(arrayReverseSort(groupArray({column})), 1, 2))"


def _population(kind: str, actor: str) -> str:
    if actor == "human":
        return counted(kind)
    return f"{_OTHERS.format(kind=kind, actor=actor)} AND installation {'=' if actor == 'ci' else '!='} 0"


def _figures(kind: str, actor: str) -> str:
    """One row for each name: how its runs went, how long they took and how they are spread over developers."""
    name = f"if({_NAMES[kind]} IN {{hidden:Array(String)}}, '', toString({_NAMES[kind]}))"
    return f"""SELECT name, is_folded, count(), sum(runs), max(runs), {_LARGEST_TWO.format(column="runs")},
        sum(failed), sum(broken_off), sum(unknown), sum(timed), countIf(timed > 0),
        sum(waited), max(waited), {_LARGEST_TWO.format(column="waited")}, sumMap(tupleElement(spans, 1), tupleElement(spans, 2))
        FROM (SELECT {name} AS name, {_NAMES[kind]} IN {{hidden:Array(String)}} AS is_folded, installation, count() AS runs,
            countIf({ENDED} AND exit_status != 0) AS failed, countIf({INTERRUPTED}) AS broken_off, countIf(exit_status IS NULL) AS unknown,
            countIf({TIMED}) AS timed, sumIf(ifNull(duration_ms, 0), {TIMED}) AS waited,
            sumMapIf([toUInt8(arrayCount(edge -> ifNull(duration_ms, 0) > edge, {{edges:Array(UInt64)}}))], [toUInt64(1)], {TIMED}) AS spans
            FROM events WHERE {_population(kind, actor)} AND {IN_WINDOW} GROUP BY name, is_folded, installation)
        GROUP BY name, is_folded ORDER BY name, is_folded"""


@dataclass(frozen=True, slots=True)
class _Figures:
    name: str
    folded: bool
    developers: int
    runs: rules.Share
    failed: int
    interrupted: int
    unknown: int
    timed: int
    timed_developers: int
    waited: rules.Share
    histogram: Sequence[int]


class WeeklyTotals:
    """Makes and reads weekly totals."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def made(self, project: str, week: date) -> bool:
        """Tell whether a week's totals are there already."""
        sql = "SELECT count() FROM weekly_totals WHERE project = {project:String} AND week = {week:Date} AND kind = {kind:String}"
        return bool(self._engine.query(sql, {"project": project, "week": week, "kind": MADE})[0][0])

    def make(self, project: str, week: date, min_weeks: int, today: date) -> int:
        """Make the totals of a week (its Monday) for good. Returns how many rows there are."""
        cells = [
            cell for kind in _NAMES for actor in ("human", "agent", "ci") for cell in self._cells(project, week, kind, actor, min_weeks)
        ]
        whole: tuple[Any, ...] = (project, week, MADE, "", 0, "", 0, 0, 0, 0, None, None, None, [])
        rows = [(*cell, min_weeks, today) for cell in [*cells, whole]]
        self._engine.insert("weekly_totals", schema.WEEKLY_TOTALS, rows)
        return len(cells)

    def read(self, project: str) -> list[dict[str, Any]]:
        """Every row of a project's totals, the oldest week first. The store keeps exact numbers; what comes out is rounded."""
        sql = f"""SELECT {", ".join(schema.WEEKLY_TOTALS)} FROM weekly_totals FINAL
            WHERE project = {{project:String}} AND kind != '{MADE}' ORDER BY week, kind, actor, folded, name"""
        rows = [dict(zip(schema.WEEKLY_TOTALS, row, strict=True)) for row in self._engine.query(sql, {"project": project})]
        teams: dict[tuple[Any, ...], int] = {}
        for row in rows:
            teams[_breakdown(row)] = max(row["developers"] or 0, teams.get(_breakdown(row), 0))
        return [row if row["actor"] == "ci" else _released(row, teams[_breakdown(row)]) for row in rows]

    def _cells(self, project: str, week: date, kind: str, actor: str, min_weeks: int) -> list[tuple[Any, ...]]:
        common = {"project": project, "first": week, "end": week + timedelta(weeks=1), "min_weeks": min_weeks, "edges": list(EDGES_MS)}
        found = self._figures(kind, actor, common, ())
        if actor != "ci":
            hidden = self._hidden(kind, actor, common, found)
            found = [one for one in self._figures(kind, actor, common, hidden) if rules.may_show(_cell(one))] if hidden else found
        return [(project, week, kind, one.name, one.folded, actor, *_numbers(one, actor)) for one in found]

    def _hidden(self, kind: str, actor: str, common: dict[str, Any], found: list[_Figures]) -> frozenset[str]:
        sql = f"""SELECT uniqExact(installation) FROM events
            WHERE {_population(kind, actor)} AND {IN_WINDOW} AND {_NAMES[kind]} IN {{names:Array(String)}}"""

        def developers_in(names: Collection[str]) -> int:
            return int(self._engine.query(sql, {**common, "names": list(names)})[0][0])

        return rules.hidden([_cell(one) for one in found], developers_in)

    def _figures(self, kind: str, actor: str, common: dict[str, Any], hidden: Collection[str]) -> list[_Figures]:
        rows = self._engine.query(_figures(kind, actor), {**common, "hidden": list(hidden)})
        return [_read(row) for row in rows]


def _read(row: Sequence[Any]) -> _Figures:
    name, folded, developers, runs, most, two, failed, interrupted, unknown, timed, timers, waited, longest, longest_two, spans = row
    counts = dict(zip(*spans, strict=True))
    histogram = [counts.get(bucket, 0) for bucket in range(len(EDGES_MS) + 1)]
    shares = rules.Share(runs, most, two), rules.Share(waited, longest, longest_two)
    return _Figures(name, bool(folded), developers, shares[0], failed, interrupted, unknown, timed, timers, shares[1], histogram)


def _breakdown(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["week"], row["kind"], row["actor"]


def _released(row: dict[str, Any], team: int) -> dict[str, Any]:
    """What a person may see of a row that is about people, rounded as a report rounds. `team` is the most developers of one name."""
    counts = {name: rules.rounded(row[name]) for name in ("runs", "failures", "interrupted", "unknown")}
    timed = None if row["timed"] is None else rules.rounded(row["timed"])
    waited = None if row["waited_ms"] is None else three_digits(row["waited_ms"])
    histogram = [rules.rounded(runs) for runs in row["histogram"]]
    developers = rules.shown_developers(row["developers"], team)
    return {**row, **counts, "timed": timed, "waited_ms": waited, "histogram": histogram, "developers": developers}


def _cell(one: _Figures) -> rules.Cell:
    return rules.Cell(one.name, one.developers, one.runs)


def _numbers(one: _Figures, actor: str) -> tuple[Any, ...]:
    """The numbers of a row. How long runs took is left out where few people's waiting is most of it."""
    nobodys = actor == "ci"
    shown = nobodys or (one.timed_developers >= rules.K and not one.waited.dominated)
    times = (one.timed, int(one.waited.total), list(one.histogram)) if shown else (None, None, [])
    return (int(one.runs.total), one.failed, one.interrupted, one.unknown, None if nobodys else one.developers, *times)
