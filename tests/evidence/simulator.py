"""Teams as they are: a function of its seed that makes runs with a known effect, among everything that can be mistaken for one.

Twelve weeks of five days, eight of them before the change; six targets, of which it affects the first three. Developers differ in how much
they work, on what, and how fast their machine is; their weeks hang together; one in seven gets another machine; some work is cold, and one run in a hundred
hangs. The scenarios add what moves a team: see SCENARIOS.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.collapse import Outcome, collapse
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Group, Question

TREATED, CONTROL = frozenset({0, 1, 2}), frozenset({3, 4, 5})
MEDIANS = np.log(np.array([20_000.0, 60_000.0, 300_000.0, 15_000.0, 60_000.0, 240_000.0]))
DAYS = 5


@dataclass(frozen=True)
class World:
    """What is so, and what is said about it below is in logarithms where nothing else is said."""

    users: int = 30
    weeks: int = 12
    date: int = 8  # the first week after the change
    effect: float = 0.0
    effect_sd: float = 0.08  # among developers
    runs_a_day: float = 1.25
    week_shock: float = 0.0  # hits everything
    weekday: float = 0.0
    trend: float = 0.0  # from the first week to the last
    mix_shift: float = 0.0  # how the choice of targets moves at the change
    enter: float = 0.0  # share of developers that enters, and that leaves, within the weeks
    leave: float = 0.0
    late_slower: float = 0.4
    treated_shock: float = 0.0  # weekly, of treated targets alone
    treated_trend: float = 0.0
    failure: float = 0.0  # share of runs that fails
    failure_effect: float = 0.0  # on the logarithm of the odds
    failure_shock: float = 0.0
    usage_effect: float = 0.0
    usage_shock: float = 0.0  # weekly, of everything
    patience: float = 0.0  # how long, relative to the target's median, a run is waited for on average; 0: for ever
    delay: float = 0.0  # days until half of the checkouts hold the change; 0: all at once
    delay_sd: float = 1.2
    first_cold: float = 0.0  # share of developers whose first run of each target that holds it is cold
    projects: int = 1
    project_shock: float = 0.0  # of each project at the date


BUSY = {"week_shock": 0.04, "weekday": 0.05}
SCENARIOS: dict[str, dict[str, Any]] = {
    "A": {},
    "B": BUSY,
    "C": {**BUSY, "trend": 0.12},
    "D": {"mix_shift": 1.0},
    "E": {"enter": 0.25, "leave": 0.20},
    "F": {**BUSY, "trend": 0.12, "mix_shift": 1.0, "enter": 0.25, "leave": 0.20},
    "G": {**BUSY, "trend": 0.12, "mix_shift": 1.0, "enter": 0.25, "leave": 0.20, "treated_shock": 0.04},
    "H": {**BUSY, "trend": 0.12, "mix_shift": 1.0, "enter": 0.25, "leave": 0.20, "treated_trend": 0.06},
}
# Of exposure: checkouts lag behind, and people come and go.
CHECKOUTS = {**BUSY, "trend": 0.12, "mix_shift": 1.0, "enter": 0.25, "leave": 0.20, "delay": 4.5, "first_cold": 0.7, "weeks": 16}


def world(scenario: str, users: int, **other: Any) -> World:
    """A team of a scenario."""
    return replace(World(users=users), **{**SCENARIOS[scenario], **other})


def question(one: World, **other: Any) -> Question:
    """Ask what the world's effect is."""
    return Question(**{"week": one.date, "treated": Group(TREATED), "control": Group(CONTROL), **other})


def panel(one: World, seed: int) -> Panel:
    """The runs of a team, added up."""
    return collapse(**runs(one, seed))


def runs(one: World, seed: int) -> dict[str, NDArray[Any]]:
    """A team's runs: a column for each argument of `collapse`."""
    chance = np.random.default_rng([seed, 20261123])
    rate = _rates(one, chance)  # user, day, target
    count = chance.poisson(rate)
    user, day, target = (np.repeat(index, count[count > 0]) for index in np.nonzero(count))
    week, treated = day // DAYS, target < len(TREATED)
    moment = day + chance.random(len(day))
    held = _held(one, chance, user, moment, week)
    project = user % one.projects
    changed = treated & held & (project % 2 == 0 if one.projects > 1 else True)
    log, cold = _durations(one, chance, user, target, day)
    first = _first(user * len(MEDIANS) + target, held, moment) & (chance.random(one.users) < one.first_cold)[user]
    log = np.where(first & ~cold, log + 1.5, log)
    log += np.where(changed, chance.normal(one.effect, one.effect_sd, one.users)[user], 0.0)
    if one.project_shock:
        log += chance.normal(0, one.project_shock, one.projects)[project] * (week >= one.date) * treated
    failed = _failed(one, chance, user, week, changed)
    limit = (
        MEDIANS[target] + np.log(max(one.patience, 1e-9)) + chance.normal(0, 0.5, len(log)) if one.patience else np.full(len(log), np.inf)
    )
    stopped = limit < log
    outcome = np.where(stopped, Outcome.INTERRUPTED, np.where(failed, Outcome.FAILED, Outcome.SUCCEEDED))
    return {
        "user": user, "target": target, "week": week, "ms": np.exp(np.minimum(log, limit)), "outcome": outcome.astype(np.int64),
        "project": project, "work": (cold | first).astype(np.int64), "exposed": held.astype(np.int64), "start": moment,
    }  # fmt: skip


