"""Of fewer than k developers nothing is told but that: not that there is none, and not that there is one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.analysis.impact.question import Metric
from innerloop_collector.query.population import Settings
from innerloop_collector.query.verdicts.judgement import foreseen, judged
from innerloop_collector.query.verdicts.looks import Change, Look, Name
from innerloop_collector.query.verdicts.power import MOST_QUESTIONS, AskedEnoughError, Power
from innerloop_collector.query.verdicts.statistics import Sums, week_number
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import Known, rows_of
from innerloop_collector.query.verdicts.verdict_views import Detectable, Finding, Verdict
from innerloop_collector.reports.impact_table import notes
from tests.evidence.panels import of_failures, of_logs
from tests.evidence.test_alert_looks import Shelf

K, TEAM, AFTER, BEFORE = 5, 24, 4, 8
DAY = date(2030, 3, 18)
NAMES = {Name("acme", name): number for number, name in enumerate(("build", "lint", "rare", "check"))}
CHECKS = [Name("acme", "check")]
METRICS = [one.value for one in Metric]


def panel(rare_before: int, rare_after: int, name: str = "rare") -> Panel:
    """A team that builds and lints each week, and some of whom run something else."""
    first, rows = week_number(DAY) - BEFORE, []
    for week in range(first, first + BEFORE + AFTER):
        for user in range(TEAM):
            rows += [(user, 0, week, (user + week) % 2, 3), (user, 1, week, week % 2, 3)]
            if user < (rare_after if week >= first + BEFORE else rare_before):
                rows.append((user, NAMES[Name("acme", name)], week, 1, 4))
    return of_failures(rows)


def sums(of: Panel) -> Sums:
    return Sums(of, {name: code for name, code in NAMES.items() if code in of.target}, {"acme": 0})


def change(metric: str = "duration", affected: str = "rare", controls: tuple[str, ...] = ("lint",)) -> Change:
    return Change(
        "acme",
        "x",
        "x",
        DAY,
        tuple(Name("acme", one) for one in affected.split()),
        tuple(Name("acme", one) for one in controls),
        (AFTER,),
        metric=metric,
    )


def told(of: Panel, asked: Change) -> Verdict:
    blank = Verdict(1, "acme", "verdict/x/1", "x", "x", DAY, asked.metric, 1, 1, AFTER, DAY, DAY, DAY, K, asked.affected, asked.controls)
    return judged(blank, sums(of), asked, Look(1, AFTER, DAY + timedelta(weeks=AFTER)), CHECKS, ())


@pytest.mark.parametrize("metric", METRICS)
def test_whether_nobody_or_a_few_run_something_is_one_sentence(metric: str) -> None:
    headlines = []
    for number in range(K):
        verdict = told(panel(number, number), change(metric))
        assert not verdict.has_numbers or metric == "adoption"
        headlines.append(verdict.findings[0])
    assert {("too few developers", "too few users")} == {(one.verdict, one.reason) for one in headlines}


@pytest.mark.parametrize("controls", [("rare",), ("check",)])
def test_a_few_who_are_compared_with_are_too_few(controls: tuple[str, ...]) -> None:
    assert {"too few users"} == {
        told(panel(one, one, controls[0]), change("duration", "build", controls)).findings[0].reason for one in range(K)
    }


def test_a_comparison_that_only_some_changes_have_is_not_there_for_a_few() -> None:
    """That a check is among what a change affects would tell that somebody ran it."""
    found = [
        {(one.metric, one.by, one.work) for one in told(panel(few, few, "check"), change(affected="build check", controls=())).findings}
        for few in (0, 1, K - 1, K)
    ]
    assert found[0] == found[1] == found[2] != found[3]


@pytest.mark.parametrize("began", range(TEAM + 1))
def test_how_many_began_is_told_in_steps_of_k(began: int) -> None:
    def adoption(number: int) -> Finding:
        return told(panel(0, number), change("adoption", controls=())).findings[0]

    found = adoption(began)
    assert (found.percent is None) == (began < K)
    if found.percent is not None:
        assert 0 == found.percent.value % 25
    if began < K:
        assert found == adoption(0)


def test_what_could_be_seen_of_adoption_tells_of_no_few() -> None:
    blank = Detectable("acme", "detectable/x/y", DAY, "adoption")
    said = []
    for number in range(TEAM + 1):
        early = panel(0, 0)
        middle = week_number(DAY) - BEFORE // 2
        rows = [(user, 2, week, 1, 4) for week in range(middle, middle + BEFORE // 2) for user in range(number)]
        base = [
            (int(user), int(target), int(week), int(failed), int(ended - failed))
            for user, target, week, failed, ended in zip(early.user, early.target, early.week, early.failed, early.ended, strict=True)
        ]
        found = foreseen(blank, sums(of_failures(base + rows)), change("adoption", controls=()), (), K)
        said.append(None if found.percent is None else found.percent.value)
        assert (found.reason == "too few users") == (number < K)
    assert [None] * K == said[:K]
    assert {0} == {value % 25 for value in said[K:] if value is not None}
    assert None not in said[K:]


class NoRows:
    """A store without rows, and no releases."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        return []

    def read(self, project: str, units: Any) -> dict[str, Any]:
        return {}


