"""By how much the same people's values rose from one span of days to another: the estimate, and how sure it is.

Of each person the mean after minus the mean before, weighted by how much that says: with `m = n0 n1 / (n0 + n1)` runs on the two sides,
`m / (1 + m / 20)`, so that somebody's hundredth run of a week says less than another's first. The error is the larger of two: the
jackknife over people, and that of the days' means, which move together, since a slow network is everybody's. A little is added to either, which no number of people makes smaller.
"""

from dataclasses import dataclass

import numpy as np

from innerloop_collector.analysis.alerts.daily import Codes, Daily, Numbers

_SATURATION = (
    0.05  # a person's own level moves between two spans by about a fifth of what one run varies: so many runs say half of all there is
)
_MOST_RELATED = 0.85  # of a day's mean to the next one's, that is believed
_FEWEST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Contrast:
    """After minus before. Arrays of one shape: one number for each pair of spans."""

    rise: Numbers
    least: Numbers  # the rise without the one person without whom it is least
    error: Numbers  # of the rise
    people: Codes  # seen on both sides
    effective: Numbers  # as many equally active people would say as much
    largest: Numbers  # one person's part of the weight, at most

    @property
    def sureness(self) -> Numbers:
        """How many errors the rise is above nothing, also without the person who matters most."""
        with np.errstate(all="ignore"):
            found = self.least / self.error
        return np.where(np.isfinite(found), found, -np.inf)


def contrast(
    before: tuple[Numbers, Numbers], after: tuple[Numbers, Numbers], common: Numbers | float = 0.0, unrest: float = 0.0
) -> Contrast:
    """Compare runs and sums of two spans; people are the last axis. `common` is the error of the days' means; `unrest` adds to either."""
    (n0, s0), (n1, s1) = before, after
    both = (n0 > 0) & (n1 > 0)
    n0, n1 = np.where(both, n0, 1.0), np.where(both, n1, 1.0)
    matched = n0 * n1 / (n0 + n1)
    weight = np.where(both, matched / (1 + _SATURATION * matched), 0.0)
    moved = weight * (s1 / n1 - s0 / n0)
    total, sum_of_moved, people = weight.sum(-1), moved.sum(-1), both.sum(-1)
    with np.errstate(all="ignore"):
        rise = sum_of_moved / total
        without = np.where(both, (sum_of_moved[..., None] - moved) / (total[..., None] - weight), rise[..., None])
        jackknife = np.sqrt((people - 1) / people * ((without - rise[..., None]) ** 2).sum(-1))
        effective, largest = total**2 / (weight**2).sum(-1), weight.max(-1) / total
    return Contrast(
        rise,
        without.min(-1),
        np.hypot(np.maximum(jackknife, common), unrest),
        people,
        np.nan_to_num(effective),
        np.nan_to_num(largest, nan=1.0),
    )


def days_error(of: Daily, before: range, after: range) -> float:
    """The error of the difference between two spans that comes of days whose means move together. Too few days to tell: it may be anything."""
    squares = inverse = 0.0
    free = -2
    residuals = []
    for span in (before, after):
        mean, weight = daily_means(of, span)
        mean, weight = mean[weight > 0], weight[weight > 0]
        days = len(weight)
        if days < _FEWEST_DAYS:
            return float(np.inf)
        part = weight / weight.sum()
        left = mean - (part * mean).sum()
        residuals.append(left * np.sqrt(part * days))
        squares += float((residuals[-1] ** 2).sum())
        inverse += float((part**2).sum())
        free += days
    r = _related(residuals)
    return float(np.sqrt(squares / free * inverse * (1 + r) / (1 - r)))


def daily_means(of: Daily, span: range) -> tuple[Numbers, Numbers]:
    """The mean of each day of a span without what is each person's own (their mean in the span), and how many runs it is of."""
    runs, total = of.runs[:, span.start : span.stop], of.total[:, span.start : span.stop]
    each, weight = runs.sum(1, keepdims=True), runs.sum(0)
    own = np.divide(total.sum(1, keepdims=True), each, out=np.zeros_like(each), where=each > 0)
    return np.divide((total - runs * own).sum(0), weight, out=np.zeros_like(weight), where=weight > 0), weight


def _related(residuals: list[Numbers]) -> float:
    """How much a day's mean says of the next one's. So few days tell too little of it, by about what is added here."""
    first, second = np.concatenate([one[:-1] for one in residuals]), np.concatenate([one[1:] for one in residuals])
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    found = float((first * second).sum()) / size if size > 0 else 0.0
    return min(max(found + (1 + 3 * found) / (len(first) + len(residuals)), 0.0), _MOST_RELATED)
