"""By date and by exposure, as felt and same work, all targets at once, placebo dates: from the same sums, each for what it is."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from innerloop_collector.analysis.impact.adoption import adoption
from innerloop_collector.analysis.impact.all_targets import scan
from innerloop_collector.analysis.impact.censored import with_stopped
from innerloop_collector.analysis.impact.codes import grouped, numbered
from innerloop_collector.analysis.impact.collapse import Outcome, collapse
from innerloop_collector.analysis.impact.detectable import detectable_before
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Estimate, Reason, Refusal, Warned
from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.analysis.impact.question import Exposure, Group, Invalid
from innerloop_collector.analysis.impact.regression import by_week, fit, fitted
from innerloop_collector.analysis.impact.robustness import robustness
from innerloop_collector.analysis.impact.saved import WEEKS_A_MONTH, saved
from innerloop_collector.analysis.impact.selection import observe, select
from innerloop_collector.analysis.impact.usage import usage
from innerloop_collector.analysis.impact.verdict import Verdict, judge
from innerloop_collector.analysis.impact.whole import impact, per_exposed
from innerloop_collector.reports.verdicts import sentence
from tests.evidence.simulator import CHECKOUTS, World, panel, question, runs, world

_TEAM = World(users=60, effect=-0.3, **CHECKOUTS)
_BY_EXPOSURE = question(_TEAM, exposure=Exposure.BY_EXPOSURE)


def _estimate(given: Panel, asked: Any) -> Estimate:
    answer = duration(given, asked)
    assert isinstance(answer, Estimate), answer
    return answer


def test_a_developer_s_first_exposed_run_is_a_row_of_its_own() -> None:
    made = collapse(
        user=[1, 1, 1, 2, 2, 3], target=[0] * 6, week=[1] * 6, ms=[10.0, 20, 30, 40, 50, 60], outcome=[0] * 6, exposed=[0, 1, 1, 1, 1, 0],
        start=[1, 3, 2, 7, 7, 1],
    )  # fmt: skip

    first = made.exposed == Exposed.FIRST
    assert made.timed[first].tolist() == [1, 2]  # two that start alike are both the first
    assert made.sum_ms[first].tolist() == [30, 90]
    assert made.timed.sum() == 6


def test_of_each_target_the_first_exposed_run_is_one_since_pulling_makes_each_of_them_slow_once() -> None:
    made = collapse(
        user=[1, 1, 1, 1], target=[0, 1, 0, 1], week=[1] * 4, ms=[90.0, 80, 9, 8], outcome=[0] * 4, exposed=[1] * 4, start=[1, 2, 3, 4]
    )

    assert made.sum_ms[made.exposed == Exposed.FIRST].tolist() == [90, 80]


def test_by_exposure_runs_that_pulling_made_slow_make_no_difference() -> None:
    calm = {**CHECKOUTS, "first_cold": 0.0}
    cold, warm = (duration(panel(World(users=40, **each), 3), _BY_EXPOSURE) for each in ({**CHECKOUTS, "first_cold": 1.0}, calm))

    assert isinstance(cold, Estimate)
    assert isinstance(warm, Estimate)
    assert (cold.value, cold.low) == (warm.value, warm.low)


def test_by_exposure_without_times_it_is_said_that_slow_first_runs_count_too() -> None:
    columns = runs(_TEAM, 1)
    timeless = collapse(**{name: column for name, column in columns.items() if name != "start"})

    assert Warned.FIRST_RUNS_UNKNOWN in _estimate(timeless, _BY_EXPOSURE).warnings
    assert Warned.FIRST_RUNS_UNKNOWN not in _estimate(panel(_TEAM, 1), _BY_EXPOSURE).warnings


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_of_a_change_that_has_not_arrived_nothing_is_claimed_and_no_change_least_of_all(share: float) -> None:
    given = panel(World(users=60), 1)
    held = (given.week >= 8) & (given.user < 60 * share)

    whole = impact(_with(given, exposed=held.astype(np.int64)), question(World()))

    for answer in (whole.headline, whole.failures, whole.usage, whole.adoption.answer):
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.HARDLY_EXPOSED
    assert judge(whole.headline).verdict is Verdict.TOO_EARLY
    said = sentence("build", judge(whole.headline))
    assert (
        said == "build: too early: less than a fifth of the runs are in checkouts that hold the change, or these are of too few developers"
    )


def test_what_did_not_happen_is_said_of_the_team_so_far_as_well() -> None:
    given = panel(World(users=100), 1)
    half = _with(given, exposed=((given.week >= 8) & (given.user % 2 == 0)).astype(np.int64))
    found = judge(_estimate(half, question(World())))

    for answer in (usage(half, question(World())), adoption(half, question(World())).answer):
        assert isinstance(answer, Refusal) or Warned.EXPOSED_IN_PART in answer.warnings
    for verdict, bound in ((Verdict.NO_CHANGE, 12.0), (Verdict.CANNOT_TELL, None)):
        assert " in the team so far (" in sentence("build", replace(found, verdict=verdict, bound=bound))


def test_before_the_change_nobody_holds_it_and_that_is_no_reason_to_say_nothing_beforehand() -> None:
    given = panel(World(users=40), 1)
    known = _with(given, exposed=(given.week >= 8).astype(np.int64))

    assert detectable_before(known, question(World())) == detectable_before(given, question(World()))


def test_by_exposure_leaves_first_runs_out_and_by_date_counts_them() -> None:
    given = panel(_TEAM, 1)
    first = (given.exposed == Exposed.FIRST) & np.isin(given.target, [0, 1, 2])
    slower = _with(
        given, sum_log=given.sum_log + 2.0 * first * given.timed, sum_log2=given.sum_log2 + first * (4 * given.sum_log + 4 * given.timed)
    )

    assert first.any()
    assert _estimate(given, _BY_EXPOSURE).value == _estimate(slower, _BY_EXPOSURE).value
    assert _estimate(slower, question(_TEAM)).value > _estimate(given, question(_TEAM)).value


def test_where_all_checkouts_get_it_at_the_date_both_ways_are_one() -> None:
    given = panel(World(users=40), 1)
    every = _with(given, exposed=(given.week >= 8).astype(np.int64))

    by_date, by_exposure = (_estimate(every, question(World(), exposure=kind)) for kind in Exposure)

    assert (by_exposure.value, by_exposure.low, by_exposure.high) == pytest.approx((by_date.value, by_date.low, by_date.high))


def test_the_effect_in_the_team_so_far_is_divided_by_the_share_that_it_reached() -> None:
    answer = _estimate(panel(_TEAM, 1), question(_TEAM))
    whole = impact(panel(_TEAM, 1), question(_TEAM))
    divided = per_exposed(answer)

    assert answer.exposed_share is not None
    assert 0.6 < answer.exposed_share < 0.95
    assert divided is not None
    assert (divided.value * answer.exposed_share, divided.low * answer.exposed_share) == pytest.approx((answer.value, answer.low))
    assert whole.per_exposed == divided
    assert per_exposed(replace(answer, exposed_share=0.1)) is None


def test_an_effect_is_divided_by_what_the_date_added_where_most_of_that_is_known() -> None:
    given = panel(World(users=60, effect=-0.3), 1)
    early = given.user % 4 == 0
    told = _with(given, exposed=((given.week >= 8) & (given.user % 4 < 3) | early).astype(np.int64))
    hidden = _with(told, exposed=np.where(given.user % 5 < 3, int(Exposed.UNKNOWN), told.exposed))

    answer, unknown = _estimate(told, question(World())), _estimate(hidden, question(World()))
    divided = per_exposed(answer)

    assert answer.exposed_share is not None
    assert answer.exposed_before > 0.1
    assert divided is not None
    assert divided.value == pytest.approx(answer.value / (answer.exposed_share - answer.exposed_before))
    assert (unknown.exposed_share, per_exposed(unknown)) == (None, None)
    assert Warned.EXPOSURE_PARTLY_UNKNOWN in unknown.warnings
    assert Warned.EXPOSURE_PARTLY_UNKNOWN not in answer.warnings


def test_without_classes_of_the_affected_runs_nothing_is_called_the_same_work() -> None:
    given = panel(World(users=40), 1)
    treated = np.isin(given.target, [0, 1, 2])
    unclassed = _with(given, work=np.where(treated, -1, given.work))

    whole = impact(unclassed, question(World(), same_work=True))

    assert whole.same_work is None
    assert isinstance(whole.headline, Refusal)
    assert whole.headline.reason is Reason.WORK_UNKNOWN
    assert isinstance(impact(given, question(World())).same_work, Estimate)


def test_a_cache_that_makes_full_builds_rare_is_felt_and_is_not_the_same_work_faster() -> None:
    """Since the change treated runs are cold half as often; each class takes as long as before."""
    chance = np.random.default_rng(1)
    size = 30 * 4 * 12 * 5
    user, target, week = np.arange(size) % 30, np.arange(size) // 30 % 4, np.arange(size) // 120 % 12
    cold = chance.random(size) < np.where((target < 2) & (week >= 8), 0.2, 0.4)
    log = 9 + np.where(cold, 1.5, 0.0) + chance.normal(0, 0.3, size)
    given = collapse(user=user, target=target, week=week, ms=np.exp(log), outcome=np.zeros(size, dtype=int), work=cold.astype(int))
    asked = question(World(), treated=Group(frozenset({0, 1})), control=Group(frozenset({2, 3})))

    whole = impact(given, asked)

    assert isinstance(whole.duration, Estimate)
    assert isinstance(whole.same_work, Estimate)
    assert whole.duration.high < -0.15
    assert abs(whole.same_work.value) < 0.05
    assert whole.headline == whole.duration


def test_a_scan_claims_the_target_that_changed() -> None:
    one = World(users=120, runs_a_day=4)
    columns = runs(one, 2)
    faster = (columns["target"] == 1) & (columns["week"] >= one.date)
    given = collapse(**{**columns, "ms": columns["ms"] * np.where(faster, 0.6, 1.0)})

    found = scan(given, question(one, control=None), range(6))

    claimed = [scanned.target for scanned in found if scanned.claimed]
    assert 1 in claimed
    assert len(claimed) <= 2  # with the changed one among the controls, all six would be
    assert all(scanned.q is not None for scanned in found)
    with pytest.raises(Invalid, match="twice"):
        scan(given, question(one), [1, 1])


def test_a_target_that_nothing_is_left_to_compare_with_is_refused_and_the_others_are_answered() -> None:
    given, asked = panel(World(users=60), 1), question(World(), control=Group(frozenset({3})))

    found = {one.target: one.answer for one in scan(given, asked, [0, 1, 3])}

    assert isinstance(found[3], Refusal)
    assert found[3].reason is Reason.NO_CONTROL_RUNS
    assert isinstance(found[0], Estimate)
    assert isinstance(scan(given, question(World(), control=None), [0])[0].answer, Refusal)


def test_placebo_dates_are_the_same_estimate_before_the_change() -> None:
    one = world("F", 40)
    given, asked = panel(one, 1), question(one)
    early = given.where(given.week < 8)
    values = []
    for date in (3, 4, 5):
        selected = select(early, replace(asked, week=date))
        seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
        assert seen is not None
        found = fit(seen, by_week(seen))
        assert found is not None
        values.append(abs(found.value))

    placebo = robustness(given, asked, _estimate(given, asked)).placebo

    assert placebo is not None
    assert placebo.dates == 3
    assert placebo.largest == pytest.approx(max(values), abs=1e-9)


def test_controls_against_controls_is_about_controls_alone() -> None:
    given, asked = panel(_TEAM, 1), question(_TEAM)
    louder = _with(
        given, sum_log=given.sum_log + np.isin(given.target, [0, 1, 2]) * given.timed, sum_log2=given.sum_log2 * 4 + 4 * given.timed
    )

    first, second = (robustness(one, asked, _estimate(one, asked)).control_split for one in (given, louder))

    assert isinstance(first, Estimate)
    assert isinstance(second, Estimate)
    assert first.value == pytest.approx(second.value)


def test_time_saved_is_what_the_same_runs_would_have_taken() -> None:
    one = World(users=40, effect=-0.4, effect_sd=0.0)
    given, asked = panel(one, 1), question(one)
    effect = _estimate(given, asked)
    rows = np.isin(given.target, [0, 1, 2]) & (given.week >= 8)
    minutes = float(given.sum_ms[rows].sum()) / 60_000 / len(set(given.user[rows & (given.timed > 0)].tolist())) / 4 * WEEKS_A_MONTH

    found = saved(given, asked, effect)

    assert found is not None
    assert found.minutes == pytest.approx(minutes * (np.exp(-effect.value) - 1))
    assert found.low < found.minutes < found.high


def test_without_interrupted_runs_the_censored_regression_is_the_other() -> None:
    one = world("F", 30)
    selected = select(panel(one, 1), question(one))
    seen = with_stopped(selected)
    plain = observe(selected, selected.panel.timed, selected.panel.sum_log)

    assert seen is not None
    assert plain is not None
    assert fitted(seen, by_week(seen))[0] == pytest.approx(fitted(plain, by_week(plain))[0])


def test_sessions_that_were_stopped_change_neither_the_estimate_nor_what_is_said_of_interruptions() -> None:
    columns = runs(World(users=40, patience=1.0, effect=-0.3), 1)
    rows = len(columns["user"])
    twice = {name: np.r_[column, column] for name, column in columns.items()}
    twice["outcome"][rows:] = Outcome.INTERRUPTED
    with_sessions = collapse(**twice, waiting=np.arange(2 * rows) < rows)

    alone, beside = (_estimate(given, question(World())) for given in (collapse(**columns), with_sessions))

    assert Warned.STOPPED_AS_LONGER in alone.warnings
    assert (beside.value, beside.low, beside.warnings) == (pytest.approx(alone.value), pytest.approx(alone.low), alone.warnings)
    calm = {**columns, "outcome": np.zeros(rows, dtype=np.int64)}
    twice["outcome"][:rows] = Outcome.SUCCEEDED
    quiet, busy = (
        _estimate(given, question(World())) for given in (collapse(**calm), collapse(**twice, waiting=np.arange(2 * rows) < rows))
    )
    assert (busy.value, busy.warnings) == (pytest.approx(quiet.value), quiet.warnings)


def test_the_censored_regression_is_where_the_likelihood_is_largest() -> None:
    """No small step of the effect makes the data likelier, each row being one run."""
    from scipy.special import log_ndtr  # noqa: PLC0415 - for this oracle alone

    chance = np.random.default_rng(2)
    size = 40 * 2 * 8 * 3
    user, target, week = np.arange(size) % 40, np.arange(size) // 40 % 2, np.arange(size) // 80 % 8
    x = ((target == 0) & (week >= 4)).astype(float)
    log = 9 + chance.normal(0, 0.4, 40)[user] - 0.4 * x + chance.normal(0, 0.5, size)
    limit = 9.2 + chance.normal(0, 0.5, size)
    outcome = np.where(limit < log, Outcome.INTERRUPTED, Outcome.SUCCEEDED).astype(int)
    given = collapse(user=user, target=target, week=week, ms=np.exp(np.minimum(log, limit)), outcome=outcome, work=np.arange(size))
    asked = question(World(), week=4, treated=Group(frozenset({0})), control=Group(frozenset({1})))
    seen = with_stopped(select(given, asked))
    assert seen is not None
    value, _ = fitted(seen, by_week(seen))

    assert (outcome == Outcome.INTERRUPTED).mean() > 0.2
    assert value == pytest.approx(-0.4, abs=0.09)
    assert float(np.exp(log_ndtr(0.0))) == pytest.approx(0.5)


def test_codes_are_numbered_as_numpy_numbers_them_however_far_apart_they_lie() -> None:
    chance = np.random.default_rng(1)
    for column in (chance.integers(-5, 5, 100), chance.integers(0, 1 << 60, 100), np.zeros(0, dtype=np.int64)):
        values, places = numbered(column)
        expected, expected_places = np.unique(column, return_inverse=True)
        assert values.tolist() == expected.tolist()
        assert places.tolist() == expected_places.tolist()
    keys = [chance.integers(0, 1 << 62, 500) // 7 * 7 for _ in range(4)]
    keys[0][:100] = keys[0][0]
    places, elements = grouped(keys)
    assert len(elements) == len({tuple(row) for row in np.stack(keys, axis=1).tolist()})
    assert all((key[elements][places] == key).all() for key in keys)


def _with(given: Panel, **columns: Any) -> Panel:
    return Panel(**{one.name: columns.get(one.name, getattr(given, one.name)) for one in fields(given)})
