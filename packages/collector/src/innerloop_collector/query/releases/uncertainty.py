"""How sure a published rate or ratio is. Pure functions.

What one developer does is alike, so runs are not independent of each other: a rate is taken for one of as many trials as there were developers at
least. That is more careful than counting runs, and needs no row.
"""

from math import sqrt

from innerloop_collector.query.releases.sums import Quantile, Rate

_Z = 1.959964  # 95 %, on both sides


def chance(of: Rate, developers: int) -> tuple[float, float]:
    """Between what a rate lies, by its rounding and by chance (Wilson, 95 %)."""
    return _wilson(of.low, developers)[0], _wilson(of.high, developers)[1]


def ratio(p90: Quantile, p50: Quantile) -> tuple[float, float | None, float | None]:
    """How many times the median the 90th percentile is: at least, about, and at most, by the parts in which both lie."""
    low = max(1.0, p90.low / p50.high) if p50.high else 1.0
    most = p90.high / p50.low if p90.high is not None and p50.low else None
    return low, p90.value / p50.value if p90.value and p50.value else None, most


def _wilson(rate: float, trials: int) -> tuple[float, float]:
    square = _Z * _Z / trials
    middle = rate + square / 2
    half = _Z * sqrt((rate * (1 - rate) + square / 4) / trials)
    return max((middle - half) / (1 + square), 0.0), min((middle + half) / (1 + square), 1.0)
