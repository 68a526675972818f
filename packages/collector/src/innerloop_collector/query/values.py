"""From what passed the rules to values that may be shown: rounded, and each of them only where enough developers add to it."""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query import rules
from innerloop_collector.query.contributions import Contributions
from innerloop_collector.query.pipeline import Passed
from innerloop_collector.query.published import Count, Milliseconds, Minutes, Rate, View, seal


class FigureRow(View, frozen=True):
    """The figures of one command or target. None: may not be shown, or cannot be known."""

    name: str
    runs: Count
    developers: Count | None  # None also where it is the whole team
    p50: Milliseconds | None
    p90: Milliseconds | None
    failure_rate: Rate | None
    interrupted: Count
    unknown: Count
    waited: Minutes | None


class FigureTable(View, frozen=True):
    """The figures of a breakdown."""

    rows: tuple[FigureRow, ...]
    hidden: tuple[str, ...]  # names


class WeeklyTotal(View, frozen=True):
    """What stays of one week of a command or target, or of those that were folded into one."""

    project: str
    week: date  # its Monday
    kind: str
    name: str
    folded: int
    actor: str
    runs: Count
    failures: Count
    interrupted: Count
    unknown: Count
    developers: Count | None  # as in FigureRow; None also of jobs, which are nobody's
    timed: Count | None  # how many runs `waited_ms` and `histogram` are of; None where few people's waiting is most of it
    waited_ms: Milliseconds | None
    histogram: tuple[Count, ...]
    min_active_weeks: int
    made_day: date


def figures(found: Passed, team: int) -> FigureTable:
    """What passed, as values. `team` is how many developers there are."""
    return FigureTable(tuple(_row(one, team) for one in found.contributions), tuple(sorted(found.hidden)))


def team_size(developers: int) -> Count:
    """About how many developers are counted."""
    return _count(developers)


def weekly_totals(rows: Sequence[dict[str, Any]]) -> Iterable[WeeklyTotal]:
    """What was stored when it had passed, as values. The store keeps exact numbers."""
    teams: dict[tuple[Any, ...], int] = {}
    for row in rows:
        teams[_breakdown(row)] = max(row["developers"] or 0, teams.get(_breakdown(row), 0))
    for row in rows:
        if row["actor"] == "ci":
            yield _of_jobs(row)
        elif rules.may_show_part(row["developers"]):
            yield _of_people(row, teams[_breakdown(row)])


def _row(one: Contributions, team: int) -> FigureRow:
    timed, ended = rules.may_show_part(one.timed_developers), rules.may_show_part(one.ended_developers)
    return FigureRow(
        name=one.name,
        runs=_count(int(one.runs.total)),
        developers=_developers(one.developers, team),
        p50=_time(one.times[0]) if timed else None,
        p90=_time(one.times[1]) if rules.may_show_p90(one.timed_developers) else None,
        failure_rate=seal(Rate, round(one.failed / one.ended, 2)) if ended else None,
        interrupted=_count(one.interrupted),
        unknown=_count(one.unknown),
        waited=_minutes(int(one.waited.total)) if rules.may_show_sum(one.waiting_developers, one.waited) else None,
    )


def _of_people(row: dict[str, Any], team: int) -> WeeklyTotal:
    counts = {name: _count(row[name]) for name in ("runs", "failures", "interrupted", "unknown")}
    times = {
        "timed": None if row["timed"] is None else _count(row["timed"]),
        "waited_ms": None if row["waited_ms"] is None else _time(row["waited_ms"]),
        "histogram": tuple(map(_count, row["histogram"])),
    }
    return WeeklyTotal(**{**row, **counts, **times, "developers": _developers(row["developers"], team)})


def _of_jobs(row: dict[str, Any]) -> WeeklyTotal:
    """Jobs of CI are nobody's: they are counted as they are."""
    counts = {name: seal(Count, row[name]) for name in ("runs", "failures", "interrupted", "unknown", "timed")}
    times = {"waited_ms": seal(Milliseconds, row["waited_ms"]), "histogram": tuple(seal(Count, runs) for runs in row["histogram"])}
    return WeeklyTotal(**{**row, **counts, **times, "developers": None})


def _breakdown(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["week"], row["kind"], row["actor"]


def _count(number: int) -> Count:
    return seal(Count, rules.rounded(number))


def _developers(number: int, team: int) -> Count | None:
    shown = rules.shown_developers(number, team)
    return None if shown is None else seal(Count, shown)


def _time(value: float) -> Milliseconds | None:
    return None if math.isnan(value) else seal(Milliseconds, three_digits(round(value)))


def _minutes(waited: int) -> Minutes:
    return seal(Minutes, round(three_digits(waited) / 60_000, 4))
