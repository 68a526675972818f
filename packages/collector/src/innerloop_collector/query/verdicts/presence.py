"""Whether enough developers are on each side of a comparison. Pure.

Where there are fewer than k, also the reason why there is no number would tell of one of them: that nobody ran it is another sentence than that one person did.
"""

from dataclasses import replace

import numpy as np

from innerloop_collector.analysis.impact import tally
from innerloop_collector.analysis.impact.codes import distinct
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Reason, Refusal, Warned
from innerloop_collector.analysis.impact.failure_rates import ending
from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.analysis.impact.question import Exposure, Metric, Question
from innerloop_collector.analysis.impact.selection import Selected, counted, select, within
from innerloop_collector.query.releases.disclosure import broken_rule

_FAILING = (Metric.FAILURES, Metric.FAILED_CHECKS)
_BEFORE_EXPOSURE = frozenset(
    {Reason.NO_TREATED_RUNS, Reason.NO_CONTROL_RUNS, Reason.TOO_FEW_WEEKS_BEFORE, Reason.TOO_FEW_WEEKS_AFTER, Reason.WORK_UNKNOWN}
)  # what is asked first


def told(panel: Panel, question: Question, answer: Answer, k: int) -> Answer:
    """An answer as it may be told: whole, or only that there are too few developers, or too few checkouts. Reasons and warnings are ruled as numbers are."""
    asked = replace(question, exposure=answer.exposure)
    few = not enough(panel, asked, answer.metric, k)
    lone = isinstance(answer, Refusal) and answer.reason is Reason.TOO_FEW_PROJECTS and _projects(question) >= question.limits.projects
    if few or lone:
        return Refusal(answer.metric, answer.label, answer.exposure, Reason.TOO_FEW_USERS)
    selected = select(_asked(panel, asked, answer.metric), asked)
    if answer.exposure is Exposure.BY_DATE and _is_known(selected) and not _passes(selected, k, Exposed.YES, Exposed.FIRST):
        early = isinstance(answer, Estimate) or answer.reason not in _BEFORE_EXPOSURE
        return Refusal(answer.metric, answer.label, answer.exposure, Reason.HARDLY_EXPOSED) if early else answer
    return _warned(selected, answer, k) if isinstance(answer, Estimate) else answer


def partly_held(panel: Panel, question: Question, k: int) -> bool:
    """Whether the share of runs in checkouts that hold the change may be told: both parts of it pass the rules."""
    selected = select(panel, question)
    return _is_known(selected) and _passes(selected, k, Exposed.YES, Exposed.FIRST) and _passes(selected, k, Exposed.NO)


def hardly_exposed(panel: Panel, question: Question, k: int) -> bool:
    """Whether it is too early to ask by date: too few runs in checkouts that hold the change, or it may not be told how much."""
    selected = select(panel, question)
    return _is_known(selected) and (tally.hardly_exposed(selected) is not None or not _passes(selected, k, Exposed.YES, Exposed.FIRST))


def stopped_by_enough(panel: Panel, question: Question, k: int) -> bool:
    """Whether affected runs that somebody stopped pass the rules on each side: what differs with and without them is theirs."""
    selected = select(panel, question)
    rows = selected.panel
    sides = [selected.treated & side for side in (selected.after, ~selected.after)]
    return all(broken_rule(np.bincount(rows.user[side], weights=rows.stopped[side]).tolist(), k) is None for side in sides)


def _warned(selected: Selected, answer: Estimate, k: int) -> Estimate:
    """Without warnings that tell of few, and with those weeks as missing that hardly anybody was there in."""
    unknown = _passes(selected, k, Exposed.UNKNOWN) and _passes(selected, k, Exposed.NO, Exposed.YES, Exposed.FIRST)
    told = {Warned.EXPOSED_IN_PART: _passes(selected, k, Exposed.NO), Warned.EXPOSURE_PARTLY_UNKNOWN: unknown}
    kept = [one for one in answer.warnings if told.get(one, True) and one is not Warned.WEEKS_MISSING]
    return replace(answer, warnings=(*kept, *([Warned.WEEKS_MISSING] if _weeks_missing(selected, k) else [])))


def _is_known(selected: Selected) -> bool:
    return selected.exposed_share is not None


def _passes(selected: Selected, k: int, *states: Exposed) -> bool:
    """Whether affected runs since the change in some checkouts pass the rules of a published number."""
    rows = selected.treated & selected.after & among(selected.panel.exposed, [int(one) for one in states])
    runs = np.bincount(selected.panel.user[rows], weights=selected.panel.runs[rows])
    return broken_rule(runs.tolist(), k) is None


def _weeks_missing(selected: Selected, k: int) -> bool:
    """Whether there are weeks in which fewer than k developers ran what is affected."""
    rows = selected.treated & (selected.panel.runs > 0)
    people: dict[int, set[int]] = {}
    for week, user in zip(selected.panel.week[rows].tolist(), selected.panel.user[rows].tolist(), strict=True):
        people.setdefault(week, set()).add(user)
    weeks = set(range(min(people), max(people) + 1)) - selected.question.dropped if people else set()
    return any(len(people.get(week, ())) < k for week in weeks)


def enough(panel: Panel, question: Question, metric: Metric, k: int) -> bool:
    """Whether k developers are on each side: affected runs and controls, before and after. Of adoption, among those who began or those who stopped."""
    if metric is Metric.ADOPTION:
        return max(_moved(panel, question)) >= k
    selected = select(_asked(panel, question, metric), question)
    rows = selected.panel
    some = {Metric.DURATION: rows.timed, Metric.USAGE: rows.runs}.get(metric, rows.ended) > 0
    changed, control = selected.changed > 0, ~selected.treated
    sides = [selected.treated & changed, selected.treated & ~changed]
    if question.control is not None:
        sides += [control & selected.after, control & ~selected.after]
    return all(len(distinct(rows.user[some & side])) >= k for side in sides)


def _asked(panel: Panel, question: Question, metric: Metric) -> Panel:
    return ending(panel, question, metric) if metric in _FAILING else panel


def _moved(panel: Panel, question: Question) -> tuple[int, int]:
    """How many began and how many stopped, in as many weeks after as before, of those who were there in both."""
    rows = counted(panel, question)
    weeks = distinct(panel.week[rows])
    early, late = weeks[weeks < question.week], weeks[weeks >= question.week]
    span = min(len(early), len(late))
    if not span:
        return 0, 0
    sides = [rows & among(panel.week, one.tolist()) for one in (early[-span:], late[:span])]
    there = [set(panel.user[side].tolist()) for side in sides]
    ran = [set(panel.user[side & within(panel, question.treated)].tolist()) for side in sides]
    both = there[0] & there[1]
    return len((ran[1] - ran[0]) & both), len((ran[0] - ran[1]) & both)


def _projects(question: Question) -> int:
    """How many projects are compared, whoever took part."""
    return sum(len(side.projects or ()) for side in (question.treated, question.control) if side)
