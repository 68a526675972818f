"""Weekly totals: what stays of raw rows. Numbers only, no id and no sketch of ids.

A week's totals are made once, from all of its rows, before the first of them goes, and in one atomic insert with a row that says so. Who
counts is who counts in a report; what a report would hide is folded into one row, and left out where that row too is about few.
Runs of coding agents are somebody's, so they take as many people. CI carries no id: its runs are counted as they are.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from innerloop_collector.db import schema
from innerloop_collector.query import rules
from innerloop_collector.query.contributions import (
    ACTORS,
    COMMANDS,
    EDGES_MS,
    HISTOGRAM,
    TARGETS,
    Breakdown,
    Contributions,
    Span,
    Store,
    there,
)
from innerloop_collector.query.pipeline import passed_or_folded
from innerloop_collector.query.values import WeeklyTotal, weekly_totals

_MADE = "week"  # the kind of the row that says that a week's totals were made


class WeeklyTotals:
    """Makes and reads weekly totals."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def made(self, project: str, week: date) -> bool:
        """Tell whether a week's totals are there already."""
        sql = "SELECT count() FROM weekly_totals WHERE project = {project:String} AND week = {week:Date} AND kind = {kind:String}"
        return bool(self._store.query(sql, {"project": project, "week": week, "kind": _MADE})[0][0])

    def make(self, project: str, week: date, min_weeks: int, today: date) -> int:
        """Make the totals of a week (its Monday) for good. Returns how many rows there are."""
        cells = [
            (project, week, of.kind, one.name, one.folded, actor, *_numbers(one, actor))
            for of in (COMMANDS, TARGETS)
            for actor in ACTORS
            for one in self._contributions(project, week, of, actor, min_weeks)
        ]
        whole: tuple[Any, ...] = (project, week, _MADE, "", 0, "", 0, 0, 0, 0, None, None, None, [])
        self._store.insert("weekly_totals", schema.WEEKLY_TOTALS, [(*cell, min_weeks, today) for cell in [*cells, whole]])
        return len(cells)

    def read(self, project: str) -> Iterable[WeeklyTotal]:
        """Every row of a project's totals, the oldest week first."""
        sql = f"""SELECT {", ".join(schema.WEEKLY_TOTALS)} FROM weekly_totals FINAL
            WHERE project = {{project:String}} AND kind != '{_MADE}' ORDER BY week, kind, actor, folded, name"""  # noqa: S608 (names of ours)
        rows = self._store.query(sql, {"project": project})
        return weekly_totals([dict(zip(schema.WEEKLY_TOTALS, row, strict=True)) for row in rows])

    def _contributions(self, project: str, week: date, of: Breakdown, actor: str, min_weeks: int) -> Sequence[Contributions]:
        rows, span = there(self._store, project, min_weeks, actor), Span(week, week + timedelta(weeks=1))
        if actor == "ci":
            return rows.contributions(of, span, HISTOGRAM)
        return passed_or_folded(rows, of, span, HISTOGRAM).contributions


def _numbers(one: Contributions, actor: str) -> tuple[Any, ...]:
    """The numbers of a row. How long runs took is left out where few people's waiting is most of it."""
    nobodys = actor == "ci"
    counts = dict(zip(*one.times, strict=True))
    histogram = [counts.get(bucket, 0) for bucket in range(len(EDGES_MS) + 1)]
    shown = nobodys or rules.may_show_sum(one.timed_developers, one.ran)
    times = (one.timed, int(one.ran.total), histogram) if shown else (None, None, [])
    return (int(one.runs.total), one.failed, one.interrupted, one.unknown, None if nobodys else one.developers, *times)
