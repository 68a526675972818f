"""A verdict as a sentence that a manager can read, from rounded numbers. It claims something only where 0 lies outside the interval that it names."""

import math

from innerloop_collector.analysis.impact.estimates import Label, Reason, Warned
from innerloop_collector.analysis.impact.question import Exposure, Metric
from innerloop_collector.analysis.impact.verdict import CLAIMS, Judged, Verdict

_CLAIMED = {
    Verdict.FASTER: "became {} faster",
    Verdict.SLOWER: "became {} slower",
    Verdict.USED_MORE: "is run {} more",
    Verdict.USED_LESS: "is run {} less",
    Verdict.FAILS_LESS: "fails less: {} fewer of 100 runs",
    Verdict.FAILS_MORE: "fails more: {} more of 100 runs",
}
_ADOPTED = {
    Verdict.USED_MORE: "is run by {} more of 100 developers",
    Verdict.USED_LESS: "is run by {} fewer of 100 developers",
}
_WHAT = {
    Metric.DURATION: "duration",
    Metric.FAILURES: "failures",
    Metric.FAILED_CHECKS: "failed checks",
    Metric.USAGE: "use",
    Metric.ADOPTION: "the number of developers",
}
WHY = {
    Reason.NO_TREATED_RUNS: "there are no runs of what the change affects",
    Reason.NONE_SUCCEEDED: "no run of what the change affects succeeded",
    Reason.ONLY_CHECKS: "what the change affects are checks, whose failures are told of apart",
    Reason.NO_CONTROL_RUNS: "there are no runs of the controls on both sides of the date",
    Reason.TOO_FEW_WEEKS_BEFORE: "there are too few weeks before the change",
    Reason.TOO_FEW_WEEKS_AFTER: "there are too few weeks since the change",
    Reason.TOO_FEW_USERS: "too few developers were seen before and after",
    Reason.TOO_FEW_EFFECTIVE_USERS: "too few developers do most of the runs",
    Reason.TOO_FEW_PROJECTS: "too few projects took part",
    Reason.TOO_FEW_RUNS: "there are too few runs",
    Reason.EXPOSURE_UNKNOWN: "of most runs it is not known whether the checkout held the change",
    Reason.NOTHING_EXPOSED: "no checkout is known to have held the change",
    Reason.WORK_UNKNOWN: "of most runs it is not known how much there was to do",
    Reason.HARDLY_EXPOSED: "less than a fifth of the runs are in checkouts that hold the change, or these are of too few developers",
    Reason.NOT_DETERMINED: "everything rests on one developer or project",
    Reason.NO_VARIATION: "nothing varies, so nothing says how sure a number would be",
}
_FEW = (Warned.FEW_EFFECTIVE_USERS, Warned.FEW_PROJECTS)


def sentence(subject: str, judged: Judged, *, minutes: float | None = None, failures: Judged | None = None, same_work: bool = False) -> str:
    """Say what a change came to, such as `build became 18 % faster (95 % interval 9 to 26 %)`.

    `minutes` are saved per developer and month by all that they did since the date, so they are not said where the number is of other runs.
    """
    parts = [f"{subject}{_body(judged, same_work=same_work)}"]
    if same_work or judged.exposure is not Exposure.BY_DATE:
        minutes = None
    if judged.verdict in (Verdict.FASTER, Verdict.SLOWER) and minutes is not None and _agree(judged, minutes):
        parts[0] += f", {_minutes(abs(minutes))} {'saved' if minutes > 0 else 'lost'} per developer and month"
    if failures is not None and judged.metric is Metric.DURATION:
        parts.append(_beside(failures))
    if judged.developers is not None:
        parts.append("{} to {} developers".format(*judged.developers))
    if judged.label is Label.CHANGE and judged.reason is None:
        parts.append("nothing served as a control, so this is a change and not known to be an effect")
    return "; ".join(parts)


