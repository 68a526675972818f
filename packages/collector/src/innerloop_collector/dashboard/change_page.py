"""The page of one change: what was published of it, in the words of the terminal, and what the newest verdict rests on."""

from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.dashboard.page import Page, by_id
from innerloop_collector.query import Finding, Percent, Verdict
from innerloop_collector.reports import impact_table
from innerloop_collector.reports.impact import ChangeReport

_COLUMNS = (
    Column("Compared", ("metric", "by", "work"), numeric=False),
    Column("Change", ("change",)),
    Column("Interval", ("at_least", "at_most")),
    Column("Would be found", ("detectable",)),
    Column("Verdict", ("verdict", "reason"), numeric=False),
)


def change(report: ChangeReport) -> Page:
    """One change that is looked at."""
    found = report.impact
    newest = next((one for one in found.verdicts if one.findings), None)
    about = {
        "title": found.title,
        "day": words.day(found.day),
        "sentence": words.sentence(report.sentence),
        "next": words.sentence(report.next),
        "notes": impact_table.notes(newest) if newest else [],
        "refused": [f"Look {one.look}: {one.refused}." for one in found.verdicts if one.refused and newest],
    }
    return Page("change.html", found.title, by_id(_rests_on(newest)) if newest else {}, about=about, section="changes")


def _rests_on(verdict: Verdict) -> Figure:
    rows = [_row(one) for one in verdict.findings]
    if span := verdict.where_exposed:
        cells = (
            Cell("duration, by share exposed", ("duration", "by share exposed", None)),
            _number(f"{span.percent.value:+g} %", span.percent),
            _interval(f"{span.low.value:+g} to {span.high.value:+g}", span.low, span.high),
            _number("-", None),
            Cell("", (None, None)),
        )
        rows.insert(1, Row(cells))
    return Figure(
        "findings",
        "What it rests on",
        f"Look {verdict.look} of {verdict.looks}, published on {words.day(verdict.made)}. Percent, or points of failures and developers; below 0 is less",
        _COLUMNS,
        tuple(rows),
        note="Where an interval holds 0, no effect is claimed. The first line is the comparison that was registered.",
    )


def _row(of: Finding) -> Row:
    return Row(
        (
            Cell(impact_table.name(of), (of.metric, of.by, of.work)),
            _number(impact_table.value(of), of.percent),
            _interval(impact_table.interval(of), of.low, of.high),
            _number(impact_table.amount(of.detectable, of.metric), of.detectable),
            Cell(impact_table.verdict(of), (of.verdict, of.reason or None)),
        )
    )


def _number(text: str, of: Percent | None) -> Cell:
    return Cell(_shown(text), (of.value if of else None,))


def _interval(text: str, low: Percent | None, high: Percent | None) -> Cell:
    return Cell(_shown(text), (low.value if low else None, high.value if high else None))


def _shown(text: str) -> str:
    return words.ABSENT if text == "-" else text.replace("-", words.MINUS)
