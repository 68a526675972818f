"""Weekly totals, which versions before releases made when a week's rows went, become releases of those weeks: what they showed, and no more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query.releases.calendar import week
from innerloop_collector.query.releases.disclosure import K
from innerloop_collector.query.releases.document import VERSION, Atom, Durations, Outcomes, Release, rounded

ORIGIN = "weekly totals"
_FOLDED = "(folded)"
_BREAKDOWNS = {"run": "command", "target": "target"}

Row = Mapping[str, Any]  # by the columns of the table


def from_weekly_totals(project: str, rows: Sequence[Row]) -> list[Release]:
    """The releases that a project's weekly totals become, the oldest first."""
    by_week: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        by_week[row["week"]].append(row)
    return [_release(project, monday, by_week[monday]) for monday in sorted(by_week)]


def _release(project: str, monday: date, rows: Sequence[Row]) -> Release:
    people = [row for row in rows if row["actor"] == "human" and row["kind"] in _BREAKDOWNS and (row["developers"] or 0) >= K]
    whole = sum(row["runs"] for row in people if row["kind"] == "run")
    jobs = sum(row["runs"] for row in rows if row["actor"] == "ci" and row["kind"] == "run")
    return Release(
        VERSION,
        project,
        week(monday).name,
        max(row["made_day"] for row in rows),
        position=0,
        k=K,
        min_active_weeks=max(row["min_active_weeks"] for row in rows),
        atoms=(*((Atom("", "", rounded(whole)),) if whole else ()), *map(_atom, people)),
        jobs=rounded(jobs),
        origin=ORIGIN,
    )


def _atom(row: Row) -> Atom:
    unfinished = row["interrupted"] + row["unknown"]
    ways = {"succeeded": row["runs"] - row["failures"] - unfinished, "failed": row["failures"], "unfinished": unfinished}
    return Atom(
        _BREAKDOWNS[row["kind"]],
        _FOLDED if row["folded"] else row["name"],
        rounded(row["runs"]),
        outcomes=tuple(Outcomes((way,), rounded(runs)) for way, runs in ways.items()),  # type: ignore[arg-type]
        durations=tuple(Durations((place,), rounded(runs)) for place, runs in enumerate(row["histogram"])),
        waited_ms=None if row["waited_ms"] is None else three_digits(row["waited_ms"]),
    )
