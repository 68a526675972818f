"""What could be told from chance: before the change, by asking about a date at which nothing happened."""

from dataclasses import replace

from innerloop_collector.analysis.impact.adoption import adoption
from innerloop_collector.analysis.impact.codes import distinct
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Answer
from innerloop_collector.analysis.impact.failure_rates import failures
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Exposure, Metric, Question
from innerloop_collector.analysis.impact.usage import usage


def detectable_before(panel: Panel, question: Question) -> Answer:
    """What could have been told of a change in the middle of the weeks before this one."""
    return answer_of(*before(panel, question))


def before(panel: Panel, question: Question) -> tuple[Panel, Question]:
    """Ask about the middle of the weeks before the change. `detectable` of the answer is what 80 of 100 such changes would have to be for a claim.

    The middle makes both sides short, and the answer careful: a real change is compared with all weeks before it.
    """
    weeks = distinct(panel.week[(panel.week < question.week) & ~among(panel.week, list(question.dropped))])
    if question.weeks_before is not None:
        weeks = weeks[weeks >= question.week - question.weeks_before]
    middle = int(weeks[_middle(len(weeks))]) if len(weeks) else question.week
    early = panel.where(panel.week < question.week).unexposed()
    asked = replace(question, week=middle, exposure=Exposure.BY_DATE, weeks_before=None, weeks_after=None)
    if len(weeks):
        early = early.where(early.week >= weeks[0])
    return early, asked


def _middle(weeks: int) -> int:
    """How many weeks lie before the middle. Where there are six, four at least, and two since: so many it takes to see how much weeks differ."""
    half = (weeks + 1) // 2
    return min(max(half, 4), weeks - 2) if weeks >= 6 else min(half, weeks - 1)


def answer_of(panel: Panel, question: Question) -> Answer:
    """Answer for the question's own metric."""
    match question.metric:
        case Metric.DURATION:
            return duration(panel, question)
        case Metric.FAILURES | Metric.FAILED_CHECKS:
            return failures(panel, question, question.metric)
        case Metric.USAGE:
            return usage(panel, question)
        case Metric.ADOPTION:
            return adoption(panel, question).answer
