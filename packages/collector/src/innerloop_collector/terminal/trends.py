"""How figures went, as text and as comma-separated values."""

import csv
import io
from typing import Any

from innerloop_collector.query import Point, text
from innerloop_collector.query.received import received
from innerloop_collector.reports.views import Trend
from innerloop_collector.terminal.drawing import table
from innerloop_collector.terminal.report import time

_BARS = "▁▂▃▄▅▆▇█"


def render(answer: dict[str, Any]) -> str:
    """A line for each block, the oldest first, and a line of bars for the median wait."""
    trend = received(answer, Trend)
    head = ("block", "first day", "runs", "developers", "p50 wait", "p90", "failed", "waited")
    rows = [_row(point) for point in trend.points]
    shown = table(head, rows, f"nothing of {trend.project} is published yet")
    waits = [_middle(point) for point in trend.points]
    of = f"{trend.name or 'all runs'} of {trend.project}"
    return f"{of}\n{shown}\n\np50 wait  {_bars(waits)}" if any(waits) else f"{of}\n{shown}"


def as_csv(answer: dict[str, Any]) -> str:
    """A row for each block. Empty: not published."""
    trend = received(answer, Trend)
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(
        [
            "project", "by", "name", "block", "first_day", "last_day", "complete", "runs", "developers_from", "developers_to", "p50_ms",
            "p50_at_least_ms", "p50_at_most_ms", "p90_ms", "failure_rate", "waited_minutes",
        ]
    )  # fmt: skip
    for point in trend.points:
        lines.writerow(
            [trend.project, trend.by, _harmless(trend.name), point.period, point.first, point.last, int(point.complete), *_values(point)]
        )
    return out.getvalue().rstrip("\n")


def _row(point: Point) -> tuple[str, ...]:
    one, so_far = point.figures, "" if point.complete else " so far"
    if one is None:
        return (point.period + so_far, point.first.isoformat(), *("-" for _ in range(6)))
    return (
        point.period + so_far,
        point.first.isoformat(),
        text(one.runs),
        text(one.developers),
        time(one.p50),
        time(one.p90),
        text(one.failure_rate),
        text(one.waited),
    )


def _values(point: Point) -> list[Any]:
    one = point.figures
    if one is None:
        return [""] * 9
    low, high = one.developers.value if one.developers else ("", "")
    p50 = (one.p50.about, one.p50.at_least, one.p50.at_most) if one.p50 else (None, None, None)
    rest = (*p50, one.p90.about if one.p90 else None, one.failure_rate, one.waited)
    return [one.runs.value, low, high, *("" if number is None else number.value for number in rest)]


def _harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@") else name


def _middle(point: Point) -> float | None:
    p50 = point.figures.p50 if point.figures else None
    return None if p50 is None else float((p50.about or p50.at_least).value)


def _bars(values: list[float | None]) -> str:
    """One bar for each value, up to the largest; a dot where there is none."""
    largest = max(value for value in values if value is not None)
    return "".join("." if value is None else _BARS[min(int(8 * value / largest), 7)] for value in values)
