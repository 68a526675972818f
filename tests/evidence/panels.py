"""Small panels, written by hand."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from innerloop_collector.analysis.impact.collapse import Outcome, collapse
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Group, Limits, Question

LOOSE = Limits(
    users=2, effective_users=2, projects=4, effective_projects=2, runs=2, weeks_before=1, weeks_after=1
)  # estimates are compared with those of others, also of ten people


def of_logs(rows: Iterable[tuple[int, int, int, float]], **more: Any) -> Panel:
    """A panel of runs: developer, target, week, logarithm of the duration."""
    user, target, week, log = (np.array(column) for column in zip(*rows, strict=True))
    return collapse(user=user, target=target, week=week, ms=np.exp(log), outcome=np.zeros(len(log), dtype=np.int64), **more)


def of_failures(rows: Iterable[tuple[int, int, int, int, int]]) -> Panel:
    """A panel of runs: developer, target, week, how many failed and how many did not."""
    columns: list[list[int]] = [[], [], [], []]
    for user, target, week, failed, succeeded in rows:
        for outcome, times in ((Outcome.FAILED, failed), (Outcome.SUCCEEDED, succeeded)):
            for column, value in zip(columns, (user, target, week, outcome), strict=True):
                column.extend([value] * times)
    users, targets, weeks, outcomes = (np.array(column) for column in columns)
    return collapse(user=users, target=targets, week=weeks, ms=np.ones(len(users)), outcome=outcomes)


def asked(week: int, *, control: bool = True, **more: Any) -> Question:
    """Ask about target 0, with target 1 as the control."""
    return Question(
        **{"week": week, "treated": Group(frozenset({0})), "control": Group(frozenset({1})) if control else None, "limits": LOOSE, **more}
    )
