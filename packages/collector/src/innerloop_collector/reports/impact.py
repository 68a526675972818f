"""What is known of changes: sentences first, then what was published."""

from innerloop_collector.analysis.impact.estimates import Label, Reason, Warned
from innerloop_collector.analysis.impact.question import Exposure, Metric
from innerloop_collector.analysis.impact.verdict import Judged
from innerloop_collector.analysis.impact.verdict import Verdict as Word
from innerloop_collector.query import Detectable, Evidence, Finding, Impact, People, Percent, Programme, Verdict, View
from innerloop_collector.reports.verdicts import WHY, sentence

_BY_DATE = Exposure.BY_DATE.value


class ChangeReport(View, frozen=True):
    """How it stands with one change. `impact --json` is exactly this."""

    sentence: str  # the newest verdict, or why there is none
    next: str  # what comes
    impact: Impact


class ProgrammeReport(View, frozen=True):
    """How it stands with all changes of a project. `impact --all --json` is exactly this."""

    sentence: str
    changes: tuple[ChangeReport, ...]
    programme: Programme


def impact_of(evidence: Evidence, project: str, change: str, visible: frozenset[str] | None = None) -> ChangeReport:
    """Report on a change, to somebody who may see some projects (None: all)."""
    return _report(evidence.of(project, change, visible))


def programme_of(evidence: Evidence, project: str, visible: frozenset[str] | None = None) -> ProgrammeReport:
    """Report on every change of a project."""
    found = evidence.programme(project, visible)
    return ProgrammeReport(_together(found), tuple(map(_report, found.changes)), found)


def foreseen(told: Detectable) -> str:
    """What could be seen of a change, in a sentence."""
    if told.percent is None:
        return f"nothing could be seen of it so far: {WHY[Reason(told.reason)]}"
    return f"so far only changes above {told.percent.value:g} {_unit(told.metric)} could be seen"


def _report(found: Impact) -> ChangeReport:
    newest = next((one for one in found.verdicts if one.findings), None)
    if newest is None:
        refused = found.verdicts[0].refused if found.verdicts else ""
        said = f"{found.change}: {refused}" if refused else f"{found.change}: no verdict yet"
    else:
        said = _sentence(found, newest)
    return ChangeReport(said, _next(found), found)


def _sentence(found: Impact, verdict: Verdict) -> str:
    headline = verdict.findings[0]
    failures = _beside(verdict, Metric.FAILURES)
    if failures is None or failures.reason == Reason.ONLY_CHECKS.value:
        failures = _beside(verdict, Metric.FAILED_CHECKS) or failures
    return sentence(
        _subject(found),
        judged_of(headline, verdict.developers),
        minutes=verdict.saved.value if verdict.saved else None,
        failures=judged_of(failures, None) if failures else None,
    )


def _beside(verdict: Verdict, metric: Metric) -> Finding | None:
    return next((one for one in verdict.findings[1:] if one.metric == metric.value and one.by == _BY_DATE), None)


def _next(found: Impact) -> str:
    if found.coming is None:
        return "" if found.verdicts else "nothing is registered that would be looked at"
    which = "first verdict" if not found.verdicts else "next verdict"
    known = f"; {foreseen(found.detectable)}" if found.detectable else ""
    return f"{which}: {found.coming.due:%A} {found.coming.due.day} {found.coming.due:%B %Y}{known}"


def _subject(found: Impact) -> str:
    """What the change affects."""
    names = list(dict.fromkeys(name or project for project, name in found.affected))
    return ", ".join(names)


def _together(found: Programme) -> str:
    count = len(found.changes)
    told = f"{count} {'change' if count == 1 else 'changes'}, of {found.told} there is an effect on durations, however unsure"
    if found.mean is None:
        return f"{told}; there are too few to say what they come to together"
    mean = found.mean
    parts = [f"{told}; on average {_span(mean.percent, mean.low, mean.high)}"]
    if found.minutes and found.minutes_low and found.minutes_high:
        parts.append(_hours(*(one.value / 60 for one in (found.minutes, found.minutes_low, found.minutes_high))))
    return "; ".join(parts)


def _hours(value: float, low: float, high: float) -> str:
    """What all changes save, or cost."""
    word, ends = ("saved", (low, high)) if value >= 0 else ("lost", (-high, -low))
    count = round(abs(value))
    about = "less than an hour" if count == 0 else f"about {count} {'hour' if count == 1 else 'hours'}"
    return f"together {about} a month {word} by all developers ({round(ends[0])} to {round(ends[1])})"


def _span(value: Percent, low: Percent, high: Percent) -> str:
    return f"{value.value:+g} % time (95 % interval {low.value:+g} to {high.value:+g} %)"


def _unit(metric: str) -> str:
    return "%" if metric in (Metric.DURATION.value, Metric.USAGE.value) else "points"


def judged_of(of: Finding, developers: People | None) -> Judged:
    """What was published, as sentences are made of it."""
    percent, low, high, detectable, bound = (
        None if one is None else one.value for one in (of.percent, of.low, of.high, of.detectable, of.bound)
    )
    return Judged(
        Word(of.verdict), Metric(of.metric), Label(of.label), Exposure(of.by), percent, low, high, of.confidence, detectable, bound,
        developers.value if developers else None, Reason(of.reason) if of.reason else None, tuple(map(Warned, of.warnings)),
    )  # fmt: skip
