"""A panel and a question are checked when they are made: nothing that contradicts itself reaches an estimator."""

from typing import Any

import numpy as np
import pytest

from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Assignment, Group, Invalid, Limits, Question

_ROWS: dict[str, list[float]] = {
    "user": [0, 1], "target": [0, 0], "project": [0, 0], "week": [0, 1], "work": [-1, 2], "exposed": [-1, 2], "timed": [2, 1], "sum_log": [10, 5],
    "sum_log2": [50, 25], "sum_ms": [300, 150], "ended": [3, 1], "failed": [1, 0], "interrupted": [1, 0], "stopped": [1, 0], "stopped_sum_log": [4, 0],
    "stopped_sum_log2": [16, 0], "waited_ms": [500, 150],
}  # fmt: skip


def _made(**changed: Any) -> Panel:
    return Panel(**{name: np.array(column) for name, column in (_ROWS | changed).items()})


def test_a_panel_holds_what_it_was_given_and_nobody_can_write_to_it() -> None:
    given = np.array([0, 1])

    panel = _made(user=given)
    given[0] = 7

    assert (len(panel), panel.user.tolist(), panel.runs.tolist()) == (2, [0, 1], [4, 1])
    with pytest.raises(ValueError, match="read-only"):
        panel.user[0] = 7


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"user": [0]}, "columns differ in length"),
        ({"user": [[0, 1]]}, "user is not a column"),
        ({"user": ["a", "b"]}, "user does not hold numbers"),
        ({"user": [0.5, 1]}, "user holds a number that is not whole"),
        ({"user": [-1, 1]}, "user holds a number below 0"),
        ({"work": [-2, 1]}, "work holds a number below -1"),
        ({"exposed": [3, 0]}, "exposed holds a number above 2"),
        ({"sum_log": [float("nan"), 5]}, "sum_log holds a number that is missing"),
        ({"timed": [-1, 1]}, "timed holds a number below 0"),
        ({"failed": [4, 0]}, "failed is more than ended"),
        ({"timed": [3, 1]}, "timed is more than ended without failed"),
        ({"sum_ms": [600, 150]}, "sum_ms is more than waited_ms"),
        ({"sum_log2": [49, 25]}, "sum_log and the sum of its squares contradict"),
        ({"timed": [2, 0]}, "sum_log is not 0 in a row"),
        ({"stopped": [2, 0]}, "stopped is more than interrupted"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        _made(**changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"looks": 0}, "looks"),
        ({"weeks_before": 0}, "weeks"),
        ({"control": Group(frozenset({1, 2}))}, "treated and a control at once"),
        ({"assignment": Assignment.PROJECT}, "projects are named"),
        ({"treated": Group(None, frozenset({0})), "control": Group(None, frozenset({1}))}, "projects and not developers got the change"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(changed: dict[str, Any], words: str) -> None:
    asked: dict[str, Any] = {"week": 8, "treated": Group(frozenset({0, 1})), "control": Group(frozenset({3}))}

    with pytest.raises(Invalid, match=words):
        Question(**(asked | changed))


def test_a_group_of_nothing_and_a_limit_of_nothing_are_refused() -> None:
    with pytest.raises(Invalid, match="names no target"):
        Group(frozenset())
    with pytest.raises(Invalid, match="users is below 2"):
        Limits(users=1)
    with pytest.raises(Invalid, match="no_change"):
        Limits(no_change=0)


def test_looks_share_the_chance_of_being_wrong() -> None:
    assert Question(week=8, treated=Group(frozenset({0})), looks=5).level == pytest.approx(0.01)