def test_so_many_different_questions_are_answered_in_a_block_and_the_same_one_for_ever() -> None:
    store = NoRows()
    known = Known(
        lambda: {"acme": Settings(3, K, None, 400)}, list, lambda _, names: (), lambda _: (), lambda: 1, lambda _: (), lambda _, name: None
    )
    power = Power(rows_of(store), Verdicts(Shelf()), store, known)
    for number in range(MOST_QUESTIONS):
        power.detectable(change(affected=f"c{number}"), DAY)
    with pytest.raises(
        AskedEnoughError, match="told of 20 other questions about acme in this block of weeks, and no more is told before 2030-"
    ):
        power.detectable(change(affected="another"), DAY)
    assert power.detectable(change(affected="c3"), DAY).reason == "too few users"
    assert power.detectable(change(affected="another"), DAY + timedelta(weeks=6)).reason == "too few users"


@pytest.mark.parametrize(("affected", "reason"), [("check", "only checks"), ("check rare", "too few users")])
@pytest.mark.parametrize("metric", ["duration", "failures"])
def test_of_checks_alone_it_is_said_that_their_failures_are_told_apart(affected: str, reason: str, metric: str) -> None:
    """By the record: that of check and rare only one was run would tell that nobody ran the other."""
    for number in (0, 1, K - 1, K, TEAM):
        findings = told(panel(number, number, "check"), change(metric, affected)).findings
        (failing,) = [one for one in findings if one.metric == "failures"] or [None]
        assert number == 0 or (failing is not None and (None, reason) == (failing.percent, failing.reason))
    assert (
        "only checks"
        == foreseen(Detectable("acme", "u", DAY, "failures"), sums(panel(9, 9)), change("failures", "check"), CHECKS, K).reason
    )


def timed() -> Panel:
    """A team in which all run something, three times a week, and lint."""
    draw = np.random.default_rng(1)
    weeks = range(week_number(DAY) - BEFORE, week_number(DAY) + AFTER)
    return of_logs(
        [(user, target, week, draw.normal(9, 0.3)) for user in range(TEAM) for week in weeks for target in (1, 2) for _ in range(3)]
    )


def held(holders: int) -> Panel:
    """Of those who run something, some hold the change."""
    given = timed()
    after = (given.target == NAMES[Name("acme", "rare")]) & (given.week >= week_number(DAY))
    return replace(given, exposed=np.where(after & (given.user < holders), int(Exposed.YES), int(Exposed.NO)))


def test_which_few_checkouts_hold_a_change_is_not_told_in_any_word() -> None:
    """Whether none, one or a few hold it, and whether all, all but one or all but a few do, is the same verdict but for what the runs say."""

    def words(holders: int) -> set[tuple[str, str, str, tuple[str, ...]]]:
        return {(one.metric, one.by, one.reason, one.warnings) for one in told(held(holders), change()).findings}

    said = [words(number) for number in range(TEAM + 1)]
    assert said[0] == said[1] == said[K - 1] != said[K + 1]
    assert said[TEAM] == said[TEAM - 1] == said[TEAM - K + 1] != said[TEAM - K - 1]
    assert {"hardly exposed"} == {reason for metric, by, reason, _ in said[0] if by == "by date" and metric != "adoption"}
    assert {None} == {told(held(number), change()).exposed for number in (0, K - 1, TEAM - K + 1, TEAM)}


def test_one_who_holds_most_of_the_exposed_runs_is_hardly_an_exposed_team() -> None:
    given = held(K + 1)
    mine = np.where((given.user == 0) & (given.exposed == Exposed.YES), 100, 1)
    heavy = replace(
        given, **{name: getattr(given, name) * mine for name in ("timed", "ended", "failed", "sum_log", "sum_log2", "sum_ms", "waited_ms")}
    )
    assert {"hardly exposed"} == {one.reason for one in told(heavy, change()).findings if one.by == "by date" and one.metric != "adoption"}


@pytest.mark.parametrize("there", range(K + 1))
def test_a_week_of_a_few_is_as_a_week_of_nobody(there: int) -> None:
    given = timed()
    quiet = given.where((given.week != week_number(DAY) - 3) | (given.user < there))
    assert ("weeks missing" in told(quiet, change()).findings[0].warnings) == (there < K)


@pytest.mark.parametrize(("stopping", "told_of"), [(1, False), (K - 1, False), (TEAM, True)])
def test_how_much_it_rests_on_stopped_runs_is_told_where_enough_stop_some(stopping: int, told_of: bool) -> None:
    given = timed()
    affected = (given.target == NAMES[Name("acme", "rare")]) & (given.user < stopping)
    number = np.where(affected, 3.0, 0.0)
    stopped = {"stopped_sum_log": number * 9, "stopped_sum_log2": number * 81, "interrupted": number, "stopped": number}
    found = told(replace(given, **stopped), change())
    assert (found.completed is not None) == told_of
    assert any("completed runs alone" in note for note in notes(found)) == told_of
