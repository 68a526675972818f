"""A target that is looked at day by day, as a collector does, and what comes of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from innerloop_collector.analysis.alerts import detection, thresholds
from innerloop_collector.analysis.alerts.daily import Daily, Measure
from innerloop_collector.analysis.alerts.detection import Alert, Fate, Thresholds
from tests.evidence.daily import WEEK, World, simulated

MONTH = 365 / 12
FIRST = 12 * WEEK + detection.AFTER  # the first day that is looked at: there is a quarter before
STEPS_AT = FIRST + 2 * WEEK  # of slow-downs: a Monday


def watched(of: Daily, measure: Measure, at: Thresholds, ends: Iterable[int]) -> list[Alert]:
    """Every alert, with its last fate."""
    found: list[Alert] = []
    for end in ends:
        last = found[-1] if found else None
        told = detection.step(of, measure, at, last, end)
        if told and told.fate is Fate.OPEN:
            found.append(told)
        elif told:
            found[-1] = told
    return found


class Rates(NamedTuple):
    """False alarms of a target in a month."""

    digest: float
    pages: float
    months: float


def rates(world: World, measure: Measure, at: Thresholds, seeds: Iterable[int]) -> Rates:
    """Measure false alarms in teams in which nothing changes."""
    alerts: list[Alert] = []
    months = 0.0
    for seed in seeds:
        of = simulated(world, seed)[measure]
        ends = range(FIRST, of.days)
        alerts += watched(of, measure, at, ends)
        months += len(ends) / MONTH
    pages = sum(one.fate is Fate.CONFIRMED for one in alerts)
    return Rates(len(alerts) / months, pages / months, months)


@dataclass(frozen=True)
class Power:
    """Of slow-downs: the parts that were found in time, and how far off their day was told."""

    digest: float  # within 10 workdays
    pages: float  # within 20
    dated: float  # within a week, of those found


def power(world: World, measure: Measure, at: Thresholds, seeds: Iterable[int]) -> Power:
    """Measure what is found of slow-downs that begin on any workday."""
    digest, pages, off, number = 0, 0, [], 0
    for seed in seeds:
        begins = STEPS_AT + seed % 5
        of = simulated(replace(world, step_at=begins, weeks=STEPS_AT // WEEK + 5), seed)[measure]
        ends = range(begins, begins + 28)  # 20 workdays, the first one with it
        alerts = watched(of, measure, at, ends)
        digest += any(one.seen < begins + 14 for one in alerts)
        pages += any(one.fate is Fate.CONFIRMED for one in alerts)
        off += [abs(one.since - begins) for one in alerts[:1]]
        number += 1
    return Power(digest / number, pages / number, float(np.mean(np.array(off) <= WEEK)) if off else 0.0)


def stated(digest: float, pages: float) -> Thresholds:
    """The thresholds for so many false alarms of a target in a month."""
    return Thresholds(thresholds.of_a_look(digest), thresholds.of_confirmation(pages / digest))


def crept(world: World, measure: Measure, threshold: float, seeds: Iterable[int]) -> float:
    """The part of looks for creep that find any: one in each team, after seven months."""
    ends = 7 * 30
    teams = (simulated(replace(world, weeks=ends // WEEK), seed)[measure] for seed in seeds)
    return float(np.mean([detection.creep(of, measure, threshold, of.days - 1) is not None for of in teams]))
