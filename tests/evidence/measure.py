"""How often the estimators err, as the tables of docs/statistics.md: `python -m tests.evidence.measure [REPLICATES] [TABLE...]`."""

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from innerloop_collector.analysis.impact.detectable import detectable_before
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Estimate
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Group
from tests.evidence.rates import Rates, replicate
from tests.evidence.simulator import CHECKOUTS, TREATED, World, panel, question, world

_EFFECTS = {"none": 0.0, "-10 %": float(np.log(0.9)), "-20 %": float(np.log(0.8))}
_TITLES = "| what | developers | truth | answered | claimed | coverage | bias | mean half-width | of that by developers |\n|---|---|---|---|---|---|---|---|---|"


def _row(what: str, users: int, truth: str, rates: Rates, times: int) -> str:
    if not rates.values:
        return f"| {what} | {users} | {truth} | 0 % | | | | | |"
    widening = f"x {rates.widening:.2f}" if rates.plain else ""
    return f"| {what} | {users} | {truth} | {rates.answered / times:.0%} | {rates.found:.1%} | {rates.coverage:.1%} | {rates.bias:+.3f} | {rates.half_width:.3f} | {widening} |"


def _durations(times: int) -> Iterable[str]:
    for scenario in "AFCDGH":
        for users in (10, 30, 100, 300) if scenario == "F" else (10, 30, 100):
            for truth, effect in _EFFECTS.items():
                if truth != "-10 %" or users >= 100:
                    yield _row(scenario, users, truth, replicate(world(scenario, users, effect=effect), effect, times), times)


def _exposure(times: int) -> Iterable[str]:
    for users in (10, 20, 30, 60):
        for truth, effect in _EFFECTS.items():
            one = World(users=users, effect=effect, **CHECKOUTS)
            for name, asked in (("by exposure", {"exposure": Exposure.BY_EXPOSURE}), ("by date", {})):
                yield _row(name, users, truth, replicate(one, effect, times, **asked), times)


def _without_controls(times: int) -> Iterable[str]:
    for scenario in "ACF":
        for users in (30, 100, 300):
            for truth in ("none", "-20 %"):
                one = world(scenario, users, effect=_EFFECTS[truth])
                yield _row(f"{scenario}, change", users, truth, replicate(one, _EFFECTS[truth], times, control=None), times)


def _others(times: int) -> Iterable[str]:
    for users in (10, 30, 100):
        troubled = {"failure": 0.2, "failure_shock": 0.15, "enter": 0.25, "leave": 0.20}
        yield _row("failures, clean", users, "none", replicate(world("A", users, failure=0.2), 0.0, times, "failures"), times)
        yield _row("failures, shocks, mix, churn", users, "none", replicate(world("D", users, **troubled), 0.0, times, "failures"), times)
        better = replicate(world("A", users, failure=0.2, failure_effect=float(np.log(0.5))), float("nan"), times, "failures")
        yield f"| failures, odds halved | {users} | about -8.5 points | {better.answered / times:.0%} | {better.found:.1%} | | | {better.half_width:.3f} | |"
        yield _row("usage, clean", users, "none", replicate(world("A", users), 0.0, times, "usage"), times)
        yield _row("usage, season, churn", users, "none", replicate(world("E", users, usage_shock=0.15), 0.0, times, "usage"), times)
        more = float(np.log(1.2))
        yield _row("usage", users, "+20 %", replicate(world("A", users, usage_effect=more), more, times, "usage"), times)
        yield _row(
            "adoption of one target",
            users,
            "none",
            replicate(world("E", users), 0.0, times, "adoption", treated=Group(frozenset({0}))),
            times,
        )


def _interrupted(times: int) -> Iterable[str]:
    for patience in (1.5, 0.7):
        for truth in ("none", "-20 %"):
            one, effect = world("A", 60, effect=_EFFECTS[truth], patience=patience), _EFFECTS[truth]
            given = [panel(one, seed) for seed in range(20)]
            share = sum(float(each.interrupted.sum()) for each in given) / sum(float(each.runs.sum()) for each in given)
            yield _row(f"{share:.0%} interrupted, as longer", 60, truth, replicate(one, effect, times), times)
            yield _row(f"{share:.0%} interrupted, left out", 60, truth, replicate(one, effect, times, "completed"), times)


def _projects(times: int) -> Iterable[str]:
    for projects in (8, 20):
        sides = [Group(TREATED, frozenset(range(start, projects, 2))) for start in (0, 1)]
        for shock in (0.1, 0.3):
            one = world("C", 100, projects=projects, project_shock=shock)
            rates = replicate(one, 0.0, times, treated=sides[0], control=sides[1], assignment=Assignment.PROJECT)
            yield _row(f"{projects} projects that differ by {shock}", 100, "none", rates, times)


def _detectable(times: int) -> Iterable[str]:
    for scenario in "AF":
        for users in (30, 60, 100):
            said = [detectable_before(panel(world(scenario, users), seed), question(World())) for seed in range(min(times, 200))]
            effect = -float(np.mean([answer.detectable for answer in said if isinstance(answer, Estimate)]))
            rates = replicate(world(scenario, users, effect=effect), effect, times, first=10_000)
            yield _row(f"{scenario}, as large as said beforehand", users, f"{np.expm1(effect):.0%}", rates, times)


def _looks(times: int) -> Iterable[str]:
    for looks in (1, 4):
        claimed = []
        for seed in range(times):
            given = panel(world("F", 60), seed)
            answers = [duration(given, question(World(), weeks_after=weeks, looks=looks)) for weeks in (1, 2, 3, 4)]
            claimed.append(any(isinstance(one, Estimate) and not one.low <= 0 <= one.high for one in answers))
        yield f"| F, four looks as {looks} registered | 60 | none | | {np.mean(claimed):.1%} | | | | |"


TABLES: dict[str, Callable[[int], Iterable[str]]] = {
    "durations": _durations, "exposure": _exposure, "without-controls": _without_controls, "others": _others, "interrupted": _interrupted,
    "projects": _projects, "detectable": _detectable, "looks": _looks,
}  # fmt: skip


def main(arguments: list[str]) -> None:
    """Print the tables that are named, or all."""
    times = int(arguments[0]) if arguments else 1000
    for name in arguments[1:] or TABLES:
        started: Any = time.process_time()
        print(f"\n{name}, {times} replicates\n\n{_TITLES}", flush=True)
        for row in TABLES[name](times):
            print(row, flush=True)
        print(f"\n{time.process_time() - started:.0f} s of cpu", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
