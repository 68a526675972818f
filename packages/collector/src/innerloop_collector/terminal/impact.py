"""What is known of changes, as text: the sentence first, then what it rests on."""

from typing import Any

from rich.text import Text

from innerloop_collector.query import Verdict
from innerloop_collector.query.received import received
from innerloop_collector.reports import impact_table
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport
from innerloop_collector.terminal.drawing import aligned, draw, fitting, table, width

_NUMBERS = ("change", "interval", "detectable")
_OPTIONAL = ("expected", "date")  # the first to go where there is no room: the sentences below and --json say them
_NARROW = 64  # columns, below which what could have been seen is left to --json


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
    for row, interval in zip(rows, aligned([row["interval"] for row in rows]), strict=True):
        row["interval"] = interval
    head = fitting(rows, _OPTIONAL)
    nothing = f"no change of {report.programme.project} is registered that would be looked at"
    shown = table(head, [[row[title] for title in head] for row in rows], nothing, right=("expected", "came", "interval"))
    sentences = [Text(f"- {one.sentence}." + (f" {_capital(one.next)}." if one.next else "")) for one in report.changes]
    return draw(Text(_capital(report.sentence) + "."), Text(shown), *sentences)


def _row(of: ChangeReport) -> dict[str, str]:
    found = of.impact
    newest = next((one for one in found.verdicts if one.findings), None)
    headline = newest.findings[0] if newest else None
    refused = "refused" if found.verdicts else "no verdict yet"
    return {
        "date": found.day.isoformat(),
        "change": found.change,
        "expected": "-" if found.expected is None else f"{found.expected:+g} %",
        "came": impact_table.value(headline) if headline else "-",
        "interval": impact_table.interval(headline) if headline else "-",
        "verdict": headline.verdict if headline else refused,
    }


def _rests_on(verdict: Verdict) -> list[Any]:
    """The table and the notes."""
    rows = [
        (
            impact_table.name(one),
            impact_table.value(one),
            impact_table.interval(one),
            impact_table.amount(one.detectable, one.metric),
            impact_table.verdict(one),
        )
        for one in verdict.findings
    ]
    if verdict.where_exposed:
        span = verdict.where_exposed
        rows.insert(1, ("duration, by share exposed", str(span.percent), f"{span.low.value:+g} to {span.high.value:+g}", "", ""))
    head = ("", "change", "interval", "detectable", "verdict")
    kept = [place for place in range(len(head)) if width() >= _NARROW or head[place] != "detectable"]
    intervals = aligned([row[2] for row in rows])
    rows = [(*row[:2], interval, *row[3:]) for row, interval in zip(rows, intervals, strict=True)]
    shown = table([head[place] for place in kept], [[row[place] for place in kept] for row in rows], "", right=_NUMBERS)
    return [Text(shown), *(Text(f"- {note}") for note in impact_table.notes(verdict))]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
