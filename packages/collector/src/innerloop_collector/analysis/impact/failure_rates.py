"""How often runs fail."""

from dataclasses import replace

from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.differences import difference
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Label, Reason, Refusal, Warned
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Metric, Question
from innerloop_collector.analysis.impact.selection import Selected, select, within

_FEW = 10


def failures(panel: Panel, question: Question, metric: Metric = Metric.FAILURES) -> Answer:
    """Compare the share of runs that failed among those that ended by themselves: of checks, or of everything else."""
    if metric is Metric.FAILURES and _only_checks(panel, question):
        return only_checks(question)
    selected = select(ending(panel, question, metric), question)
    answer = difference(selected, selected.panel.ended, selected.panel.failed, metric)
    if isinstance(answer, Estimate) and _fewest(selected) < _FEW:
        return replace(answer, warnings=(*answer.warnings, Warned.FEW_FAILURES))
    return answer


def only_checks(question: Question) -> Refusal:
    """Why failures that are friction have no number where whatever is affected is a check."""
    label = Label.CHANGE if question.control is None else Label.EFFECT
    return Refusal(Metric.FAILURES, label, question.exposure, Reason.ONLY_CHECKS)


def _only_checks(panel: Panel, question: Question) -> bool:
    treated = within(panel, question.treated)
    return bool(treated.any() and among(panel.target[treated], list(question.checks)).all())


def ending(panel: Panel, question: Question, metric: Metric) -> Panel:
    """The rows that are asked of failures: of what is affected checks, or everything else; any target serves as a control."""
    checks = among(panel.target, list(question.checks))
    return panel.where((checks if metric is Metric.FAILED_CHECKS else ~checks) | ~within(panel, question.treated))


def _fewest(selected: Selected) -> float:
    """Failed treated runs on the side that has fewer."""
    treated, changed = selected.treated, selected.changed > 0
    return min(float(selected.panel.failed[treated & side].sum()) for side in (changed, ~changed))
