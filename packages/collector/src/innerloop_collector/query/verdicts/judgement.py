"""From sums to what one look at a change says: a question to `analysis`, and its answers, rounded. Pure."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date

from msgspec.structs import replace

from innerloop_collector.analysis.impact.detectable import answer_of, before
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Label, Reason, Refusal, Warned
from innerloop_collector.analysis.impact.failure_rates import failures
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Group, Limits, Metric, Question
from innerloop_collector.analysis.impact.robustness import Interval
from innerloop_collector.analysis.impact.whole import Impact, impact
from innerloop_collector.query.verdicts import presence, rounding
from innerloop_collector.query.verdicts.looks import Change, Look, Name
from innerloop_collector.query.verdicts.statistics import Sums, monday_of, week_number
from innerloop_collector.query.verdicts.verdict_views import AS_FELT, SAME_WORK, Detectable, Span, Verdict

DEVELOPERS = 8  # effective ones, below which nothing is told


def judged(blank: Verdict, sums: Sums, change: Change, look: Look, checks: Collection[Name], told: Collection[date]) -> Verdict:
    """Fill a verdict in. Of weeks in `told` the gaps were told before."""
    question = asked(sums, change, look, checks, blank.k)
    if question is None:
        none = Refusal(Metric(change.metric), Label.EFFECT if change.controls else Label.CHANGE, Exposure.BY_DATE, Reason.TOO_FEW_USERS)
        return replace(blank, findings=(rounding.finding(_of_checks(none, change, checks), AS_FELT, Limits(), blank.k),))
    found = impact(sums.panel, question)

    def passed(answer: Answer) -> Answer:
        return _of_checks(presence.told(sums.panel, question, answer, blank.k), change, checks)

    headline = passed(found.headline)
    answers = [(headline, AS_FELT), *_others(found, sums, question, passed)]
    out = replace(blank, findings=tuple(rounding.finding(answer, work, question.limits, blank.k) for answer, work in answers))
    if isinstance(headline, Estimate):
        out = replace(out, developers=rounding.people(headline.counts.users))
    if not isinstance(passed(found.duration), Estimate):
        return out
    out = replace(out, completed=_completed(found) if presence.stopped_by_enough(sums.panel, question, blank.k) else None)
    return _with_duration(out, found, question, told, partly=presence.partly_held(sums.panel, question, blank.k))


def _completed(found: Impact) -> Span | None:
    """The duration without runs that somebody stopped. None: the headline has none of them either."""
    answer = found.robustness.completed_alone if found.robustness else None
    counted = isinstance(found.duration, Estimate) and Warned.STOPPED_AS_LONGER in found.duration.warnings
    return rounding.span(Interval(answer.value, answer.low, answer.high)) if counted and isinstance(answer, Estimate) else None


def _of_checks(answer: Answer, change: Change, checks: Collection[Name]) -> Answer:
    """The true reason where whatever a change affects is a check: by its record, for which of it was run tells of people."""
    only = answer.metric is Metric.FAILURES and set(change.affected) <= set(checks)
    return Refusal(answer.metric, answer.label, answer.exposure, Reason.ONLY_CHECKS) if only else answer


def _with_duration(out: Verdict, found: Impact, question: Question, told: Collection[date], *, partly: bool) -> Verdict:
    """What is told where there is a number for the duration."""
    assert isinstance(found.duration, Estimate)
    worth = rounding.saved(found.saved) or (None,) * 4
    beside = found.robustness
    split = beside.control_split if beside else None
    held = partly and any(one.by == Exposure.BY_EXPOSURE.value for one in out.findings)  # in k checkouts, and not in k others
    return replace(
        out,
        exposed=rounding.share(found.duration.exposed_share) if held else None,
        where_exposed=rounding.span(found.per_exposed) if held else None,
        saved=worth[0],
        saved_low=worth[1],
        saved_high=worth[2],
        waited=worth[3],
        minutes_of=rounding.people(found.saved.developers) if found.saved else None,
        placebos=rounding.placebos(beside.placebo) if beside else None,
        control_split=rounding.finding(split, AS_FELT, question.limits, out.k) if split else None,
        drifting=rounding.span(beside.with_trend) if beside else None,
        gaps=tuple(rounding.gap(one, monday_of(one.week)) for one in found.duration.gaps if monday_of(one.week) not in told),
    )


def _others(found: Impact, sums: Sums, question: Question, passed: Callable[[Answer], Answer]) -> Iterator[tuple[Answer, str]]:
    """Whatever else there is an answer to. What is told of some changes only is told where k developers are on each side: that it is there would tell of fewer."""
    by_exposure = dataclasses.replace(question, exposure=Exposure.BY_EXPOSURE)
    several: list[tuple[Answer | None, str]] = [
        (found.duration if question.metric is not Metric.DURATION else None, AS_FELT),
        (found.same_work, SAME_WORK),
        (found.by_exposure, AS_FELT),
        (found.failures if question.metric is not Metric.FAILURES else None, AS_FELT),
        (found.failed_checks if question.metric is not Metric.FAILED_CHECKS else None, AS_FELT),
        (failures(sums.panel, by_exposure) if found.by_exposure else None, AS_FELT),
        (failures(sums.panel, by_exposure, Metric.FAILED_CHECKS) if found.by_exposure and found.failed_checks else None, AS_FELT),
        (found.usage if question.metric is not Metric.USAGE else None, AS_FELT),
        (found.adoption.answer if question.metric is not Metric.ADOPTION else None, AS_FELT),
    ]
    for answer, work in several:
        if answer is not None:
            known = passed(answer)
            always = work == AS_FELT and answer.exposure is Exposure.BY_DATE and answer.metric is not Metric.FAILED_CHECKS
            if always or known is answer or isinstance(known, Estimate):
                yield known, work


def foreseen(blank: Detectable, sums: Sums, change: Change, checks: Collection[Name], k: int) -> Detectable:
    """Say how large a change must be to be found, from the weeks before it."""
    if change.metric == Metric.FAILURES.value and set(change.affected) <= set(checks):
        return replace(blank, reason=Reason.ONLY_CHECKS.value)
    question = asked(sums, change, Look(1, 1, change.week), checks, k)
    if question is None:
        return replace(blank, reason=Reason.TOO_FEW_USERS.value)
    early, halved = before(sums.panel, question)
    answer = presence.told(early, halved, answer_of(early, halved), k)
    if not isinstance(answer, Estimate):
        return replace(blank, reason=answer.reason.value)
    return replace(blank, percent=rounding.detectable(answer, k), developers=rounding.people(answer.counts.users))


def asked(sums: Sums, change: Change, look: Look, checks: Collection[Name], k: int) -> Question | None:
    """The question that a look asks. None: nothing of what the change affects was run, or nothing of what it is compared with."""
    treated, control = _codes(sums, change.affected), _codes(sums, change.controls)
    if not treated or (change.controls and not control):
        return None
    sides = [
        frozenset(sums.projects[one.project] for one in side if one.project in sums.projects) for side in (change.affected, change.controls)
    ]
    apart = bool(control) and not sides[0] & sides[1]
    return Question(
        week=week_number(change.week),
        treated=Group(treated, sides[0] if apart else None),
        control=Group(control, sides[1] if apart else None) if control else None,
        metric=Metric(change.metric),
        assignment=Assignment.PROJECT if apart else Assignment.USER,
        checks=sums.codes(checks),
        dropped=frozenset() if change.day == change.week else frozenset({week_number(change.week) - 1}),
        weeks_after=look.weeks,
        looks=max(len(change.looks), 1),
        limits=Limits(users=DEVELOPERS, effective_users=float(DEVELOPERS), users_a_week=k),
    )


def _codes(sums: Sums, names: Iterable[Name]) -> frozenset[int]:
    """The numbers of what was seen of some names. An empty name is everything that is run in its project."""
    wanted = set(names)
    return frozenset(code for one, code in sums.targets.items() if one in wanted or Name(one.project, "") in wanted)
