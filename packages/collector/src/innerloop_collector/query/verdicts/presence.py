"""Whether enough developers are on each side of a comparison. Pure.

Where there are fewer than k, also the reason why there is no number would tell of one of them: that nobody ran it is another sentence than that one person did.
"""

from dataclasses import replace

from innerloop_collector.analysis.impact.codes import distinct
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.estimates import Answer, Reason, Refusal
from innerloop_collector.analysis.impact.failure_rates import ending
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Metric, Question
from innerloop_collector.analysis.impact.selection import counted, select, within

_FAILING = (Metric.FAILURES, Metric.FAILED_CHECKS)


def told(panel: Panel, question: Question, answer: Answer, k: int) -> Answer:
    """An answer as it may be told: whole, or only that there are too few developers."""
    asked = replace(question, exposure=answer.exposure)
    few = not enough(panel, asked, answer.metric, k)
    lone = isinstance(answer, Refusal) and answer.reason is Reason.TOO_FEW_PROJECTS and _projects(question) >= question.limits.projects
    return Refusal(answer.metric, answer.label, answer.exposure, Reason.TOO_FEW_USERS) if few or lone else answer


def enough(panel: Panel, question: Question, metric: Metric, k: int) -> bool:
    """Whether k developers are on each side: affected runs and controls, before and after. Of adoption, among those who began or those who stopped."""
    if metric is Metric.ADOPTION:
        return max(_moved(panel, question)) >= k
    if metric in _FAILING:
        panel = ending(panel, question, metric)
    selected = select(panel, question)
    rows = selected.panel
    some = {Metric.DURATION: rows.timed, Metric.USAGE: rows.runs}.get(metric, rows.ended) > 0
    changed, control = selected.changed > 0, ~selected.treated
    sides = [selected.treated & changed, selected.treated & ~changed]
    if question.control is not None:
        sides += [control & selected.after, control & ~selected.after]
    return all(len(distinct(rows.user[some & side])) >= k for side in sides)


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
