"""Looks at a target day by day: whether it has become worse, since about when, and whether days that come later say so too.

A look compares the last two weeks with the six before them: whole weeks, so that weekdays weigh alike. What it finds is confirmed, or not, by days that
came after it, against a quarter before the rise: those decide for themselves, and are not the ones that were chosen for being high.
"""

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from scipy.special import stdtrit

from innerloop_collector.analysis.alerts.contrast import Contrast, contrast, daily_means, days_error
from innerloop_collector.analysis.alerts.daily import Daily, Measure

BEFORE, AFTER = 42, 14  # days
BASELINE = 84  # days before a rise, against which it is confirmed
FIRST_DAYS, LAST_DAYS = 7, 14  # after a look: from when on until when it may be confirmed
QUIET = 56  # days after a rise that was confirmed in which the same one would be found again
EFFECTIVE = 8.0  # people
LARGEST = 0.25  # of the weight, one person's
_SHORTEST = 2  # days since the beginning of a rise
_MONTH = 28
_QUARTER = 91
_INTERVAL = 0.975  # what is below the upper end


class Fate(Enum):
    """What became of an alert."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Rise:
    """A target became worse. Numbers are logarithms of ratios, or differences of shares."""

    value: float
    low: float  # the ends of a 95 % interval
    high: float
    people: int


@dataclass(frozen=True, slots=True)
class Alert:
    """A look that stood out, and what became of it. Days are numbers."""

    seen: int  # the last day that the look saw
    since: int  # about when it began
    rise: Rise
    fate: Fate = Fate.OPEN
    decided: int | None = None  # the last day that was looked at for that


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How many errors a rise must be above nothing."""

    look: float
    confirmation: float


def step(of: Daily, measure: Measure, thresholds: Thresholds, last: Alert | None, end: int) -> Alert | None:
    """What one more day brings: the target's last alert with another fate, a new alert, or None where nothing is to be told.

    A target has one alert at a time, and none about a rise that it had one about.
    """
    if last and last.fate is Fate.OPEN:
        return followed(of, measure, last, thresholds.confirmation, end)
    if last and last.fate is Fate.CONFIRMED and end < last.seen + QUIET:
        return None
    return look(of, measure, thresholds.look, end)


def enough(of: Daily, people: int, end: int) -> bool:
    """Whether a look by the end of a day is at enough people for anything to be told."""
    middle = end + 1 - AFTER
    if middle < BEFORE:
        return False
    found = contrast(of.span(range(middle - BEFORE, middle)), of.span(range(middle, end + 1)))
    return bool(found.people >= people and _of_many(found))


def look(of: Daily, measure: Measure, threshold: float, end: int) -> Alert | None:
    """Compare the last two weeks by the end of a day with those before."""
    first, middle = end + 1 - AFTER - BEFORE, end + 1 - AFTER
    if first < 0:
        return None
    before, after = range(first, middle), range(middle, end + 1)
    quick = _compare(of, measure, before, after, alone=True)  # what does not stand out by itself does not with what days have in common
    if not _stands_out(quick, measure, threshold):
        return None
    whole = _compare(of, measure, before, after)
    if not _stands_out(whole, measure, threshold):
        return None
    since = _beginning(of, range(first, end + 1))
    found = _compare(of, measure, range(first, since), range(since, end + 1))
    return Alert(end, since, _described(found if np.isfinite(found.error) and found.effective >= 2 else whole))


def followed(of: Daily, measure: Measure, alert: Alert, threshold: float, end: int) -> Alert | None:
    """What the days after a look say by the end of a day. None: nothing yet."""
    new = range(alert.seen + 1, min(alert.seen + LAST_DAYS, end) + 1)
    if len(new) < FIRST_DAYS:
        return None
    now = _compare(of, measure, range(max(alert.since - BASELINE, 0), alert.since), new)
    if _stands_out(now, measure, threshold):
        since = _beginning(of, range(max(alert.seen + 1 - AFTER - BEFORE, 0), end + 1))  # of more days, so nearer
        return replace(alert, since=since, rise=_described(now), fate=Fate.CONFIRMED, decided=end)
    return replace(alert, fate=Fate.GONE, decided=end) if len(new) == LAST_DAYS else None


def creep(of: Daily, measure: Measure, threshold: float, end: int) -> Rise | None:
    """Whether the last four weeks are worse than those two quarters before, for the same people, and not better than those one quarter before.

    What rises a little each week stands out at no look.
    """
    month, *earlier = (range(end + 1 - _MONTH - back, end + 1 - back) for back in (0, _QUARTER, 2 * _QUARTER))
    if earlier[-1].start < 0:
        return None
    last_quarter, half_a_year = (_compare(of, measure, one, month) for one in earlier)
    told = _stands_out(half_a_year, measure, threshold) and last_quarter.rise > 0
    return _described(half_a_year) if told else None


def _compare(of: Daily, measure: Measure, before: range, after: range, *, alone: bool = False) -> Contrast:
    """Two spans. Alone: as if each person had days of their own."""
    return contrast(of.span(before), of.span(after), 0.0 if alone else days_error(of, before, after), measure.unrest)


def _stands_out(found: Contrast, measure: Measure, threshold: float) -> bool:
    return bool(_of_many(found) and found.rise >= measure.least and found.sureness > threshold)


def _of_many(found: Contrast) -> bool:
    return bool(found.effective >= EFFECTIVE and found.largest <= LARGEST)


def _beginning(of: Daily, span: range) -> int:
    """The day with which the days' means rose: the split into two that leaves the least squares."""
    mean, weight = daily_means(of, span)
    total, runs = np.cumsum(mean * weight), np.cumsum(weight)
    with np.errstate(all="ignore"):
        gain = total**2 / runs + (total[-1] - total) ** 2 / (runs[-1] - runs)
        rises = (total[-1] - total) / (runs[-1] - runs) > total / runs
    gain = np.where(rises & np.isfinite(gain), gain, -1.0)
    inside = gain[BEFORE // 2 - 1 : len(gain) - _SHORTEST]
    return span.start + BEFORE // 2 + int(np.argmax(inside))


def _described(found: Contrast) -> Rise:
    value, half = float(found.rise), float(stdtrit(found.effective - 1, _INTERVAL)) * float(found.error)
    return Rise(value, value - half, value + half, int(found.people))
