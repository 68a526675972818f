"""What is known of changes, as text: the sentence first, then what it rests on."""

from typing import Any

from rich.text import Text

from innerloop_collector.analysis.impact.estimates import Warned
from innerloop_collector.query import Finding, Percent, Verdict
from innerloop_collector.query.received import received
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport
from innerloop_collector.terminal.drawing import draw, table, width
from innerloop_collector.terminal.impact_text import CAUTIONS

_UNKNOWN, _EXPOSED = "cannot tell", "by exposure"
_NARROW = 64  # columns, below which what could have been seen is left to --json
_WHAT = {"duration": "duration", "failures": "failures", "failed_checks": "failed checks", "usage": "use", "adoption": "developers"}


def render(answer: dict[str, Any]) -> str:
    """A change."""
    report = received(answer, ChangeReport)
    found = report.impact
    parts: list[Any] = [Text(f"{found.title}, {found.day}", style="bold"), Text(f"\n{_capital(report.sentence)}.")]
    newest = next((one for one in found.verdicts if one.findings), None)
    if newest is not None:
        parts += _rests_on(newest)
    for one in found.verdicts:
        if one.refused and newest is not None:
            parts.append(Text(f"\nLook {one.look}: {one.refused}."))
    if report.next:
        parts.append(Text(f"\n{_capital(report.next)}."))
    return draw(*parts)


def render_all(answer: dict[str, Any]) -> str:
    """Every change of a project."""
    report = received(answer, ProgrammeReport)
    rows = [_row(one) for one in report.changes]
    head = ("date", "change", "expected", "came", "interval", "verdict")
    shown = table(head, rows, f"no change of {report.programme.project} is registered that would be looked at")
    sentences = [Text(f"- {one.sentence}." + (f" {_capital(one.next)}." if one.next else "")) for one in report.changes]
    return draw(Text(_capital(report.sentence) + "."), Text(shown), *sentences)


def _row(of: ChangeReport) -> tuple[str, ...]:
    found = of.impact
    newest = next((one for one in found.verdicts if one.findings), None)
    expected = "-" if found.expected is None else f"{found.expected:+g} %"
    if newest is None:
        return (found.day.isoformat(), found.change, expected, "-", "-", "refused" if found.verdicts else "no verdict yet")
    headline = newest.findings[0]
    return (found.day.isoformat(), found.change, expected, _value(headline), _interval(headline), headline.verdict)


def _rests_on(verdict: Verdict) -> list[Any]:
    """The table and the notes."""
    rows = [(_name(one), _value(one), _interval(one), _amount(one.detectable, one.metric), _verdict(one)) for one in verdict.findings]
    if verdict.where_exposed:
        span = verdict.where_exposed
        rows.insert(1, ("duration, by share exposed", str(span.percent), f"{span.low.value:+g} to {span.high.value:+g}", "", ""))
    head = ("", "change", "interval", "detectable", "verdict")
    kept = [place for place in range(len(head)) if width() >= _NARROW or head[place] != "detectable"]
    shown = table([head[place] for place in kept], [[row[place] for place in kept] for row in rows], "")
    return [Text(shown), *(Text(f"- {note}") for note in _notes(verdict))]


def _notes(verdict: Verdict) -> list[str]:
    notes = []
    if verdict.developers:
        notes.append(
            f"Look {verdict.look} of {verdict.looks}, on {verdict.made}: {verdict.weeks} weeks after, {verdict.developers} developers."
        )
    if verdict.exposed and any(one.by == _EXPOSED for one in verdict.findings):
        notes.append(f"Exposed: runs whose checkout held the change, {verdict.exposed} of those since.")
    if verdict.expected is not None:
        notes.append(f"Its author expected {verdict.expected:+g} %.")
    if verdict.at_once:
        notes.append(
            f"Other changes of the same commands in these weeks: {', '.join(verdict.at_once)}. What is whose cannot be told apart."
        )
    if verdict.placebos:
        places = verdict.placebos
        notes.append(
            f"At {places.dates} dates before it, where nothing happened, the largest was {places.largest}: this one is number {places.rank} by size."
        )
    if verdict.control_split and verdict.control_split.percent:
        notes.append(f"One half of the controls against the other: {_value(verdict.control_split)} ({_interval(verdict.control_split)}).")
    if verdict.drifting:
        span = verdict.drifting
        notes.append(f"If both had drifted apart evenly: {span.percent} ({span.low} to {span.high}).")
    notes += dict.fromkeys(CAUTIONS[Warned(one)] for finding in verdict.findings[:1] for one in finding.warnings)
    return notes


def _name(of: Finding) -> str:
    work = f", {of.work}" if of.metric == "duration" else ""
    return f"{_WHAT[of.metric]}{', exposed' if of.by == _EXPOSED else work}"


def _value(of: Finding) -> str:
    return "-" if of.percent is None else f"{of.percent.value:+g} {_unit(of.metric)}"


def _amount(of: Percent | None, metric: str) -> str:
    return "-" if of is None else f"{of.value:g} {_unit(metric)}"


def _unit(metric: str) -> str:
    return "%" if metric in ("duration", "usage") else "points"


def _interval(of: Finding) -> str:
    return "-" if of.low is None or of.high is None else f"{of.low.value:+g} to {of.high.value:+g}"


def _verdict(of: Finding) -> str:
    return (
        f"{of.verdict}: {of.reason}"
        if of.reason and of.verdict == _UNKNOWN
        else f"{of.verdict} beyond {of.bound.value:g}"
        if of.bound
        else of.verdict
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
