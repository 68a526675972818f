"""All changes of a team together. What stands out was lucky as well, so each is drawn towards what they have in common before anything is added up.

Empirical Bayes: effects scatter around a mean (their spread by Paule and Mandel 1982), the mean has the interval of Hartung and Knapp (2001), and a change that
says little counts mostly as the mean. Changes of which nothing can be told are in it with what little they tell; only those without a number are left out, and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Label
from innerloop_collector.analysis.impact.intervals import normal_quantile, quantile
from innerloop_collector.analysis.impact.panel import Numbers
from innerloop_collector.analysis.impact.question import Invalid, Metric
from innerloop_collector.analysis.impact.robustness import Interval

_LEAST = 3  # changes whose spread can be told
_ROUNDED = 1e-3  # of a logarithm: half of an interval whose ends are told to a tenth of a percent


@dataclass(frozen=True)
class Tried:
    """A change: its answer, and minutes per month that all developers together wait for what it affects, with the change."""

    answer: Answer
    minutes: float | None = None


@dataclass(frozen=True)
class Programme:
    """What all changes came to."""

    changes: int
    added: int  # of which there is an effect, however unsure
    mean: Interval | None  # logarithm; None: fewer than three
    spread: float | None  # standard deviation of true effects
    shrunken: tuple[Interval | None, ...]  # in the order of the changes
    minutes: Interval | None  # saved per month by all of them


def programme(tried: Sequence[Tried], alpha: float = 0.05) -> Programme:
    """Add changes up. Those without controls are no effects and are not added. Raises Invalid where an answer is not of durations."""
    if any(one.answer.metric is not Metric.DURATION for one in tried):
        raise Invalid("a programme adds up effects on durations, and nothing else")
    places = [at for at, one in enumerate(tried) if isinstance(one.answer, Estimate) and one.answer.label is Label.EFFECT]
    effects = [one.answer for one in tried if isinstance(one.answer, Estimate) and one.answer.label is Label.EFFECT]
    if len(effects) < _LEAST:
        return Programme(len(tried), len(effects), None, None, tuple(None for _ in tried), None)
    pool = pooled(np.array([one.value for one in effects]), np.array([error_of(one) for one in effects]))
    z, t = normal_quantile(1 - alpha / 2), quantile(len(effects) - 1, 1 - alpha / 2)
    half = t * pool.mean_error
    shrunken: list[Interval | None] = [None] * len(tried)
    errors = np.sqrt(np.diag(pool.covariance))
    for place, value, error in zip(places, pool.shrunken.tolist(), errors.tolist(), strict=True):
        shrunken[place] = Interval(value, value - z * error, value + z * error)
    mean = Interval(pool.mean, pool.mean - half, pool.mean + half)
    minutes = _minutes([tried[at].minutes for at in places], pool, t)
    return Programme(len(tried), len(effects), mean, pool.spread, tuple(shrunken), minutes)


def error_of(effect: Estimate) -> float:
    """The standard error of a normal number that has the same interval. It is never nothing: what was published is rounded."""
    return max(effect.half_width, _ROUNDED) / normal_quantile((1 + effect.confidence) / 2)


@dataclass(frozen=True, eq=False)
class Pool:
    """Effects that scatter around a mean."""

    mean: float
    mean_error: float
    spread: float
    shrunken: Numbers
    covariance: Numbers  # of what the true effects may be around the shrunken ones


def pooled(values: Numbers, errors: Numbers) -> Pool:
    """Estimate mean, spread and each effect."""
    variance = _between(values, errors**2)
    weight = 1 / (errors**2 + variance)
    mean = float((weight * values).sum() / weight.sum())
    scale = max(1.0, float((weight * (values - mean) ** 2).sum()) / (len(values) - 1))
    mean_error = float(np.sqrt(scale / weight.sum()))
    kept = variance / (errors**2 + variance)
    covariance = np.diag(kept * errors**2) + np.outer(1 - kept, 1 - kept) * mean_error**2
    return Pool(mean, mean_error, float(np.sqrt(variance)), mean + kept * (values - mean), covariance)


def _between(values: Numbers, variances: Numbers) -> float:
    """How much true effects scatter: what makes the weighted sum of squares what it should be."""

    def excess(between: float) -> float:
        weight = 1 / (variances + between)
        mean = (weight * values).sum() / weight.sum()
        return float((weight * (values - mean) ** 2).sum()) - (len(values) - 1)

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, float(((values - values.mean()) ** 2).sum()) + float(variances.max())))


def _minutes(minutes: Sequence[float | None], pool: Pool, t: float) -> Interval | None:
    """What all changes save in a month. None: of one it is not known how long people wait."""
    known = [one for one in minutes if one is not None]
    if len(known) < len(minutes):
        return None
    waited = np.array(known)
    value = float((waited * np.expm1(-pool.shrunken)).sum())
    gradient = -waited * np.exp(-pool.shrunken)
    half = t * float(np.sqrt(gradient @ pool.covariance @ gradient))
    return Interval(value, value - half, value + half)
