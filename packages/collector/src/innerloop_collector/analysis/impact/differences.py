"""Before and after, treated and control: the difference of differences within cells, or a refusal.

The interval is the wider of two: one by how much people differ (the regression, leaving out each developer in turn), one by how much weeks differ.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from innerloop_collector.analysis.impact.estimates import Answer, Counts, Estimate, Gap, Label, Reason, Refusal, Warned, Width
from innerloop_collector.analysis.impact.intervals import Uncertainty, wider
from innerloop_collector.analysis.impact.panel import Numbers
from innerloop_collector.analysis.impact.question import Assignment, Metric
from innerloop_collector.analysis.impact.regression import Fit, Observations, Totals, by_trend, by_week, fit
from innerloop_collector.analysis.impact.selection import Selected, observe
from innerloop_collector.analysis.impact.tally import FEW_PROJECTS, Tally, tally
from innerloop_collector.analysis.impact.weekly import Weekly, weekly

_FEW_EFFECTIVE_USERS = 15
_DOMINANT = 0.25


@dataclass(frozen=True, eq=False)
class Found:
    """What both ways say of the same observations."""

    value: float
    people: Uncertainty
    weeks: Uncertainty | None
    by_cluster: Fit
    by_user: Fit
    gaps: Weekly


def difference(selected: Selected, weight: Numbers, total: Numbers, metric: Metric, seen: Observations | None = None) -> Answer:
    """Compare means of `total / weight`, or say why not. `seen` are other means of the same rows."""
    counted = tally(selected, weight)
    label = Label.CHANGE if selected.question.control is None else Label.EFFECT

    def refuse(reason: Reason, needed: float | None = None, found: float | None = None) -> Refusal:
        return Refusal(metric, label, selected.question.exposure, reason, needed, found, counted.counts)

    if counted.lacking and counted.lacking[0] is Reason.NO_TREATED_RUNS and metric is Metric.DURATION and selected.treated.any():
        return refuse(Reason.NONE_SUCCEEDED)
    if counted.lacking:
        return refuse(*counted.lacking)
    seen = seen or observe(selected, weight, total)
    assert seen is not None
    found = compare(seen, selected)
    if found is None:
        return refuse(Reason.NOT_DETERMINED)
    if found.people.error <= 1e-12 * max(1.0, float(np.abs(seen.y).max())):
        return refuse(Reason.NO_VARIATION)
    limits = selected.question.limits
    if selected.question.assignment is Assignment.PROJECT and found.by_cluster.effective < limits.effective_projects:
        counted = replace(counted, counts=_with_projects(counted.counts, found))
        return refuse(Reason.TOO_FEW_PROJECTS, limits.effective_projects, found.by_cluster.effective)
    least = limits.effective_users
    if found.by_user.effective < least:
        counted = replace(counted, counts=replace(counted.counts, effective_users=found.by_user.effective))
        return refuse(Reason.TOO_FEW_EFFECTIVE_USERS, least, found.by_user.effective)
    return _estimate(found, counted, selected, metric, label)


def compare(seen: Observations, selected: Selected) -> Found | None:
    """Estimate, without asking whether it should be shown."""
    control = selected.question.control is not None
    nuisance = by_week(seen) if control else by_trend(seen)
    totals = Totals.of(seen)
    by_cluster = fit(seen, nuisance, totals)
    if by_cluster is None:
        return None
    by_user: Fit | None = by_cluster
    freedom = by_cluster.effective - 1
    if selected.question.assignment is Assignment.PROJECT:
        by_user = fit(seen.by_user(), nuisance)
        freedom = min(freedom, by_cluster.clusters - 2)
    if by_user is None or freedom <= 0:
        return None
    gaps = weekly(seen, totals, by_cluster.pull, selected.question.week, control=control)
    weeks = gaps.found.uncertainty if gaps.found else None
    return Found(by_cluster.value, Uncertainty(by_cluster.error, freedom), weeks, by_cluster, by_user, gaps)


def _with_projects(counts: Counts, found: Found) -> Counts:
    return replace(counts, projects=found.by_cluster.clusters, effective_projects=found.by_cluster.effective)


def _estimate(found: Found, counted: Tally, selected: Selected, metric: Metric, label: Label) -> Estimate:
    question = selected.question
    interval = wider(found.value, found.people, found.weeks, question.level)
    counts = replace(counted.counts, effective_users=found.by_user.effective)
    if question.assignment is Assignment.PROJECT:
        counts = _with_projects(counts, found)
    return Estimate(
        metric=metric,
        label=label,
        exposure=question.exposure,
        assignment=question.assignment,
        value=found.value,
        low=interval.low,
        high=interval.high,
        confidence=1 - question.level,
        p=interval.p,
        detectable=interval.detectable,
        width=Width.WEEKS if interval.by_weeks else Width.USERS,
        counts=counts,
        warnings=(*counted.warnings, *_warnings(found, counts, label)),
        gaps=_told(found.gaps, counted, question.limits.users_a_week),
        exposed_share=selected.exposed_share,
        exposed_before=selected.exposed_before,
    )


def _warnings(found: Found, counts: Counts, label: Label) -> list[Warned]:
    signs = {
        Warned.NO_CONTROL: label is Label.CHANGE,
        Warned.FEW_EFFECTIVE_USERS: found.by_user.effective < _FEW_EFFECTIVE_USERS,
        Warned.ONE_USER_DOMINATES: found.by_user.largest > _DOMINANT,
        Warned.FEW_PROJECTS: counts.projects is not None and counts.projects < FEW_PROJECTS,
        Warned.USERS_ONLY: found.weeks is None,
    }
    return [warned for warned, seen in signs.items() if seen]


def _told(weeks: Weekly, counted: Tally, least: int) -> tuple[Gap, ...]:
    """The gaps of weeks in which enough developers took part, on either side."""
    told = []
    for week, value in zip(weeks.calendar.tolist(), weeks.gaps.tolist(), strict=True):
        enough = math.isfinite(value) and counted.users_by_week.get(week, 0) >= least
        told.append(Gap(week, value if enough else None))
    return tuple(told)
