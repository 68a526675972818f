"""Where there is too little, no number is given but a reason; what is shaky is given with a warning."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from innerloop_collector.analysis.impact.adoption import adoption
from innerloop_collector.analysis.impact.collapse import Outcome, collapse
from innerloop_collector.analysis.impact.detectable import answer_of, before
from innerloop_collector.analysis.impact.durations import completed_alone, duration
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Label, Reason, Refusal, Warned, Width
from innerloop_collector.analysis.impact.failure_rates import failures
from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Group, Limits, Metric, Question
from innerloop_collector.analysis.impact.usage import usage
from innerloop_collector.analysis.impact.verdict import Verdict, judge
from innerloop_collector.analysis.impact.whole import impact
from innerloop_collector.reports.impact_document import verdict_of
from tests.evidence.panels import of_logs
from tests.evidence.simulator import CONTROL, TREATED, World, panel, question, runs

_TEAM = World(users=40)


def _reason(answer: Answer) -> Reason:
    assert isinstance(answer, Refusal), answer
    return answer.reason


def _warned(answer: Answer) -> tuple[Warned, ...]:
    assert isinstance(answer, Estimate), answer
    return answer.warnings


@pytest.mark.parametrize("seed", range(4))
def test_five_developers_are_always_refused(seed: int) -> None:
    for exposure in Exposure:
        assert _reason(duration(panel(World(users=5, delay=3.0), seed), question(World(), exposure=exposure))) is Reason.TOO_FEW_USERS


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"treated": Group(frozenset({9}))}, Reason.NO_TREATED_RUNS),
        ({"control": Group(frozenset({9}))}, Reason.NO_CONTROL_RUNS),
        ({"week": 2}, Reason.TOO_FEW_WEEKS_BEFORE),
        ({"weeks_before": 2}, Reason.TOO_FEW_WEEKS_BEFORE),
        ({"week": 12}, Reason.TOO_FEW_WEEKS_AFTER),
        ({"week": -5}, Reason.TOO_FEW_WEEKS_BEFORE),
        ({"dropped": frozenset(range(8, 12))}, Reason.TOO_FEW_WEEKS_AFTER),
        ({"limits": Limits(effective_users=30)}, Reason.TOO_FEW_EFFECTIVE_USERS),
        ({"limits": Limits(runs=5_000)}, Reason.TOO_FEW_RUNS),
        ({"exposure": Exposure.BY_EXPOSURE}, Reason.NOTHING_EXPOSED),
    ],
)
def test_what_is_lacking_is_said(changed: dict[str, Any], reason: Reason) -> None:
    given = panel(_TEAM, 1)
    if changed.get("exposure"):
        given = _with(given, exposed=np.zeros(len(given), dtype=np.int64))

    assert _reason(duration(given, question(_TEAM, **changed))) is reason


def test_checkouts_of_which_nothing_is_known_are_not_asked_by_exposure() -> None:
    given = panel(_TEAM, 1)
    unknown = _with(given, exposed=np.full(len(given), int(Exposed.UNKNOWN)))

    assert _reason(duration(unknown, question(_TEAM, exposure=Exposure.BY_EXPOSURE))) is Reason.EXPOSURE_UNKNOWN
    assert impact(unknown, question(_TEAM)).by_exposure is None


def test_too_few_projects_are_refused_and_fewer_than_twenty_warned_of() -> None:
    def assigned(projects: int) -> Answer:
        one = World(users=60, projects=projects)
        sides = [frozenset(range(start, projects, 2)) for start in (0, 1)]
        asked = question(one, treated=Group(TREATED, sides[0]), control=Group(TREATED, sides[1]), assignment=Assignment.PROJECT)
        return duration(panel(one, 1), asked)

    assert _reason(assigned(4)) is Reason.TOO_FEW_PROJECTS
    assert Warned.FEW_PROJECTS in _warned(assigned(12))


def test_two_projects_that_do_nearly_all_of_the_runs_are_no_twelve() -> None:
    one = World(users=60, projects=12)
    given = panel(one, 1)
    busy = _scaled(given, np.where(given.project < 2, 400.0, 1.0))
    sides = [frozenset(range(start, 12, 2)) for start in (0, 1)]
    limits = Limits(effective_users=2)
    asked = question(one, treated=Group(TREATED, sides[0]), control=Group(TREATED, sides[1]), assignment=Assignment.PROJECT, limits=limits)

    answer = duration(busy, asked)

    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.needed) == (Reason.TOO_FEW_PROJECTS, 4.0)
    assert answer.found is not None
    assert answer.found < 4


def _assigned_usage(projects: int, busy: float = 1.0, treated: int = 0) -> Answer:
    one = World(users=60, projects=projects)
    given = panel(one, 1)
    sides = frozenset(range(treated or projects // 2)), frozenset(range(treated or projects // 2, projects))
    asked = question(
        one,
        treated=Group(TREATED, sides[0]),
        control=Group(TREATED, sides[1]),
        assignment=Assignment.PROJECT,
        limits=Limits(effective_users=2),
    )
    return usage(_scaled(given, np.where(given.project < 1, busy, 1.0)), asked)


def test_use_by_project_is_as_sure_as_projects_are_many_on_the_side_that_has_fewer() -> None:
    assert _reason(_assigned_usage(4)) is Reason.TOO_FEW_PROJECTS
    assert _reason(_assigned_usage(12, treated=1)) is Reason.TOO_FEW_PROJECTS
    many, lopsided = _assigned_usage(12), _assigned_usage(12, busy=40.0)
    assert Warned.FEW_PROJECTS in _warned(many)
    assert isinstance(many, Estimate)
    assert many.counts.projects == 12
    assert isinstance(lopsided, Estimate)
    few_freedom = (lopsided.detectable / lopsided.half_width) < (many.detectable / many.half_width)
    assert few_freedom  # t(0.8) grows by less than t(0.975) where few projects tell


def test_use_that_never_varies_is_refused_for_that_and_one_developer_without_whom_nothing_is_left_for_this() -> None:
    same = of_logs([(user, target, week, 8.0) for user in range(12) for target in (0, 1) for week in range(8) for _ in range(5)])
    alone = of_logs(
        [(user, 0, week, 8.0) for user in range(12) for week in range(8) for _ in range(5)] + [(0, 1, week, 8.0) for week in range(8)]
    )
    asked = question(World(), week=4, treated=Group(frozenset({0})), control=Group(frozenset({1})))

    assert _reason(usage(same, asked)) is Reason.NO_VARIATION
    assert _reason(usage(alone, asked)) is Reason.NOT_DETERMINED


def test_controls_that_were_run_on_one_side_of_the_date_alone_are_none() -> None:
    given = panel(_TEAM, 1)
    early = given.where(np.isin(given.target, list(TREATED)) | (given.week < 8))

    for answer in (duration(early, question(_TEAM)), usage(early, question(_TEAM)), failures(early, question(_TEAM))):
        assert _reason(answer) is Reason.NO_CONTROL_RUNS


def test_where_nothing_succeeded_that_is_said_and_not_that_nothing_was_run() -> None:
    columns = runs(_TEAM, 1)
    failing = collapse(**{**columns, "outcome": np.where(np.isin(columns["target"], list(TREATED)), 1, columns["outcome"])})

    assert _reason(duration(failing, question(_TEAM))) is Reason.NONE_SUCCEEDED


def test_a_check_that_is_affected_is_compared_with_whatever_is_not() -> None:
    given, asked = panel(World(users=40, failure=0.2), 1), question(_TEAM, checks=TREATED)
    whole = impact(given, asked)

    assert isinstance(whole.failed_checks, Estimate)
    assert whole.failed_checks.label is Label.EFFECT
    assert _reason(whole.failures) is Reason.ONLY_CHECKS
    assert "nothing can be told" not in verdict_of("test", whole, asked)


@pytest.mark.parametrize(("weeks", "early"), [(1, 0), (2, 1), (3, 2), (5, 3), (6, 4), (7, 4), (8, 4), (10, 5), (11, 6)])
def test_the_middle_of_the_weeks_before_leaves_enough_of_them_to_see_how_much_weeks_differ(weeks: int, early: int) -> None:
    given = of_logs([(user, target, week, 8.0) for user in range(3) for target in (0, 1) for week in range(weeks)])

    assert before(given, question(_TEAM, week=weeks))[1].week == early


def test_where_there_are_no_weeks_before_it_is_not_called_too_early() -> None:
    late = panel(_TEAM, 1)
    late = late.where(late.week >= 8)

    assert _reason(adoption(late, question(_TEAM)).answer) is Reason.TOO_FEW_WEEKS_BEFORE
    assert _reason(usage(late, question(_TEAM))) is Reason.TOO_FEW_WEEKS_BEFORE
    assert judge(usage(late, question(_TEAM))).verdict is Verdict.CANNOT_TELL


def test_too_few_projects_are_not_said_to_be_too_few_developers() -> None:
    assert judge(_assigned_usage(4)).verdict is Verdict.CANNOT_TELL


def test_an_absurd_number_is_still_a_number() -> None:
    assert Estimate.percent_of(Metric.DURATION, 1_000.0) == Estimate.percent_of(Metric.DURATION, 20.0) > 1e9
    assert Estimate.percent_of(Metric.DURATION, -1_000.0) == -100


def test_what_does_not_vary_is_refused_and_what_rests_on_one_alone_as_well() -> None:
    same = [(user, target, week, 8.0) for user in range(10) for target in (0, 1) for week in range(8) for _ in range(2)]
    # Nine of ten stopped before the change: without the tenth there is nothing to compare.
    alone = [row for row in same if row[2] < 4 or row[0] == 0 or row[1] == 1]
    asked = Question(
        week=4, treated=Group(frozenset({0})), control=Group(frozenset({1})), limits=Limits(users=2, effective_users=2, runs=2)
    )

    assert _reason(duration(of_logs(same), asked)) is Reason.NO_VARIATION
    assert _reason(duration(of_logs(alone), asked)) is Reason.TOO_FEW_USERS
    assert _reason(failures(of_logs(same), asked)) is Reason.NO_VARIATION
    assert _reason(adoption(of_logs(same), asked).answer) is Reason.NO_VARIATION


def test_an_empty_panel_and_one_without_weeks_after_are_refused_by_every_metric() -> None:
    given = panel(_TEAM, 1)
    for rows in (given.where(np.zeros(len(given), dtype=bool)), given.where(given.week < 8)):
        for metric in Metric:
            assert isinstance(answer_of(rows, question(_TEAM, metric=metric)), Refusal)
        whole = impact(rows, question(_TEAM))
        assert (whole.saved, whole.robustness) == (None, None)


def test_without_a_control_it_is_a_change_and_says_so() -> None:
    found = duration(panel(_TEAM, 1), question(_TEAM, control=None))

    assert isinstance(found, Estimate)
    assert found.label is Label.CHANGE
    assert Warned.NO_CONTROL in found.warnings
    assert usage(panel(_TEAM, 1), question(_TEAM, control=None)).label is Label.CHANGE


def test_what_makes_a_number_shaky_is_said() -> None:
    given = panel(_TEAM, 1)
    busy = np.where(given.user == given.user[0], 40.0, 1.0)
    dominated = _scaled(given, busy)
    few_weeks = question(_TEAM, week=3, weeks_after=2)

    assert Warned.ONE_USER_DOMINATES in _warned(duration(dominated, question(_TEAM, limits=Limits(effective_users=2))))
    assert Warned.FEW_EFFECTIVE_USERS in _warned(duration(panel(World(users=16), 1), question(_TEAM)))
    assert Warned.USERS_ONLY in _warned(duration(given.unexposed(), few_weeks))
    assert Warned.USERS_CHANGED in _warned(duration(given.where((given.week < 8) | (given.user % 5 != 0)), question(_TEAM)))
    assert Warned.WEEKS_MISSING in _warned(duration(given.where(given.week != 5), question(_TEAM)))
    assert Warned.WEEKS_MISSING not in _warned(duration(given.where(given.week != 5), question(_TEAM, dropped=frozenset({5}))))
    assert Warned.SMALL_CONTROL in _warned(
        duration(_scaled(given, np.where(np.isin(given.target, list(CONTROL)), 1.0, 9.0)), question(_TEAM))
    )
    assert Warned.FEW_FAILURES in _warned(failures(panel(World(users=40, failure=0.01), 1), question(_TEAM)))


def test_where_many_are_interrupted_they_count_as_longer_and_that_is_said() -> None:
    given = panel(World(users=60, patience=1.0), 1)

    headline, completed = duration(given, question(_TEAM)), completed_alone(given, question(_TEAM))

    assert {Warned.MANY_INTERRUPTED, Warned.STOPPED_AS_LONGER} <= set(_warned(headline))
    assert Warned.STOPPED_AS_LONGER not in _warned(completed)


def test_a_week_in_which_nothing_ended_has_no_gap_of_its_own() -> None:
    columns = runs(World(users=60, patience=1.0), 1)
    stopped = collapse(**{**columns, "outcome": np.where(columns["week"] == 10, Outcome.INTERRUPTED, columns["outcome"]).astype(np.int64)})

    found = duration(stopped, question(_TEAM))

    assert Warned.STOPPED_AS_LONGER in _warned(found)
    assert [gap.week for gap in found.gaps if gap.value is None] == [10]  # type: ignore[union-attr]


def test_a_dropped_week_counts_for_nothing() -> None:
    given = panel(_TEAM, 1)
    spoiled = _scaled(given, np.where(given.week == 8, 50.0, 1.0))

    first, second = (duration(one, question(_TEAM, dropped=frozenset({8}))) for one in (given, spoiled))

    assert isinstance(first, Estimate)
    assert first == second
    assert first.counts.weeks_after == 3


def test_a_week_of_too_few_developers_has_no_gap() -> None:
    given = panel(_TEAM, 1)
    thin = given.where((given.week != 4) | (given.user < 8) & (given.user % 2 == 0))

    found = duration(thin, question(_TEAM))

    assert isinstance(found, Estimate)
    assert [gap.week for gap in found.gaps if gap.value is None] == [4]


def test_the_interval_says_what_made_it_wide() -> None:
    shaken = duration(panel(World(users=120, treated_shock=0.3), 3), question(_TEAM))

    assert isinstance(shaken, Estimate)
    assert shaken.width is Width.WEEKS


def test_an_estimate_holds_nothing_of_one_developer() -> None:
    """Not the number of rows per developer, no leave-one-out value: counts, sums and gaps of weeks are all that there is."""
    kinds = {one.name: one.type for kind in (Estimate, Refusal) for one in fields(kind)}

    assert not [name for name, kind in kinds.items() if "ndarray" in str(kind) or "dict" in str(kind)]
    assert len(impact(panel(_TEAM, 1), question(_TEAM)).duration.gaps) == 12  # type: ignore[union-attr]


def _with(given: Panel, **columns: Any) -> Panel:
    return Panel(**{one.name: columns.get(one.name, getattr(given, one.name)) for one in fields(given)})


def _scaled(given: Panel, times: Any) -> Panel:
    """As many runs more, by row."""
    codes = {"user", "target", "project", "week", "work", "exposed"}
    return _with(given, **{one.name: getattr(given, one.name) * times for one in fields(given) if one.name not in codes})
