"""What a verdict rests on, in words: one line for each comparison, and notes. Terminal and pages show the same."""

from innerloop_collector.analysis.impact.estimates import Warned
from innerloop_collector.analysis.impact.question import Metric
from innerloop_collector.query import Finding, Percent, Verdict

_UNKNOWN, _EXPOSED = "cannot tell", "by exposure"
_WHAT = {"duration": "duration", "failures": "failures", "failed_checks": "failed checks", "usage": "use", "adoption": "developers"}
_CAUTIONS = {
    Warned.NO_CONTROL: "Nothing served as a control: it is assumed that the trend before would have gone on.",
    Warned.FEW_EFFECTIVE_USERS: "A few developers do most of the runs: only large effects can be seen.",
    Warned.ONE_USER_DOMINATES: "More than a quarter of what is known comes from one developer.",
    Warned.FEW_PROJECTS: "Fewer than 20 projects were assigned: the interval is wider, and still rests on them being alike.",
    Warned.FEW_FAILURES: "There were fewer than 10 failures before or since: the interval of failures is rough.",
    Warned.SMALL_CONTROL: "Less than a fifth of the runs are of controls.",
    Warned.USERS_CHANGED: "More than a tenth of the developers came or went; only those seen before and since count.",
    Warned.MANY_INTERRUPTED: "More than a fifth of the runs were interrupted.",
    Warned.INTERRUPTIONS_MOVED: "The share of interrupted runs moved by more than 5 points.",
    Warned.STOPPED_AS_LONGER: "Interrupted runs count with what they would have taken, if durations are log-normal.",
    Warned.USERS_ONLY: "There are too few weeks to see how much weeks differ: the interval knows developers alone.",
    Warned.WEEKS_MISSING: "There are weeks in which nobody or hardly anybody ran it.",
    Warned.EXPOSED_IN_PART: "The change has not reached every checkout: this is its effect in the team so far.",
    Warned.FIRST_RUNS_UNKNOWN: "It is not known which runs were the first in a checkout that holds the change: slow first runs count, too.",
    Warned.EXPOSURE_PARTLY_UNKNOWN: "Of more than a tenth of the runs it is not known whether the checkout held the change.",
}


_NO_TREND = "Nothing served as a control: weeks differ for many reasons, and no trend is taken out."


def caution(warned: Warned, metric: Metric) -> str:
    """What to say of a warning. Use and adoption assume nothing of a trend."""
    return _NO_TREND if warned is Warned.NO_CONTROL and metric in (Metric.USAGE, Metric.ADOPTION) else _CAUTIONS[warned]


def notes(verdict: Verdict) -> list[str]:
    """What is to be known with it, in sentences."""
    told = []
    if verdict.developers:
        told.append(
            f"Look {verdict.look} of {verdict.looks}, on {verdict.made}: {verdict.weeks} {'week' if verdict.weeks == 1 else 'weeks'} after, {verdict.developers} developers."
        )
    if verdict.exposed and any(one.by == _EXPOSED for one in verdict.findings):
        told.append(f"Exposed: runs whose checkout held the change, {verdict.exposed} of those since.")
    if verdict.expected is not None:
        told.append(f"Its author expected {verdict.expected:+g} %.")
    if verdict.at_once:
        told.append(f"Other changes of the same commands in these weeks: {', '.join(verdict.at_once)}. What is whose cannot be told apart.")
    if verdict.placebos:
        places = verdict.placebos
        told.append(
            f"At {places.dates} {'date' if places.dates == 1 else 'dates'} before it, where nothing happened, the largest was {places.largest}: this one is number {places.rank} by size."
        )
    if verdict.control_split and verdict.control_split.percent:
        told.append(f"One half of the controls against the other: {value(verdict.control_split)} ({interval(verdict.control_split)}).")
    if verdict.completed:
        span = verdict.completed
        told.append(f"With completed runs alone: {span.percent} ({span.low} to {span.high}).")
    if verdict.drifting:
        span = verdict.drifting
        told.append(f"If both had drifted apart evenly: {span.percent} ({span.low} to {span.high}).")
    told += dict.fromkeys(caution(Warned(one), Metric(finding.metric)) for finding in verdict.findings[:1] for one in finding.warnings)
    return told


def name(of: Finding) -> str:
    """What was compared."""
    work = f", {of.work}" if of.metric == "duration" else ""
    return f"{_WHAT[of.metric]}{', exposed' if of.by == _EXPOSED else work}"


def value(of: Finding) -> str:
    """What it came to."""
    return "-" if of.percent is None else f"{of.percent.value:+g} {_unit(of.metric)}"


def amount(of: Percent | None, metric: str) -> str:
    """A size, without a direction."""
    return "-" if of is None else f"{of.value:g} {_unit(metric)}"


def _unit(metric: str) -> str:
    return "%" if metric in ("duration", "usage") else "points"


def interval(of: Finding) -> str:
    """Between what it lies."""
    return "-" if of.low is None or of.high is None else f"{of.low.value:+g} to {of.high.value:+g}"


def verdict(of: Finding) -> str:
    """The verdict in a word or two."""
    return (
        f"{of.verdict}: {of.reason}"
        if of.reason and of.verdict == _UNKNOWN
        else f"{of.verdict} beyond {of.bound.value:g}"
        if of.bound
        else of.verdict
    )
