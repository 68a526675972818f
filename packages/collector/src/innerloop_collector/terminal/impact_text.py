"""What is known of a change, as text."""

from innerloop_collector.analysis.impact.estimates import Answer, Estimate
from innerloop_collector.analysis.impact.question import Metric
from innerloop_collector.analysis.impact.robustness import Interval, Robustness
from innerloop_collector.analysis.impact.verdict import judge
from innerloop_collector.analysis.impact.whole import Impact
from innerloop_collector.reports.impact_table import caution
from innerloop_collector.terminal.drawing import aligned, table


def render(verdict: str, found: Impact) -> str:
    """The verdict, what else was asked, and what it rests on."""
    parts = [verdict, _answers(found)]
    if found.robustness:
        parts.append(_robustness(found.robustness))
    told = [one for one in (found.headline, found.duration) if isinstance(one, Estimate)]
    if cautions := dict.fromkeys(caution(warned, one.metric) for one in told for warned in one.warnings):
        parts.append("\n".join(f"- {one}" for one in cautions))
    return "\n\n".join(parts)


def beforehand(answer: Answer) -> str:
    """How large a change would have to be to show."""
    if not isinstance(answer, Estimate):
        return f"cannot tell beforehand: {answer.reason}"
    judged = judge(answer)
    return (
        f"a change of {_number(judged.detectable)} {'%' if answer.relative else 'points'} would show in 80 of 100 such teams; smaller ones mostly would not"
        f" ({answer.counts.effective_users:.0f} effective developers)"
    )


def _answers(found: Impact) -> str:
    rows = [
        ("duration, as felt", found.duration),
        ("duration, same work", found.same_work),
        ("duration, where the checkout held it", found.by_exposure),
        ("failures", found.failures),
        ("failed checks", found.failed_checks),
        ("runs", found.usage),
        ("developers who run it", found.adoption.answer),
    ]
    lines = [(name, *_answer(answer)) for name, answer in rows if answer is not None]
    if found.per_exposed:
        lines.insert(1, ("duration, by the share of checkouts reached", *_interval(found.per_exposed), "", "", ""))
    if found.saved:
        ends = f"{found.saved.low:.1f} to {found.saved.high:.1f} min"
        lines.append(("saved per developer and month", f"{found.saved.minutes:.1f} min", ends, "", str(found.saved.developers), ""))
    intervals = aligned([line[2] for line in lines])
    shown = [(*line[:2], interval, *line[3:]) for line, interval in zip(lines, intervals, strict=True)]
    return table(
        ("", "change", "interval", "detectable", "developers", "verdict"),
        shown,
        "",
        right=("change", "interval", "detectable", "developers"),
    )


def _answer(answer: Answer) -> tuple[str, str, str, str, str]:
    judged = judge(answer)
    value, low, high = ((one or 0.0) + 0.0 for one in (judged.percent, judged.low, judged.high))
    if not isinstance(answer, Estimate):
        return "-", "", "", str(answer.counts.users), f"{judged.verdict}: {answer.reason}"
    unit = "%" if answer.relative else "points"
    return (
        f"{value:+.1f} {unit}",
        f"{low:+.1f} to {high:+.1f}",
        f"{judged.detectable:.1f}",
        str(answer.counts.users),
        f"{judged.verdict}{f' beyond {judged.bound:.1f}' if judged.bound is not None else ''}",
    )


def _interval(found: Interval) -> tuple[str, str]:
    value, low, high = (round(_percent(one), 1) + 0.0 for one in (found.value, found.low, found.high))
    return f"{value:+.1f} %", f"{low:+.1f} to {high:+.1f}"


def _robustness(found: Robustness) -> str:
    lines = []
    if found.placebo:
        one = found.placebo
        lines.append(
            f"at {one.dates} {'date' if one.dates == 1 else 'dates'} before the change the same estimate is at most {_percent(one.largest):.1f} %; the real one is number {one.rank}"
        )
    if isinstance(found.control_split, Estimate):
        lines.append("controls against controls: {}, {}".format(*_answer(found.control_split)[:2]))
    if found.with_trend:
        lines.append("if both may drift apart evenly: {}, {}".format(*_interval(found.with_trend)))
    if found.break_even is not None:
        lines.append(f"a drift of {_percent(found.break_even):+.2f} % a week would explain all of it")
    for count, answer in found.without_first_weeks:
        if isinstance(answer, Estimate):
            lines.append(f"without the first {'week' if count == 1 else f'{count} weeks'}: " + ", ".join(_answer(answer)[:2]))
    for name, other in (("completed runs alone", found.completed_alone), ("interrupted runs as longer ones", found.stopped_as_longer)):
        if isinstance(other, Estimate) and found.stopped_as_longer is not None:
            lines.append(f"{name}: " + ", ".join(_answer(other)[:2]))
    return "\n".join(lines)


def _percent(value: float) -> float:
    """In percent, rounded, and never less than nothing by rounding."""
    return round(Estimate.percent_of(Metric.DURATION, value), 2) + 0.0


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
