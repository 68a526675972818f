"""How much weeks differ among themselves: what hits all treated runs of a week at once makes people's number no help.

The gap of a week is how far treated runs lie above control runs in it, each compared within cells. How far gaps scatter, beside what the change did, says how
sure an effect can be that is a sum of them (Donald and Lang 2007).
"""

from dataclasses import dataclass

import numpy as np

from innerloop_collector.analysis.impact.intervals import Uncertainty
from innerloop_collector.analysis.impact.panel import Codes, Numbers
from innerloop_collector.analysis.impact.regression import Observations, Totals

_MOST = 0.8  # of a correlation between neighbouring weeks that a handful of weeks may show
_CORRELATED = 0.3


_BEFORE = 4  # weeks that it takes to see how much they differ
_SINCE = 2


@dataclass(frozen=True)
class ByWeeks:
    """The effect by the gaps alone."""

    value: float
    uncertainty: Uncertainty


@dataclass(frozen=True, eq=False)
class Weekly:
    """The gap of each week, and what they say. None: too few weeks."""

    calendar: Codes
    gaps: Numbers
    found: ByWeeks | None


def weekly(seen: Observations, totals: Totals, pull: Numbers, date: int, *, control: bool) -> Weekly:
    """Judge by weeks alone how sure an effect is, of which `pull` says by how much it moves with the treated runs of each week.

    Without controls the gap is what treated runs did, beside a straight line.
    """
    treated, share = totals.effects(totals.treated)
    gaps = treated - totals.effects(totals.whole - totals.treated)[0] if control else treated
    early = np.isfinite(gaps) & (seen.calendar < date)
    if early.any():
        gaps = gaps - gaps[early].mean()
    return Weekly(seen.calendar, gaps, regressed(gaps, seen.calendar, date, share, pull, trend=not control))


def regressed(gaps: Numbers, calendar: Codes, date: int, share: Numbers, pull: Numbers | None = None, *, trend: bool) -> ByWeeks | None:
    """Regress gaps on the share that is changed, and on a straight line where one is assumed. None: fewer than four weeks before the date, or than two since.

    The error is that of a sum of gaps with the weights `pull`: without any, that of the coefficient.
    """
    known = np.isfinite(gaps)
    early, late = known & (calendar < date), known & (calendar >= date)
    if early.sum() < _BEFORE or late.sum() < _SINCE:
        return None
    columns = [np.ones(int(known.sum())), *([calendar[known].astype(np.float64)] if trend else []), share[known]]
    design = np.stack(columns, axis=1)
    inverse = np.linalg.pinv(design.T @ design)
    slopes = inverse @ design.T @ gaps[known]
    left = gaps[known] - design @ slopes
    freedom = len(left) - design.shape[1]
    squares = float(inverse[-1, -1]) if pull is None else float(pull @ pull)
    error = float(np.sqrt(left @ left / freedom * squares)) * _inflation(left[early[known]])
    return ByWeeks(float(slopes[-1]), Uncertainty(error, float(freedom))) if error > 0 else None


def _inflation(left: Numbers) -> float:
    """How much longer the interval of a mean gets by what neighbouring weeks have in common."""
    centred = left - left.mean()
    total = float(centred @ centred)
    if len(centred) < 5 or total == 0:
        return 1.0
    correlation = min(float(centred[1:] @ centred[:-1]) / total, _MOST)
    return float(np.sqrt((1 + correlation) / (1 - correlation))) if correlation > _CORRELATED else 1.0
