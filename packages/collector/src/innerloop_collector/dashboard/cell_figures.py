"""Figures of one command, target or other cell: how its durations are spread, how much slower a slow run is, and what is on the critical path."""

from innerloop_collector.dashboard import figure, words
from innerloop_collector.dashboard.figure import Cell, Chart, Column, Figure, Row
from innerloop_collector.dashboard.page_tables import address, hidden_rows
from innerloop_collector.dashboard.series import Measure, series
from innerloop_collector.query import Bin, Milliseconds
from innerloop_collector.reports.views import Distribution, Report, Target, Trend

_TIMES = figure.spread_fields("times")


def distribution(told: Distribution, k: int) -> Figure:
    """Runs by how long they took: the published parts of the durations."""
    bars = figure.with_bars([figure.share(one.share) for one in told.bins])
    rows = [Row((_took(one), bar, figure.count(one.runs))) for one, bar in zip(told.bins, bars, strict=True)]
    return Figure(
        "distribution",
        "How long it takes",
        "Runs by how long they took, of those that have a duration",
        (
            Column("Took", ("took_at_least_ms", "took_at_most_ms", "with_untimed"), numeric=False),
            Column("Part", ("share",), bars=True),
            Column("Runs", ("runs",)),
        ),
        tuple(rows),
        note=f"The parts are of unequal length: one that fewer than {k} developers are behind, or that few of them dominate, is told with its neighbour."
        if rows
        else "",
        empty=f"How long runs took may not be told apart: fewer than {k} developers are behind a part of them, or few have most of it.",
    )


def _took(of: Bin) -> Cell:
    """Between what the durations of a part lie. It has no words of its own where it has no end."""
    values = (_value(of.took.at_least), _value(of.took.at_most), "yes" if of.untimed else "no")
    return Cell(words.bounds(of.took), values, "(and without a duration)" if of.untimed else "")


def _value(of: Milliseconds | None) -> int | None:
    return of.value if of else None


def predictability(trend: Trend, *, weekly: bool) -> Figure:
    """How many times as long as a typical run a slow one takes."""
    about, low, high = _TIMES
    measure = Measure(
        "predictability",
        "Predictability",
        "How many times as long as a typical run (p50) a slow one (p90) takes. Band: between what the published durations leave it",
        "Of all runs together: people, machines and what is built differ as well.",
        (Column("A slow one takes", _TIMES), Column("Runs", ("runs",))),
        lambda one, _: (figure.spread(one.spread), figure.count(one.runs)),
        Chart(about, "p90 / p50", "times", low=low, high=high),
    )
    return series(measure, trend, weekly=weekly)


def steps(report: Report, of: str = "") -> Figure:
    """What takes most of the critical path, over all runs. `of`: the target whose page it is."""
    told = sorted((one for one in report.targets if one.critical_minutes), key=_own, reverse=True)
    bars = figure.with_bars([figure.waited(one.critical_minutes) for one in told])
    rows = [
        Row((figure.name(one.target, address(report.project, "targets", one.target), "this one" if one.target == of else ""), bar,
             figure.quantile(one.p50), figure.count(one.times)))
        for one, bar in zip(told, bars, strict=True)
    ]  # fmt: skip
    return Figure(
        "steps",
        "Steps on the critical path",
        "A target's own time, without that of targets inside of it, in all runs that would have ended earlier without it",
        (
            Column("Target", ("target",), numeric=False, mono=True),
            Column("On the critical path", ("critical_minutes",), bars=True),
            Column("Typical (p50)", figure.quantile_fields("p50")),
            Column("Times", ("times",)),
        ),
        (*rows, *hidden_rows(report.project, "targets", report.hidden_targets)) if rows else (),
        note=f"In whole blocks. {_unsaid(report, of)}".strip(),
        empty="Of no target its part of the critical path may be told in whole blocks, or developers' machines do not send it.",
    )


def _own(of: Target) -> float:
    return of.critical_minutes.value if of.critical_minutes else 0


def _unsaid(report: Report, of: str) -> str:
    """Why the target whose page it is has no number."""
    if all(one.target != of or one.critical_minutes for one in report.targets):
        return ""
    return (
        f"Of {of} it is not told: it was on none, fewer than {report.k} developers had it there, few of them dominate it, "
        "or what is left of its time would tell of somebody."
    )
