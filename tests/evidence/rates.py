"""How often an estimator errs: replicates of a simulated team, and what of them was right."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from innerloop_collector.analysis.impact.adoption import adoption
from innerloop_collector.analysis.impact.differences import compare
from innerloop_collector.analysis.impact.durations import completed_alone, duration
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Reason
from innerloop_collector.analysis.impact.failure_rates import failures
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Question
from innerloop_collector.analysis.impact.selection import observe, select
from innerloop_collector.analysis.impact.usage import usage
from tests.evidence.simulator import World, panel, question

Estimator = Callable[[Panel, Question], Answer]
ESTIMATORS: dict[str, Estimator] = {
    "duration": duration,
    "completed": completed_alone,
    "failures": failures,
    "usage": usage,
    "adoption": lambda runs, asked: adoption(runs, asked).answer,
}


@dataclass
class Rates:
    """What came of the replicates of one world."""

    truth: float
    values: list[tuple[float, float, float, float]] = field(default_factory=list)  # value, low, high, detectable
    effective: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)  # half the interval by developers alone, of the same teams
    refused: Counter[Reason] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        if isinstance(answer, Estimate):
            self.values.append((answer.value, answer.low, answer.high, answer.detectable))
            self.effective.append(answer.counts.effective_users or 0.0)
        else:
            self.refused[answer.reason] += 1

    @property
    def answered(self) -> int:
        return len(self.values)

    @property
    def found(self) -> float:
        """How often 0 was outside: of a true effect the power, of none the rate of false claims."""
        return float(np.mean([low > 0 or high < 0 for _, low, high, _ in self.values]))

    @property
    def coverage(self) -> float:
        return float(np.mean([low <= self.truth <= high for _, low, high, _ in self.values]))

    @property
    def bias(self) -> float:
        return float(np.mean([value for value, *_ in self.values])) - self.truth

    @property
    def half_width(self) -> float:
        return float(np.mean([high - low for _, low, high, _ in self.values])) / 2

    @property
    def median_half_width(self) -> float:
        return float(np.median([high - low for _, low, high, _ in self.values])) / 2

    @property
    def widening(self) -> float:
        """How much wider the interval is than the one by developers alone."""
        return self.half_width / float(np.mean(self.plain))

    def __str__(self) -> str:
        if not self.values:
            return f"all refused: {dict(self.refused)}"
        return (
            f"{self.answered:5} answered, found {self.found:.3f}, coverage {self.coverage:.3f}, bias {self.bias:+.3f}, "
            f"half-width {self.half_width:.3f} (median {self.median_half_width:.3f}), G* {np.mean(self.effective):.1f}"
        )


def replicate(one: World, truth: float, times: int, estimator: str = "duration", *, first: int = 0, **asked: Any) -> Rates:
    """Ask about as many teams of a world."""
    rates = Rates(truth)
    for seed in range(first, first + times):
        given, what = panel(one, seed), question(one, **asked)
        answer = ESTIMATORS[estimator](given, what)
        rates.add(answer)
        if estimator == "duration" and isinstance(answer, Estimate):
            rates.plain.append(_by_developers_alone(given, what))
    return rates


def _by_developers_alone(given: Panel, what: Question) -> float:
    selected = select(given, what)
    seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
    assert seen is not None
    found = compare(seen, selected)
    assert found is not None
    return found.people.half_width(what.level)
