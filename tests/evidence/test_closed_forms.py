"""Where a textbook has a formula, the estimators give the same number; and what must not matter does not."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.adoption import adoption, paired
from innerloop_collector.analysis.impact.collapse import collapse
from innerloop_collector.analysis.impact.differences import Found, compare
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Answer, Counts, Estimate
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Assignment, Group, Question
from innerloop_collector.analysis.impact.regression import Observations, by_trend, by_week, fit
from innerloop_collector.analysis.impact.selection import observe, select
from innerloop_collector.analysis.impact.usage import usage
from tests.evidence.panels import asked, of_logs
from tests.evidence.simulator import TREATED, World, panel, question, runs, world


def _estimate(answer: Answer) -> Estimate:
    assert isinstance(answer, Estimate), answer
    return answer


def test_a_balanced_difference_in_differences_is_the_difference_of_means() -> None:
    chance = np.random.default_rng(1)
    mean = {(target, week): chance.normal(8, 1) for target in (0, 1) for week in (0, 1)}
    rows = [(user, target, week, mean[target, week] + chance.normal(0, 0.1)) for user in range(10) for target, week in mean]
    cell = {key: np.mean([log for _, target, week, log in rows if (target, week) == key]) for key in mean}

    answer = _estimate(duration(of_logs(rows), asked(1)))

    assert answer.value == pytest.approx((cell[0, 1] - cell[0, 0]) - (cell[1, 1] - cell[1, 0]), abs=1e-9)


def _by_hand(seen: Observations, nuisance: NDArray[np.float64], left_out: int | None = None) -> float:
    """The regression with a column for every cell, on the rows of all clusters but one."""
    rows = np.ones(len(seen.y), dtype=bool) if left_out is None else seen.cluster != left_out
    cells = (seen.cell[:, None] == np.unique(seen.cell[rows])).astype(float)
    design = np.hstack([cells, nuisance[seen.week], seen.x[:, None]])[rows]
    root = np.sqrt(seen.weight[rows])
    return float(np.linalg.lstsq(design * root[:, None], seen.y[rows] * root, rcond=None)[0][-1])


@pytest.mark.parametrize("scenario", ["A", "F"])
@pytest.mark.parametrize("nuisance", [by_week, by_trend])
def test_the_error_is_that_of_leaving_out_each_developer_in_turn_and_solving_again(scenario: str, nuisance: Any) -> None:
    one = world(scenario, 12)
    selected = select(panel(one, 3), question(one))
    seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
    assert seen is not None

    found = fit(seen, nuisance(seen))

    assert found is not None
    value = _by_hand(seen, nuisance(seen))
    without = np.array([_by_hand(seen, nuisance(seen), cluster) for cluster in range(seen.clusters)])
    count = seen.clusters
    assert found.value == pytest.approx(value, abs=1e-8)
    assert found.error == pytest.approx(float(np.sqrt((count - 1) / count * ((without - value) ** 2).sum())), rel=1e-7)


def test_sums_give_what_the_runs_themselves_give() -> None:
    one = world("F", 20)
    columns = runs(one, 5)
    every = collapse(**{**columns, "work": np.arange(len(columns["user"]))})  # a row for each run

    whole, by_run = (_estimate(duration(given, question(one))) for given in (panel(one, 5), every))

    assert len(every) == len(columns["user"])
    assert (whole.value, whole.low, whole.high) == pytest.approx((by_run.value, by_run.low, by_run.high), abs=1e-9)


def _changed(given: Panel, **columns: Any) -> Panel:
    return Panel(**{one.name: columns.get(one.name, getattr(given, one.name)) for one in fields(given)})


def test_seconds_or_milliseconds_and_every_run_twice_make_no_difference() -> None:
    one = world("F", 20)
    given = panel(one, 7)
    shift = np.log(1000.0)
    slower = _changed(
        given,
        sum_log=given.sum_log + shift * given.timed,
        sum_log2=given.sum_log2 + 2 * shift * given.sum_log + shift**2 * given.timed,
        sum_ms=given.sum_ms * 1000,
        waited_ms=given.waited_ms * 1000,
    )
    codes = {"user", "target", "project", "week", "work", "exposed"}
    twice = _changed(given, **{one.name: 2 * getattr(given, one.name) for one in fields(given) if one.name not in codes})

    first, second, third = (_estimate(duration(each, question(one))) for each in (given, slower, twice))

    for other in (second, third):
        assert (other.value, other.low, other.high, other.p) == pytest.approx((first.value, first.low, first.high, first.p), abs=1e-9)
        assert other.counts.effective_users == pytest.approx(first.counts.effective_users)


def test_a_week_that_is_slow_for_all_makes_no_difference() -> None:
    one = world("F", 20)
    given = panel(one, 7)
    shock = 0.7 * (given.week == 10)
    slow = _changed(
        given, sum_log=given.sum_log + shock * given.timed, sum_log2=given.sum_log2 + 2 * shock * given.sum_log + shock**2 * given.timed
    )

    first, second = (_estimate(duration(each, question(one))) for each in (given, slow))

    assert (second.value, second.low, second.high) == pytest.approx((first.value, first.low, first.high), abs=1e-9)


def test_the_order_of_rows_and_the_numbers_of_people_and_targets_make_no_difference() -> None:
    one = world("F", 20)
    columns = runs(one, 7)
    order = np.random.default_rng(1).permutation(len(columns["user"]))
    mixed = {name: column[order] for name, column in columns.items()} | {"user": 1_000_003 - 17 * columns["user"][order]}

    first, second = (_estimate(duration(collapse(**each), question(one))) for each in (columns, mixed))

    assert (second.value, second.low, second.high) == pytest.approx((first.value, first.low, first.high), abs=1e-9)


def test_more_looks_make_the_interval_wider_and_nothing_else() -> None:
    one = world("C", 60)

    once, often = (_estimate(duration(panel(one, 2), question(one, looks=looks))) for looks in (1, 5))

    assert (once.value, once.p, once.confidence) == (often.value, often.p, 0.95)
    assert often.confidence == pytest.approx(0.99)
    assert often.half_width > 1.25 * once.half_width


def test_the_usage_of_two_weeks_is_a_ratio_of_ratios_with_its_jackknife() -> None:
    counts = np.random.default_rng(4).integers(3, 30, (12, 2, 2))  # developer, target, week
    rows = [
        (user, target, week, 8.0) for user in range(12) for target in (0, 1) for week in (0, 1) for _ in range(counts[user, target, week])
    ]

    answer = _estimate(usage(of_logs(rows), asked(1)))

    def ratio(of: NDArray[np.int64]) -> float:
        total = of.sum(axis=0)
        return float(np.log(total[0, 1] * total[1, 0] / (total[0, 0] * total[1, 1])))

    without = np.array([ratio(np.delete(counts, user, axis=0)) for user in range(12)])
    each = counts[:, 0].sum(axis=1)
    error = np.sqrt(11 / 12 * ((without - ratio(counts)) ** 2).sum())
    assert answer.value == pytest.approx(ratio(counts))
    assert answer.counts.effective_users == pytest.approx(each.sum() ** 2 / (each**2).sum())
    assert answer.half_width > 1.96 * error  # Student's t, of as many developers as that


def test_adoption_compares_windows_of_one_length() -> None:
    # Each runs it once, in one of the weeks 2 to 5: of eight weeks before the change those from 4 on are compared with the four since.
    rows = [(user, 1, week, 8.0) for user in range(10) for week in range(12)] + [(user, 0, 2 + user % 4, 8.0) for user in range(10)]

    found = adoption(of_logs(rows), asked(8))

    assert found.before == pytest.approx(0.4)
    assert found.after == 0


def test_where_every_developer_began_the_interval_has_a_width_and_something_is_detectable() -> None:
    found = paired(0, 12, 0, 12, asked(8), Counts())

    assert isinstance(found, Estimate)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.5 < found.low < 0.9
    assert 0.2 < found.detectable < 1


def test_projects_that_were_assigned_are_what_is_left_out() -> None:
    one = World(users=48, projects=12, project_shock=1.0)
    given = panel(one, 1)
    sides = Group(TREATED, frozenset(range(0, 12, 2))), Group(TREATED, frozenset(range(1, 12, 2)))
    named_apart = replace(given, target=given.target + 10 * (given.project % 2))  # the same comparison as one of targets

    projects = _compared(given, question(one, treated=sides[0], control=sides[1], assignment=Assignment.PROJECT))
    people = _compared(named_apart, question(one, control=Group(frozenset({10, 11, 12}))))

    assert projects.value == pytest.approx(people.value)
    assert (people.by_cluster.clusters, projects.by_cluster.clusters) == (48, 12)
    assert projects.by_user.effective == pytest.approx(people.by_user.effective)
    assert projects.people.error > 1.5 * people.people.error


def _compared(given: Panel, asked_for: Question) -> Found:
    selected = select(given, asked_for)
    seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
    assert seen is not None
    found = compare(seen, selected)
    assert found is not None
    return found
