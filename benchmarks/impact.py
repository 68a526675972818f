"""What an answer about a change costs, beyond the one GROUP BY that adds its runs up.

    python benchmarks/impact.py [--runs 1000000] [--developers 500] [--json]

Beside it a bare pass of numpy over the same runs: logarithms, and their sums by developer, target and week. Everything is cpu time of one process, and ratios
survive another machine.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from innerloop_collector.analysis.impact.all_targets import scan
from innerloop_collector.analysis.impact.collapse import collapse
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.question import Group, Question
from innerloop_collector.analysis.impact.whole import impact

BUDGET = 2.0  # seconds of cpu for all answers about one change of a million runs
TARGETS, WEEKS, DATE = 50, 26, 16


def made(count: int, developers: int) -> dict[str, Any]:
    """Runs of so many developers, of whom a few do most."""
    chance = np.random.default_rng(1)
    activity = np.exp(chance.normal(0, 0.9, developers))
    user = np.searchsorted(np.cumsum(activity) / activity.sum(), chance.random(count)).clip(0, developers - 1)
    week = chance.integers(0, WEEKS, count)
    # Everybody runs a dozen of the targets, and a few of those most of the time.
    taste = np.array([chance.permutation(TARGETS) for _ in range(developers)])
    target = taste[user, chance.geometric(0.25, count).clip(1, 12) - 1]
    log = 10 + chance.normal(0, 0.4, developers)[user] + chance.normal(0, 0.6, count) - 0.1 * ((target < 10) & (week >= DATE))
    outcome = chance.choice(3, count, p=[0.85, 0.12, 0.03])
    return {
        "user": user, "target": target, "week": week, "ms": np.exp(log), "outcome": outcome, "work": (chance.random(count) < 0.2).astype(np.int64),
        "exposed": ((week >= DATE) & (chance.random(developers)[user] < 0.9)).astype(np.int64),
    }  # fmt: skip


def bare(runs: dict[str, Any]) -> None:
    """What nobody can do without: every run is looked at once."""
    logs = np.log(np.maximum(runs["ms"], 1.0))
    code = (runs["user"] * TARGETS + runs["target"]) * WEEKS + runs["week"]
    for values in (None, logs, logs * logs):
        np.bincount(code, weights=values)


def cpu(task: Callable[[], object], rounds: int = 3) -> float:
    """The least cpu time of some rounds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        task()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--developers", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runs = made(options.runs, options.developers)
    panel = collapse(**runs)
    question = Question(week=DATE, treated=Group(frozenset(range(10))), control=Group(frozenset(range(10, TARGETS))))
    found = {
        "bare pass of numpy": cpu(lambda: bare(runs)),
        "adding up without an engine": cpu(lambda: collapse(**runs), 1),
        "duration alone": cpu(lambda: duration(panel, question)),
        "everything about one change": cpu(lambda: impact(panel, question)),
        "scan of all targets": cpu(lambda: scan(panel, question, range(10)), 1),
    }
    if options.json:
        print(json.dumps({"runs": options.runs, "developers": options.developers, "rows": len(panel), "cpu_seconds": found}))
        return
    print(f"{options.runs:,} runs of {options.developers} developers, {TARGETS} targets, {WEEKS} weeks: {len(panel):,} rows of the panel")
    for name, seconds in found.items():
        print(f"{name:<30} {seconds:7.2f} s {seconds / found['bare pass of numpy']:7.1f} x")
    whole = found["everything about one change"]
    print(
        f"{'PASS' if whole < BUDGET * max(1.0, options.runs / 1e6) else 'MISSED'}: {whole:.2f} s of cpu beyond the GROUP BY, budget {BUDGET} s for a million runs"
    )


if __name__ == "__main__":
    main()
