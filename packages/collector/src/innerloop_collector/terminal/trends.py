"""How figures went, as text and as comma-separated values."""

import csv
import io
from collections.abc import Callable
from typing import Any

from innerloop_collector.query import FigureRow, Point, Published, text
from innerloop_collector.query.received import received
from innerloop_collector.reports.spreadsheet import harmless
from innerloop_collector.reports.views import Trend
from innerloop_collector.terminal.drawing import draw, sparkline, width
from innerloop_collector.terminal.report import table_of_text, time


def render(answer: dict[str, Any]) -> str:
    """A line for each block, the oldest first, and for each measure a line of bars."""
    trend = received(answer, Trend)
    rows = [_row(point) for point in trend.points]
    shown = draw(table_of_text(rows, width())) if rows else f"nothing of {trend.project} is published yet"
    before = f", before called {', '.join(trend.renamed_from)}" if trend.renamed_from else ""
    return "\n".join([f"{trend.name or 'all runs'} of {trend.project}{before}", shown, *_sparklines(trend.points)])


def _sparklines(points: tuple[Point, ...]) -> list[str]:
    """How each measure went, from nothing up to its most; as many of the newest blocks as there is room for."""
    lines = []
    for title, value in _MEASURES.items():
        values = [value(point.figures) if point.figures else None for point in points][-(width() - _TITLE) :]
        if any(values):
            lines.append(f"{title:<{_TITLE}}{sparkline(values)}")
    return ["", *lines] if lines else []


def as_csv(answer: dict[str, Any]) -> str:
    """A row for each block. Empty: not published."""
    trend = received(answer, Trend)
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(
        [
            "project", "by", "name", "block", "first_day", "last_day", "complete", "runs", "developers_from", "developers_to", "p50_ms",
            "p50_at_least_ms", "p50_at_most_ms", "p90_ms", "failure_rate", "waited_minutes", "failure_rate_at_least", "failure_rate_at_most",
            "p90_to_p50_at_least", "p90_to_p50_at_most", "waited_minutes_per_developer_week", "runs_of_agents", "runs_in_ci",
        ]
    )  # fmt: skip
    for point in trend.points:
        lines.writerow(
            [trend.project, trend.by, harmless(trend.name), point.period, point.first, point.last, int(point.complete), *_values(point)]
        )
    return out.getvalue().rstrip("\n")


def _row(point: Point) -> dict[str, str]:
    one, so_far = point.figures, "" if point.complete else " so far"
    return {
        "block": point.period + so_far,
        "first day": point.first.isoformat(),
        "runs": text(one.runs) if one else "-",
        "developers": text(one.developers) if one else "-",
        "p50 wait": time(one.p50) if one else "-",
        "p90": time(one.p90) if one else "-",
        "failed": text(one.failure_rate) if one else "-",
        "waited": text(one.waited) if one else "-",
        "agents": text(point.agents.runs) if point.agents else "-",
        "CI": text(point.jobs),
    }


def _values(point: Point) -> list[Any]:
    one, others = point.figures, (point.agents.runs if point.agents else None, point.jobs)
    low, high = one.developers.value if one and one.developers else ("", "")
    numbers = (*(_numbers(one) if one else [None] * 12), *others)
    first, *rest = ("" if number is None else number.value for number in numbers)
    return [first, low, high, *rest]


def _numbers(one: FigureRow) -> list[Published[Any] | None]:
    """Everything but the people, in the order of the columns."""
    p50 = (one.p50.about, one.p50.at_least, one.p50.at_most) if one.p50 else (None, None, None)
    rate = (one.failure_range.at_least, one.failure_range.at_most) if one.failure_range else (None, None)
    spread = (one.spread.at_least, one.spread.at_most) if one.spread else (None, None)
    week = one.waited_per_developer_week.about if one.waited_per_developer_week else None
    return [one.runs, *p50, one.p90.about if one.p90 else None, one.failure_rate, one.waited, *rate, *spread, week]


def _middle(of: FigureRow) -> float | None:
    return None if of.p50 is None else float((of.p50.about or of.p50.at_least).value)


_TITLE = 10
_MEASURES: dict[str, Callable[[FigureRow], float | None]] = {
    "p50 wait": _middle,
    "failed": lambda of: of.failure_rate.value if of.failure_rate else None,
    "waited": lambda of: of.waited.value if of.waited else None,
    "runs": lambda of: of.runs.value,
}
