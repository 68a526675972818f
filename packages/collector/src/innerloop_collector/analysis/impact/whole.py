"""Everything that is asked of one change."""

from dataclasses import dataclass, replace

from innerloop_collector.analysis.impact.adoption import Adoption, adoption
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.detectable import answer_of
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Reason, Refusal
from innerloop_collector.analysis.impact.failure_rates import failures
from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.analysis.impact.question import Exposure, Metric, Question
from innerloop_collector.analysis.impact.robustness import Interval, Robustness, robustness
from innerloop_collector.analysis.impact.saved import Saved, Waited, saved, waited
from innerloop_collector.analysis.impact.tally import LEAST_EXPOSED
from innerloop_collector.analysis.impact.usage import usage


@dataclass(frozen=True)
class Impact:
    """What is known of a change. `headline` answers for the metric that was registered; everything else stands beside it."""

    headline: Answer
    duration: Answer  # as felt: what developers waited for, whatever they did
    same_work: Answer | None  # among runs of the same class of targets made. None: of most runs none is known
    by_exposure: Answer | None  # None: it is not known which checkouts held the change
    per_exposed: Interval | None  # the duration by date, divided by the share that it reached
    failures: Answer
    failed_checks: Answer | None  # None: no check is affected
    usage: Answer
    adoption: Adoption
    saved: Saved | None
    waited: Waited | None
    robustness: Robustness | None


def impact(panel: Panel, question: Question) -> Impact:
    """Answer everything about one change."""
    by_date = replace(question, exposure=Exposure.BY_DATE, same_work=False)
    felt = duration(panel, by_date)
    told = isinstance(felt, Estimate)
    return Impact(
        headline=answer_of(panel, question),
        duration=felt,
        same_work=_same_work(panel, by_date),
        by_exposure=duration(panel, replace(by_date, exposure=Exposure.BY_EXPOSURE)) if (panel.exposed >= Exposed.YES).any() else None,
        per_exposed=per_exposed(felt),
        failures=failures(panel, by_date),
        failed_checks=failures(panel, by_date, Metric.FAILED_CHECKS) if _affects_checks(panel, question) else None,
        usage=usage(panel, by_date),
        adoption=adoption(panel, by_date),
        saved=saved(panel, by_date, felt) if isinstance(felt, Estimate) else None,
        waited=waited(panel, by_date) if told else None,
        robustness=robustness(panel, by_date, felt) if isinstance(felt, Estimate) else None,
    )


def per_exposed(answer: Answer) -> Interval | None:
    """An effect in the team so far, as what it is where the change has arrived. None: unknown, or hardly more checkouts hold it than did before the date."""
    if not isinstance(answer, Estimate) or answer.exposed_share is None:
        return None
    reached = answer.exposed_share - answer.exposed_before
    if reached < LEAST_EXPOSED:
        return None
    return Interval(*(float(one / reached) for one in (answer.value, answer.low, answer.high)))


def _same_work(panel: Panel, question: Question) -> Answer | None:
    """Among runs of the same class. None: the classes of most treated runs are not known."""
    if not (panel.work >= 0).any():
        return None
    answer = duration(panel, replace(question, same_work=True))
    return None if isinstance(answer, Refusal) and answer.reason is Reason.WORK_UNKNOWN else answer


def _affects_checks(panel: Panel, question: Question) -> bool:
    checks = among(panel.target, list(question.checks))
    if question.treated.targets is not None:
        checks &= among(panel.target, list(question.treated.targets))
    return bool(checks.any())
