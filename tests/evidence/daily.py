"""A simulated team, day by day: how long one target takes whom, and how often it fails. Seeded.

Uneven as teams were found to be (docs/statistics.md): activity is log-normal with a deviation of 0.9,
each person has a level of their own that moves from week to week, some get another machine for good, runs are warm or cold, and
every day has something that all share, which lasts for some days.
"""

from dataclasses import dataclass

import numpy as np

from innerloop_collector.analysis.alerts.daily import Daily, Measure, Numbers

WEEK = 7
_COLD, _COLD_LONGER = (2.0, 6.0), 1.5
_HANG, _HANG_LONGER = 0.01, 3.0


@dataclass(frozen=True)
class World:
    """What happens in a team."""

    people: int = 40
    weeks: int = 26
    runs: float = 0.6  # of the mean person on a working day
    shock: float = 0.03  # of a day, common to all; 0.7 of it is left on the next
    trend: float = 0.0  # log, over 12 weeks
    steps: float = 0.15  # the part of people who get another machine in half a year
    step_at: int | None = None  # a day
    step: float = 0.0  # log; from that day on
    failing: float = 0.15
    failing_step: float = 0.0  # log odds


def simulated(world: World, seed: int) -> dict[Measure, Daily]:
    """Days of a target, from a Monday on."""
    draw = np.random.default_rng((seed, 77))
    people, days = world.people, world.weeks * WEEK
    week = np.arange(days) // WEEK
    activity = np.exp(draw.normal(0, 0.9, (people, 1)))
    activity *= world.runs / activity.mean()
    busy = draw.gamma(2, 0.5, (people, world.weeks))[:, week]
    working = np.where(np.arange(days) % WEEK < 5, 1.0, 0.03)
    runs = draw.poisson(activity * busy * working).astype(float)
    level = _weekly(draw, people, world.weeks)[:, week]
    moves = draw.random((people, 1)) < world.steps * world.weeks / 26
    level += moves * draw.normal(0, 0.3, (people, 1)) * (np.arange(days) >= draw.integers(0, days, (people, 1)))
    level += draw.normal(0, 0.47, (people, 1)) + _shared(draw, days, world.shock) + world.trend * np.arange(days) / (12 * WEEK)
    if world.step_at is not None:
        later = np.arange(days) >= world.step_at
        level += later * (world.step + draw.normal(0, 0.08, (people, 1)) * bool(world.step))
    cold = draw.binomial(runs.astype(int), draw.beta(*_COLD, (people, 1)))
    hung = draw.binomial(runs.astype(int), _HANG)
    noise = np.sqrt(0.35**2 * (runs - cold) + 0.6**2 * cold) * draw.normal(0, 1, runs.shape)
    odds = np.log(world.failing / (1 - world.failing)) + draw.normal(0, 0.6, (people, 1)) + _shared(draw, days, 3 * world.shock)
    if world.step_at is not None:
        odds = odds + world.failing_step * (np.arange(days) >= world.step_at)
    failed = draw.binomial(runs.astype(int), 1 / (1 + np.exp(-odds))).astype(float)
    logarithms = runs * (level + 3) + cold * _COLD_LONGER + hung * _HANG_LONGER + noise
    return {Measure.DURATION: Daily(runs, logarithms), Measure.FAILURES: Daily(runs, failed)}


def _weekly(draw: np.random.Generator, people: int, weeks: int) -> Numbers:
    """What moves a person's level from week to week: 0.6 of it is left in the next, and a part is of the week alone."""
    out = np.zeros((people, weeks))
    now = draw.normal(0, 0.12, people)
    for week in range(weeks):
        out[:, week] = now + draw.normal(0, 0.08, people)
        now = 0.6 * now + draw.normal(0, 0.12 * 0.8, people)
    return out


def _shared(draw: np.random.Generator, days: int, size: float) -> Numbers:
    out = np.zeros(days)
    for day in range(1, days):
        out[day] = 0.7 * out[day - 1] + draw.normal(0, size * np.sqrt(1 - 0.49))
    return out
