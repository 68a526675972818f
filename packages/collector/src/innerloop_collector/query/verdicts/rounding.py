"""Rounds what was found and makes values of it that may be shown. Nothing else in this package makes any."""

import math
from dataclasses import replace
from datetime import date

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.analysis.impact.estimates import Answer, Estimate
from innerloop_collector.analysis.impact.estimates import Gap as Apart
from innerloop_collector.analysis.impact.question import Limits, Metric
from innerloop_collector.analysis.impact.robustness import Interval, Placebo
from innerloop_collector.analysis.impact.saved import Saved as Worth
from innerloop_collector.analysis.impact.verdict import Judged, judge
from innerloop_collector.query.published import Minutes, People, Percent, Rate, Saved, seal
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.verdicts.verdict_views import Finding, Gap, Placebos, Span

_PLACES = 0  # digits after the point of what is published of a change: tenths of a percent would tell of one run
_SHARE = 0.05
_STEPS = (1.2, 4 / 3, 1.25)  # twice as much in three


def finding(answer: Answer, work: str, limits: Limits, k: int) -> Finding:
    """What an answer comes to, as it is published."""
    judged = _coarser(judge(answer, limits, _PLACES), answer, limits, k)
    told = {name: getattr(judged, name) for name in ("percent", "low", "high", "detectable", "bound")}
    return Finding(
        metric=judged.metric.value,
        by=judged.exposure.value,
        work=work,
        label=judged.label.value,
        verdict=judged.verdict.value,
        confidence=None if judged.confidence is None else round(judged.confidence, 4),
        reason=judged.reason.value if judged.reason else "",
        warnings=tuple(one.value for one in judged.warnings),
        **{name: seal(Percent, float(number)) for name, number in told.items() if number is not None},
    )


def _coarser(judged: Judged, answer: Answer, limits: Limits, k: int) -> Judged:
    """A number that counts people is told in steps of k of them: otherwise it would say that one began."""
    if not isinstance(answer, Estimate) or answer.metric is not Metric.ADOPTION:
        return judged
    step = _step(answer, k)
    share = max(math.floor(answer.low * 100 / step) * step / 100, -1.0), min(math.ceil(answer.high * 100 / step) * step / 100, 1.0)
    value = min(max(round(answer.value * 100 / step) * step / 100, share[0]), share[1])
    detectable = min(math.ceil(answer.detectable * 100 / step) * step / 100, 1.0)
    return judge(replace(answer, value=value, low=share[0], high=share[1], detectable=detectable), limits, _PLACES)


def detectable(of: Estimate, k: int) -> Percent:
    """What could be seen, as whoever registers a change is told: up to the next step."""
    if of.metric is not Metric.ADOPTION:
        return coarse(of.detectable_percent)
    step = _step(of, k)
    return seal(Percent, min(math.ceil(of.detectable * 100 / step) * step, 100.0))


def _step(of: Estimate, k: int) -> float:
    """As many points as k developers are, in twentieths."""
    return 5.0 * math.ceil(20 * k / max(of.counts.users, 1))


def span(of: Interval | None) -> Span | None:
    """A ratio's logarithm with its interval, in percent."""
    return None if of is None else Span(*(_percent(one) for one in (of.value, of.low, of.high)))


def placebos(of: Placebo | None) -> Placebos | None:
    """What was found where nothing happened."""
    return None if of is None else Placebos(of.dates, of.rank, _percent(of.largest))


def gap(of: Apart, week: date) -> Gap:
    """How far a week was apart, in percent."""
    return Gap(week, None if of.value is None else _percent(of.value))


def share(of: float | None) -> Rate | None:
    """A share, to a twentieth."""
    return None if of is None else seal(Rate, round(round(of / _SHARE) * _SHARE, 2))


def people(number: int) -> People:
    """How many developers, as a range."""
    low = number // STEP * STEP
    return seal(People, (low, low + STEP - 1))


def saved(of: Worth | None) -> tuple[Saved, Saved, Saved, Minutes] | None:
    """What an effect is worth, and what is waited for with it: minutes per developer and month."""
    if of is None:
        return None
    waited = seal(Minutes, round(three_digits(round(of.waited * 60_000)) / 60_000, 4))
    return minutes(of.minutes), minutes(of.low), minutes(of.high), waited


def minutes(number: float) -> Saved:
    """Minutes, to two digits."""
    if number == 0:
        return seal(Saved, 0.0)
    places = 1 - math.floor(math.log10(abs(number)))
    return seal(Saved, float(round(number, min(places, 1))))


def coarse(value: float) -> Percent:
    """A percentage up to the next of 5, 6, 8, 10, 12, 16, 20 and so on: what can be asked by whoever registers a change."""
    level, place = 5.0, 0
    while round(level) < value:
        level *= _STEPS[place % len(_STEPS)]
        place += 1
    return seal(Percent, float(round(level)))


def _percent(log: float) -> Percent:
    """A ratio's logarithm in whole percent."""
    return seal(Percent, float(round(100 * math.expm1(log))))
