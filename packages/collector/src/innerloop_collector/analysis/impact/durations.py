"""How long developers wait for success."""

from dataclasses import replace

from innerloop_collector.analysis.impact.censored import with_stopped
from innerloop_collector.analysis.impact.differences import difference
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Warned
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Metric, Question
from innerloop_collector.analysis.impact.selection import select

_STOPPED = (Warned.MANY_INTERRUPTED, Warned.INTERRUPTIONS_MOVED)


def duration(panel: Panel, question: Question) -> Answer:
    """Compare how long runs take, as logarithms: -0.1 is 9.5 % faster. Where many are stopped, or more or fewer than before, those count with what they would have taken."""
    completed = completed_alone(panel, question)
    if isinstance(completed, Estimate) and any(warned in completed.warnings for warned in _STOPPED):
        return stopped_as_longer(panel, question)
    return completed


def completed_alone(panel: Panel, question: Question) -> Answer:
    """Compare completed runs. It leans towards no effect where slow runs are stopped."""
    selected = select(panel, question)
    return difference(selected, selected.panel.timed, selected.panel.sum_log, Metric.DURATION)


def stopped_as_longer(panel: Panel, question: Question) -> Answer:
    """Compare all runs: a stopped one counts with what it would have taken."""
    selected = select(panel, question)
    seen = with_stopped(selected)
    answer = difference(selected, selected.panel.timed, selected.panel.sum_log, Metric.DURATION, seen)
    return (
        replace(answer, warnings=(*answer.warnings, Warned.STOPPED_AS_LONGER))
        if isinstance(answer, Estimate) and seen is not None
        else answer
    )