def _body(judged: Judged, *, same_work: bool) -> str:
    where = " for the same work" if same_work else ""
    if judged.exposure is Exposure.BY_EXPOSURE:
        where += " where the checkout held the change"
    elif Warned.EXPOSED_IN_PART in judged.warnings:
        where += " in the team so far"
    if judged.verdict in CLAIMS:
        words = _ADOPTED if judged.metric is Metric.ADOPTION else _CLAIMED
        said = words[judged.verdict].format(_claim(judged))
        return f" {said}{where} ({_interval(judged)})"
    if judged.verdict is Verdict.NO_CHANGE:
        return f": no change of {_WHAT[judged.metric]} beyond {_amount(_far(judged.bound or 0.0), judged)}{where} ({_interval(judged)})"
    if judged.reason is not None:
        return f": {judged.verdict}: {WHY[judged.reason]}"
    few = "with so few developers " if any(one in judged.warnings for one in _FEW) else ""
    return f": cannot tell: {few}only changes above {_amount(_number(judged.detectable or 0.0), judged)} would show{where} ({_interval(judged)})"


def _beside(failures: Judged) -> str:
    """What to say of failures beside a duration."""
    if failures.verdict in (Verdict.FAILS_LESS, Verdict.FAILS_MORE):
        less = "fewer" if failures.verdict is Verdict.FAILS_LESS else "more"
        return f"{_amount(_number(abs(failures.percent or 0.0)), failures)} {less} of 100 runs fail ({_interval(failures)})"
    if failures.verdict is Verdict.NO_CHANGE:
        return f"no change of failures beyond {_amount(_far(failures.bound or 0.0), failures)}"
    return "of failures nothing can be told" if failures.reason else "no sign that failures changed"


def _interval(judged: Judged) -> str:
    """The interval in the direction of the claim: `9 to 26 %` of what became faster."""
    assert judged.low is not None
    assert judged.high is not None
    low, high = judged.low, judged.high
    if judged.verdict in CLAIMS:
        near, far = sorted((abs(low), abs(high)))
        ends = f"{_near(near)} to {_far(far)}"
    else:
        ends = f"{_signed(low)} to {_signed(high)}"
    confidence = f"{100 * (judged.confidence or 0.0):.1f}".removesuffix(".0")
    return f"{confidence} % interval {ends} {_unit(judged)}"


def _unit(judged: Judged) -> str:
    return "%" if judged.metric in (Metric.DURATION, Metric.USAGE) else "points"


def _amount(number: str, judged: Judged) -> str:
    unit = _unit(judged)
    return f"{number} {'point' if number == '1' and unit == 'points' else unit}"


def _claim(judged: Judged) -> str:
    """The number of a claim. Nothing takes no time at all."""
    number = _number(abs(judged.percent or 0.0))
    all_of_it = number == "100" and judged.verdict in (Verdict.FASTER, Verdict.USED_LESS) and _unit(judged) == "%"
    return "more than 99 %" if all_of_it else _amount(number, judged)


def _agree(judged: Judged, minutes: float) -> bool:
    return (judged.verdict is Verdict.FASTER) == (minutes > 0)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")


def _near(value: float) -> str:
    """The end that is nearer to 0, rounded towards it, and not to it."""
    return str(math.floor(value)) if value >= 1 else f"{value:.1f}"


def _far(value: float) -> str:
    return str(math.ceil(value)) if value >= 1 else f"{value:.1f}"


def _signed(value: float) -> str:
    """An end of an interval that holds 0, rounded away from it."""
    shown = _far(abs(value))
    return f"-{shown}" if value < 0 else f"+{shown}" if value > 0 else "0"


def _minutes(value: float) -> str:
    """Two digits are as many as such a number has."""
    if value < 1:
        return "less than a minute"
    if value < 10:
        shown = f"{value:.1f}".removesuffix(".0")
        return f"about {shown} {'minute' if shown == '1' else 'minutes'}"
    if value < 120:
        return f"about {round(value, -1) if value >= 100 else round(value):.0f} minutes"
    return "about " + f"{value / 60:.1f}".removesuffix(".0") + " hours"
