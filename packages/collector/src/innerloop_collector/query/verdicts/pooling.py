"""Published verdicts as what a programme adds up: with the numbers that were published, and no others."""

import math

from innerloop_collector.analysis.impact.estimates import Answer, Counts, Estimate, Label, Reason, Refusal, Width
from innerloop_collector.analysis.impact.programme import Tried
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Metric
from innerloop_collector.query.verdicts.verdict_views import AS_FELT, Finding, Verdict


def duration(of: Verdict) -> Finding | None:
    """The comparison of durations, by date and as felt. None: nothing of the change was run."""
    wanted = (Metric.DURATION.value, Exposure.BY_DATE.value, AS_FELT)
    return next((one for one in of.findings if (one.metric, one.by, one.work) == wanted), None)


def tried(of: Verdict | None) -> Tried:
    """A verdict as something that was tried."""
    found = duration(of) if of else None
    if of is None or found is None or found.percent is None or found.low is None or found.high is None or found.low.value <= -100:
        return Tried(Refusal(Metric.DURATION, Label.EFFECT, Exposure.BY_DATE, Reason.TOO_FEW_WEEKS_AFTER))
    low, high = of.minutes_of.value if of.minutes_of else (0, 0)
    return Tried(_estimate(found), of.waited.value * (low + high) / 2 if of.waited and of.minutes_of else None)


def _estimate(of: Finding) -> Answer:
    assert of.percent is not None
    assert of.low is not None
    assert of.high is not None
    value, low, high = (math.log1p(one.value / 100) for one in (of.percent, of.low, of.high))
    return Estimate(
        metric=Metric.DURATION,
        label=Label(of.label),
        exposure=Exposure.BY_DATE,
        assignment=Assignment.USER,
        value=value,
        low=low,
        high=high,
        confidence=of.confidence or 0.95,
        p=1.0,
        detectable=0.0,
        width=Width.USERS,
        counts=Counts(),
    )
