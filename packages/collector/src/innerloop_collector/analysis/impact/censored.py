"""Durations where many runs were stopped before they ended: such a run would have taken longer, and nobody knows how much.

Logarithms of durations are taken as normal within a cell and week. A stopped run counts with what it would have taken on average, given that it took
longer than it was waited for (the model of Tobin 1958, for runs that are stopped at times of their own). It is solved by weighted regressions; a stopped run
weighs as much as it tells.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr

from innerloop_collector.analysis.impact.codes import grouped
from innerloop_collector.analysis.impact.panel import Numbers, summed
from innerloop_collector.analysis.impact.regression import Observations, by_trend, by_week, fitted
from innerloop_collector.analysis.impact.selection import Grid, Selected, grid

_MOST_TURNS = 100
_STILL = 1e-5  # of an effect: a thousandth of a percent


@dataclass(frozen=True, eq=False)
class _Rows:
    """Sums of the rows of observations: completed and stopped runs."""

    n: Numbers
    total: Numbers
    squares: Numbers
    stopped: Numbers
    limit: Numbers  # the mean logarithm at which they were stopped
    spread: Numbers  # its variance


def with_stopped(selected: Selected) -> Observations | None:
    """Means in which stopped runs count as what they would have taken, or nothing where there are none to learn from."""
    selected = _with_something_completed(selected)
    panel = selected.panel
    weight = panel.timed + panel.stopped
    laid = grid(selected, weight)
    if laid is None:
        return None
    seen = laid.means(weight, panel.sum_log + panel.stopped_sum_log)
    rows = _rows(selected, laid)
    nuisance = by_week(seen) if selected.question.control is not None else by_trend(seen)
    mean, spread = seen.y, float(np.sqrt(max(_variance(rows), 1e-6)))
    cells = int(seen.cell[-1]) + 1
    freedom = max(1 - (cells + nuisance.shape[1]) / float(weight.sum()), 0.1)
    before = np.inf
    working = seen
    for _ in range(_MOST_TURNS):
        working, squares = _expected(seen, rows, mean, spread)
        value, mean = fitted(working, nuisance)
        spread = float(np.sqrt(max(squares / float((rows.n + rows.stopped).sum()) / freedom, 1e-6)))
        if abs(value - before) < _STILL:
            break
        before = value
    return working


def _with_something_completed(selected: Selected) -> Selected:
    """Leave out cells in which no run ever ended: nothing says how long they take."""
    panel = selected.panel
    parts = [panel.user, panel.project, panel.target, *([panel.work] if selected.question.same_work else [])]
    cell, firsts = grouped(parts)
    chosen = summed(cell, panel.timed, len(firsts))[cell] > 0
    rest = (selected.treated[chosen], selected.after[chosen], selected.changed[chosen])
    return replace(selected, panel=panel.where(chosen), treated=rest[0], after=rest[1], changed=rest[2])


def _rows(selected: Selected, laid: Grid) -> _Rows:
    panel = selected.panel
    columns = (panel.timed, panel.sum_log, panel.sum_log2, panel.stopped, panel.stopped_sum_log, panel.stopped_sum_log2)
    n, total, squares, stopped, limits, limits2 = (laid.sums(column) for column in columns)
    some = np.maximum(stopped, 1e-300)
    mean = np.where(stopped > 0, limits / some, 0.0)
    return _Rows(n, total, squares, stopped, mean, np.where(stopped > 0, np.maximum(limits2 / some - mean**2, 0.0), 0.0))


def _variance(rows: _Rows) -> float:
    n = float(rows.n.sum())
    return float(rows.squares.sum()) / n - (float(rows.total.sum()) / n) ** 2


def _expected(seen: Observations, rows: _Rows, mean: Numbers, spread: float) -> tuple[Observations, float]:
    """One turn: what each row weighs and is taken to be, and the sum of squares that is expected."""
    z = (rows.limit - mean) / spread
    hazard = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(-z))
    slope = hazard * (hazard - z)  # between 0 and 1: what a stopped run tells of its mean
    bend = slope * (hazard - z) + hazard * (slope - 1)
    scatter = np.minimum(rows.spread / spread**2, 1.0)  # runs of a row are stopped at different times
    above = hazard + 0.5 * bend * scatter
    weight = rows.n + rows.stopped * np.clip(slope, 1e-6, 1.0)
    y = mean + (rows.total - rows.n * mean + rows.stopped * spread * above) / weight
    completed = rows.squares - 2 * mean * rows.total + rows.n * mean * mean
    squares = completed + rows.stopped * spread**2 * (1 + z * hazard)
    return replace(seen, weight=weight, y=y), float(squares.sum())
