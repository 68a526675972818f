"""From an answer to a verdict: one of a few words, with rounded numbers. A claim is made where 0 lies outside the rounded interval, and nowhere else."""

import math
from dataclasses import dataclass
from enum import StrEnum

from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Label, Reason, Refusal, Warned
from innerloop_collector.analysis.impact.question import Exposure, Limits, Metric

_PLACES = 1  # digits after the point of a percentage
_PEOPLE = 5  # developers are told in steps of so many


class Verdict(StrEnum):
    """What can be said."""

    FASTER = "faster"
    SLOWER = "slower"
    FAILS_LESS = "fails less"
    FAILS_MORE = "fails more"
    USED_MORE = "used more"
    USED_LESS = "used less"
    NO_CHANGE = "no change"  # beyond a bound
    CANNOT_TELL = "cannot tell"
    TOO_EARLY = "too early"
    TOO_FEW_DEVELOPERS = "too few developers"


CLAIMS = frozenset({Verdict.FASTER, Verdict.SLOWER, Verdict.FAILS_LESS, Verdict.FAILS_MORE, Verdict.USED_MORE, Verdict.USED_LESS})
_DOWN_AND_UP = {
    Metric.DURATION: (Verdict.FASTER, Verdict.SLOWER),
    Metric.FAILURES: (Verdict.FAILS_LESS, Verdict.FAILS_MORE),
    Metric.FAILED_CHECKS: (Verdict.FAILS_LESS, Verdict.FAILS_MORE),
    Metric.USAGE: (Verdict.USED_LESS, Verdict.USED_MORE),
    Metric.ADOPTION: (Verdict.USED_LESS, Verdict.USED_MORE),
}
_EARLY = (Reason.TOO_FEW_WEEKS_AFTER, Reason.NOTHING_EXPOSED, Reason.HARDLY_EXPOSED)
_SMALL = (Reason.TOO_FEW_USERS, Reason.TOO_FEW_EFFECTIVE_USERS)


@dataclass(frozen=True)
class Judged:
    """A verdict and the numbers that may be said with it: percent, or percentage points; below 0 is less."""

    verdict: Verdict
    metric: Metric
    label: Label
    exposure: Exposure
    percent: float | None = None
    low: float | None = None  # rounded away from the number
    high: float | None = None
    confidence: float | None = None
    detectable: float | None = None  # only changes above it would mostly have shown
    bound: float | None = None  # of "no change": none beyond it
    developers: tuple[int, int] | None = None  # at least and at most so many
    reason: Reason | None = None
    warnings: tuple[Warned, ...] = ()


def judge(answer: Answer, limits: Limits = Limits(), places: int = _PLACES) -> Judged:  # noqa: B008 - frozen
    """Say what an answer comes to."""
    return _refused(answer) if isinstance(answer, Refusal) else _told(answer, limits, places)


def _refused(refusal: Refusal) -> Judged:
    verdict = Verdict.TOO_EARLY if refusal.reason in _EARLY else Verdict.CANNOT_TELL
    if refusal.reason in _SMALL:
        verdict = Verdict.TOO_FEW_DEVELOPERS
    return Judged(verdict, refusal.metric, refusal.label, refusal.exposure, reason=refusal.reason)


def _told(estimate: Estimate, limits: Limits, places: int) -> Judged:
    low, high = _floor(estimate.percent(estimate.low), places), _ceiling(estimate.percent(estimate.high), places)
    percent = min(max(round(estimate.percent(estimate.value), places), low), high)
    bound = max(abs(low), abs(high))
    down, up = _DOWN_AND_UP[estimate.metric]
    if high < 0:
        verdict = down
    elif low > 0:
        verdict = up
    else:
        small = 100 * (limits.no_change if estimate.relative else limits.no_change_points)
        verdict = Verdict.NO_CHANGE if bound <= small else Verdict.CANNOT_TELL
    return Judged(
        verdict,
        estimate.metric,
        estimate.label,
        estimate.exposure,
        percent,
        low,
        high,
        estimate.confidence,
        detectable=_ceiling(estimate.detectable_percent, places),
        bound=bound if verdict is Verdict.NO_CHANGE else None,
        developers=_range(estimate.counts.users),
        warnings=estimate.warnings,
    )


def _floor(percent: float, places: int) -> float:
    return math.floor(percent * 10.0**places) / 10.0**places


def _ceiling(percent: float, places: int) -> float:
    return math.ceil(percent * 10.0**places) / 10.0**places


def _range(users: int) -> tuple[int, int]:
    least = users // _PEOPLE * _PEOPLE
    return least, least + _PEOPLE - 1
