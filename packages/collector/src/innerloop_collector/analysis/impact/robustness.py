"""How far an effect on durations rests on what was assumed: dates at which nothing happened, controls against controls, drifts, other choices."""

from dataclasses import dataclass, replace

import numpy as np

from innerloop_collector.analysis.impact.codes import distinct
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.durations import completed_alone, duration
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Warned
from innerloop_collector.analysis.impact.intervals import quantile
from innerloop_collector.analysis.impact.panel import Numbers, Panel, summed
from innerloop_collector.analysis.impact.question import Exposure, Group, Question
from innerloop_collector.analysis.impact.regression import Observations, Totals, by_trend, by_week
from innerloop_collector.analysis.impact.selection import observe, select
from innerloop_collector.analysis.impact.weekly import weekly

_EITHER_SIDE = 3  # weeks that a placebo date takes
_FOR_A_TREND = 5


@dataclass(frozen=True)
class Placebo:
    """The same estimate at dates before the change, with nothing but weeks before it."""

    dates: int
    largest: float  # of the absolute values
    rank: int  # the place of the real one among all, the largest being the first


@dataclass(frozen=True)
class Drift:
    """A line through the gaps before the change, and what it would make of the effect if it went on. Too weak to clear anybody: no reason to trust, if it is flat."""

    slope: float  # per week
    low: float
    high: float
    implied: float  # bias of the effect


@dataclass(frozen=True)
class Interval:
    """A number with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Robustness:
    """What else was asked. None: too few weeks, or no controls."""

    placebo: Placebo | None
    control_split: Answer | None  # one half of the control targets against the other: there should be no effect
    drift: Drift | None
    with_trend: Interval | None  # treated and control may drift apart evenly
    break_even: float | None  # the drift per week that would explain all of the effect
    without_first_weeks: tuple[tuple[int, Answer], ...]  # how many weeks after the date were dropped
    completed_alone: Answer
    stopped_as_longer: Answer | None  # None: few runs were interrupted, before and since


def robustness(panel: Panel, question: Question, effect: Estimate) -> Robustness:
    """Ask everything else. `effect` is what `duration` answered."""
    longer = Warned.STOPPED_AS_LONGER in effect.warnings
    selected = select(panel, question)
    seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
    assert seen is not None
    gaps = weekly(seen, Totals.of(seen), np.zeros(seen.weeks), question.week, control=question.control is not None).gaps
    distance = _distance(seen, question.week)
    return Robustness(
        _placebo(panel, question, effect.value),
        _split(panel, question),
        _drift(seen, gaps, question, distance) if question.control is not None else None,
        _with_trend(seen, gaps, question) if question.control is not None else None,
        effect.value / distance if distance and question.control is not None else None,
        tuple((count, _later(panel, question, count)) for count in (1, 2)),
        effect if not longer else completed_alone(panel, question),
        effect if longer else None,
    )


def _placebo(panel: Panel, question: Question, value: float) -> Placebo | None:
    selected = select(panel.where(panel.week < question.week), replace(question, exposure=Exposure.BY_DATE))
    seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
    if seen is None or not seen.treated.any():
        return None
    nuisance = by_week(seen) if question.control is not None else by_trend(seen)
    steps = [(seen.calendar >= date).astype(np.float64) for date in seen.calendar[_EITHER_SIDE : seen.weeks - _EITHER_SIDE + 1]]
    found = [abs(one) for one in Totals.of(seen).steps(nuisance, steps) if one is not None]
    return Placebo(len(found), max(found), 1 + sum(one >= abs(value) for one in found)) if found else None


def _split(panel: Panel, question: Question) -> Answer | None:
    """Every other control target, in the order of their runs, against the rest."""
    if question.control is None:
        return None
    asked = replace(question, exposure=Exposure.BY_DATE)
    selected = select(panel, asked)
    rows = selected.panel.where(~selected.treated)
    targets, place = np.unique(rows.target, return_inverse=True)
    if len(targets) < 2:
        return None
    order = targets[np.argsort(-summed(place, rows.timed, len(targets)), kind="stable")]
    halves = [Group(frozenset(int(one) for one in order[start::2]), question.control.projects) for start in (0, 1)]
    if question.treated.projects is not None and question.control.projects is not None:
        return None  # projects were assigned: their targets are no controls of each other
    return duration(panel.unexposed(), replace(asked, treated=halves[0], control=halves[1]))


def _distance(seen: Observations, date: int) -> float:
    """Weeks from the middle of the time before to the middle of the time since."""
    early, late = seen.calendar[seen.calendar < date], seen.calendar[seen.calendar >= date]
    return float(late.mean() - early.mean()) if len(early) and len(late) else 0.0


def _drift(seen: Observations, gaps: Numbers, question: Question, distance: float) -> Drift | None:
    early = np.isfinite(gaps) & (seen.calendar < question.week)
    found = _line(gaps[early], [seen.calendar[early].astype(np.float64)], question.level)
    return Drift(found.value, found.low, found.high, found.value * distance) if found else None


def _with_trend(seen: Observations, gaps: Numbers, question: Question) -> Interval | None:
    known = np.isfinite(gaps)
    share = (seen.calendar[known] >= question.week).astype(np.float64)
    if share.sum() < 2 or (1 - share).sum() < _FOR_A_TREND - 1:
        return None
    return _line(gaps[known], [seen.calendar[known].astype(np.float64), share], question.level)


def _line(gaps: Numbers, columns: list[Numbers], level: float) -> Interval | None:
    """Least squares: the last column's coefficient."""
    design = np.stack([np.ones(len(gaps)), *columns], axis=1)
    freedom = len(gaps) - design.shape[1]
    if freedom < _FOR_A_TREND - 3:
        return None
    inverse = np.linalg.pinv(design.T @ design)
    slopes = inverse @ design.T @ gaps
    left = gaps - design @ slopes
    half = quantile(freedom, 1 - level / 2) * float(np.sqrt(left @ left / freedom * inverse[-1, -1]))
    return Interval(float(slopes[-1]), float(slopes[-1]) - half, float(slopes[-1]) + half)


def _later(panel: Panel, question: Question, count: int) -> Answer:
    weeks = distinct(panel.week[(panel.week >= question.week) & ~among(panel.week, list(question.dropped))])[:count]
    return duration(panel, replace(question, dropped=question.dropped | {int(week) for week in weeks}))