def _rates(one: World, chance: np.random.Generator) -> NDArray[np.float64]:
    days = one.weeks * DAYS
    activity = np.exp(chance.normal(0, 0.9, one.users) - 0.405)
    weekly = chance.gamma(2.0, 0.5, (one.users, one.weeks)) * np.exp(chance.normal(0, one.usage_shock, one.weeks))
    taste = np.repeat(chance.normal(0, 1, (one.users, 1, len(MEDIANS))), one.weeks, axis=1)
    taste[:, one.date :] += one.mix_shift * np.array([-0.5, 0.0, 0.5, -0.5, 0.0, 0.5])
    share = np.exp(taste)
    share /= share.sum(axis=2, keepdims=True)
    share[:, one.date :, : len(TREATED)] *= np.exp(one.usage_effect)
    rate = one.runs_a_day * (activity[:, None] * weekly)[:, :, None] * share
    entered, left = np.zeros(one.users, dtype=int), np.full(one.users, one.weeks)
    kind = chance.random(one.users)
    late, early = kind < one.enter, (kind >= one.enter) & (kind < one.enter + one.leave)
    entered[late] = chance.integers(1, one.date + 1, late.sum())
    left[early] = chance.integers(one.date, one.weeks, early.sum())
    week = np.arange(one.weeks)
    rate *= ((week >= entered[:, None]) & (week < left[:, None]))[:, :, None]
    out: NDArray[np.float64] = np.repeat(rate, DAYS, axis=1)
    assert out.shape[1] == days
    return out


def _held(one: World, chance: np.random.Generator, user: Any, moment: Any, week: Any) -> NDArray[np.bool_]:
    if not one.delay:
        held: NDArray[np.bool_] = week >= one.date
        return held
    # A week has five working days here and seven of the calendar, in which checkouts age.
    since = np.exp(chance.normal(np.log(one.delay), one.delay_sd, one.users)) * DAYS / 7
    out: NDArray[np.bool_] = moment >= one.date * DAYS + since[user]
    return out


def _first(cell: Any, held: NDArray[np.bool_], moment: Any) -> NDArray[np.bool_]:
    earliest = np.full(int(cell.max()) + 1, np.inf)
    np.minimum.at(earliest, cell[held], moment[held])
    out: NDArray[np.bool_] = held & (moment == earliest[cell])
    return out


def _durations(one: World, chance: np.random.Generator, user: Any, target: Any, day: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    week, size = day // DAYS, len(user)
    log = MEDIANS[target] + chance.normal(0, 0.4, one.users)[user]
    log += chance.normal(0, 0.25, (one.users, len(MEDIANS)))[user, target]
    log += _correlated(chance, one.users, one.weeks)[user, week]
    log += chance.normal(0, 0.08, (one.users, len(MEDIANS), one.weeks))[user, target, week]
    step = np.where(chance.random(one.users) < 0.15, chance.normal(0, 0.3, one.users), 0.0)
    log += step[user] * (day >= chance.integers(0, one.weeks * DAYS, one.users)[user])
    cold = chance.random(size) < chance.beta(2, 6, one.users)[user]
    log += np.where(cold, 1.5 + chance.normal(0, 0.6, size), chance.normal(0, 0.35, size))
    log += np.where(chance.random(size) < 0.01, chance.uniform(1.5, 3.0, size), 0.0)
    log += chance.normal(0, one.week_shock, one.weeks)[week] + one.weekday * np.array([0.5, 0.0, 0.0, 0.0, -0.5])[day % DAYS]
    log += one.trend * day / (one.weeks * DAYS)
    treated = target < len(TREATED)
    log += treated * (chance.normal(0, one.treated_shock, one.weeks)[week] + one.treated_trend * day / (one.weeks * DAYS))
    if one.enter:
        first = np.full(one.users, np.iinfo(np.int64).max)
        np.minimum.at(first, user, day)
        log += one.late_slower * (first[user] >= one.date * DAYS // 2)
    return log, cold


def _correlated(chance: np.random.Generator, users: int, weeks: int) -> NDArray[np.float64]:
    """Weeks of a developer that hang together."""
    out = chance.normal(0, 0.12, (users, weeks))
    for week in range(1, weeks):
        out[:, week] = 0.6 * out[:, week - 1] + 0.8 * out[:, week]
    return out


def _failed(one: World, chance: np.random.Generator, user: Any, week: Any, changed: Any) -> NDArray[np.bool_]:
    if not one.failure:
        return np.zeros(len(user), dtype=bool)
    odds = np.log(one.failure / (1 - one.failure)) + chance.normal(0, 0.5, one.users)[user]
    odds += chance.normal(0, one.failure_shock, one.weeks)[week] + np.where(changed, one.failure_effect, 0.0)
    out: NDArray[np.bool_] = chance.random(len(user)) < 1 / (1 + np.exp(-odds))
    return out
