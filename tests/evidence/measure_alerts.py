"""The figures of docs/statistics.md, and the table of thresholds: `python -m tests.evidence.measure_alerts [table|rates|power|creep] [REPLICATES]`."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from math import log

import numpy as np

from innerloop_collector.analysis.alerts import thresholds
from innerloop_collector.analysis.alerts.daily import Measure
from innerloop_collector.analysis.alerts.detection import Thresholds
from tests.evidence.daily import World
from tests.evidence.watched import crept, power, rates, stated

WORLDS = {
    "20 people": World(people=20),
    "40 people": World(),
    "40 people, three runs a day": World(runs=3.0),
    "100 people": World(people=100),
    "300 people": World(people=300),
    "40 people, no shared days": World(shock=0.0),
    "40 people, 12 % slower in 12 weeks": World(trend=0.12),
}
_TABLE = ("20 people", "40 people", "100 people")
DIGEST, PAGES = 0.1, 0.015  # of a target and measure in a month


def table(replicates: int) -> None:
    """What thresholds lead to: false alarms a month by the threshold of a look, and the part of them that is confirmed."""
    for look in (1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 2.8, 3.1):
        _line(f"look {look}", Thresholds(look, 1.4), replicates, lambda found: f"{found[0]:.4f}")
    for confirmation in (0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4, 2.8):
        _line(f"confirmation {confirmation}", Thresholds(1.7, confirmation), replicates, lambda found: f"{found[1] / found[0]:.3f}")


def _line(name: str, at: Thresholds, replicates: int, shown: Callable[[tuple[float, float]], str]) -> None:
    cells = []
    for measure in Measure:
        sums = np.zeros(3)
        for world in _TABLE:
            seeds = range(replicates if WORLDS[world].people < 100 else replicates // 2)
            found = rates(replace(WORLDS[world], weeks=52), measure, at, seeds)
            sums += np.array(found) * (found.months, found.months, 1)
            cells.append(shown((found.digest or np.nan, found.pages)))
        cells.append("all " + shown((sums[0] / sums[2], sums[1] / sums[2])))
    print(name, *cells, sep="  ", flush=True)


def stated_rates(replicates: int) -> None:
    """False alarms at their stated rates."""
    print(f"stated: {DIGEST} in the digest, {PAGES} paged, of a target and measure in a month")
    for name, world in WORLDS.items():
        for measure in Measure:
            found = rates(world, measure, stated(DIGEST, PAGES), _fewer(replicates, world))
            print(f"{name:36} {measure.word:9} {found.digest:.3f} {found.pages:.4f} ({found.months:.0f} months)", flush=True)


def found(replicates: int) -> None:
    """What is found of slow-downs and of failures at these rates."""
    steps = (("10 %", log(1.1), 0.0), ("20 %", log(1.2), 0.0), ("30 %", log(1.3), 0.0), ("failing 15 -> 25 %", 0.0, 0.64))
    for name in ("20 people", "40 people", "40 people, three runs a day", "100 people"):
        for what, step, failing in steps:
            measure = Measure.FAILURES if failing else Measure.DURATION
            world = replace(WORLDS[name], step=step, failing_step=failing)
            one = power(world, measure, stated(DIGEST, PAGES), _fewer(replicates, world))
            print(f"{name:28} {what:18} digest {one.digest:.0%}, paged {one.pages:.0%}, dated within a week {one.dated:.0%}", flush=True)


def creeping(replicates: int) -> None:
    """Creep at its stated rate, and what is found of a rise of 12 % in 12 weeks."""
    at = thresholds.of_creep(DIGEST)
    for name, world in WORLDS.items():
        cells = [f"{crept(world, measure, at, _fewer(replicates, world)):.3f}" for measure in Measure]
        print(f"{name:36}", *cells, "a look", flush=True)


def _fewer(replicates: int, world: World) -> Iterable[int]:
    return range(max(replicates * 40 // max(world.people, 40), 10))


if __name__ == "__main__":
    chosen = sys.argv[1:2] or ["rates", "power", "creep"]
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    for one in chosen:
        {"table": table, "rates": stated_rates, "power": found, "creep": creeping}[one](number)
