"""Figures over time: one cell, or all runs, week by week or block by block."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from innerloop_collector.dashboard import figure, words
from innerloop_collector.dashboard.figure import WHEN, Cell, Chart, Column, Figure, Row
from innerloop_collector.query import FigureRow, Point
from innerloop_collector.reports.views import Trend

_WHEN = Column("Period", WHEN, numeric=False)
_PER_WEEK = "Blocks have four or five weeks, so each is told by the week: its total divided by its weeks."
_STEPS = "Durations are published in steps, and small steps are merged: a quantile lies within one."
_FAILED = figure.share_fields("failed")
_SPARK = 26  # weeks


@dataclass(frozen=True, slots=True)
class Measure:
    """What is told of each period."""

    id: str
    title: str
    subtitle: str
    note: str
    columns: tuple[Column, ...]
    cells: Callable[[FigureRow, int], tuple[Cell, ...]]  # of a period of so many weeks
    chart: Chart


def duration(trend: Trend, *, weekly: bool) -> Figure:
    """How long it took: p50 with its bounds, and p90."""
    p50, low, high = figure.quantile_fields("p50")
    measure = Measure(
        "duration",
        "Duration",
        "What ended by itself, logarithmic scale. Band: the published durations between which p50 lies",
        f"p50: half took less. p90: nine of ten took less. {_STEPS}",
        (Column("Typical (p50)", (p50, low, high)), Column("Slow (p90)", figure.quantile_fields("p90")), Column("Runs", ("runs",))),
        lambda one, _: (figure.quantile(one.p50), figure.quantile(one.p90), figure.count(one.runs)),
        Chart(p50, "p50", "milliseconds", low=low, high=high, second="p90_ms", second_label="p90", scale="log"),
    )
    return series(measure, trend, weekly=weekly)


def waiting(trend: Trend, *, weekly: bool) -> Figure:
    """How long people waited altogether."""
    measure = Measure(
        "waiting",
        "Waiting",
        "Time waited by all developers together, per week; also for what failed or was interrupted",
        "" if weekly else _PER_WEEK,
        (Column("Waited per week", ("waited_minutes_per_week",)), Column("Runs", ("runs",))),
        lambda one, weeks: (figure.per_week(one.waited, weeks), figure.count(one.runs)),
        Chart("waited_minutes_per_week", "waited", "minutes"),
    )
    return series(measure, trend, weekly=weekly)


def failures(trend: Trend, *, weekly: bool, note: str = "") -> Figure:
    """Which part failed."""
    measure = Measure(
        "failures",
        "Failures",
        "Part that failed, of what failed or succeeded. Band: what rounding and chance leave open (95 %)",
        f"{note} What was stopped with Ctrl-C is no failure.".strip(),
        (Column("Failed", _FAILED), Column("Runs", ("runs",))),
        lambda one, _: (figure.share_in(one.failure_rate, one.failure_range), figure.count(one.runs)),
        Chart("failed", "failed", "share", low=_FAILED[1], high=_FAILED[2]),
    )
    return series(measure, trend, weekly=weekly)


def series(of: Measure, trend: Trend, *, weekly: bool) -> Figure:
    """A figure with a row for each period, the newest first, from the first on of which anything is told."""
    points = list(trend.points)
    while points and points[0].figures is None:
        points.pop(0)
    by = "week" if weekly else "block of weeks"
    return Figure(
        of.id,
        f"{of.title} by {by}",
        of.subtitle,
        (_WHEN, *of.columns),
        tuple(_row(one, of) for one in reversed(points)),
        note=f"{of.note} A gap is a period of which this may not be told. {words.renamed(trend.renamed_from)}".strip(),
        chart=of.chart,
        empty=f"Nothing of this is published by the {by}.",
    )


def _row(one: Point, of: Measure) -> Row:
    when = figure.when(one.period, one.first, one.last)
    if one.figures is None:
        return Row((when, *(figure.untold(column) for column in of.columns)))
    return Row((when, *of.cells(one.figures, ((one.last - one.first).days + 1) // 7)))


def in_short(made: Figure) -> Figure:
    """The figure with a sentence for who does not see its chart."""
    told = [row.cells for row in made.rows if row.cells[1].values[0] is not None]
    if not told:
        return made
    newest, oldest = told[0], told[-1]
    return replace(made, explained=f"{made.columns[1].title}: {newest[1].text}, {newest[0].text}; {oldest[1].text}, {oldest[0].text}.")


def sparkline(points: tuple[Point, ...], value: Callable[[FigureRow], float | None]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The last weeks as lines in a box of 100 x 100, broken where nothing is told."""
    values = [value(one.figures) if one.figures else None for one in points[-_SPARK:]]
    told = [one for one in values if one is not None]
    if len(told) < 2:
        return ()
    low, high = min(told), max(told)
    lines: list[list[tuple[float, float]]] = [[]]
    for place, one in enumerate(values):
        if one is None:
            lines.append([])
        else:
            height = (one - low) / (high - low) if high > low else 0.5
            lines[-1].append((round(100 * place / (len(values) - 1), 1), round(90 - 80 * height, 1)))
    return tuple(tuple(line) for line in lines if len(line) > 1)
