"""Alerts as text."""

from typing import Any

from rich.text import Text

from innerloop_collector.query import Alert, ProjectAlerts, text
from innerloop_collector.query.received import received
from innerloop_collector.reports.alert_report import AlertReport
from innerloop_collector.terminal.drawing import aligned, draw, fitting, table

_NUMBERS = ("rise", "95 %", "developers")
_OPTIONAL = ("developers", "project", "95 %", "about since")  # the first to go where there is no room: the sentences below say them


def render(answer: dict[str, Any]) -> str:
    """A line for each alert, the newest first, then a sentence for each that stands."""
    report = received(answer, AlertReport)
    spreads = aligned([f"{text(one.alert.at_least)} to {text(one.alert.at_most)}" for one in report.sentences])
    rows = [_row(one.alert, spread) for one, spread in zip(report.sentences, spreads, strict=True)]
    head = fitting(rows, _OPTIONAL)
    parts = [table(head, [[row[title] for title in head] for row in rows], "no alert in the last quarter", right=_NUMBERS)]
    standing = [one.sentence for one in report.sentences if one.alert.fate != "gone"]
    if standing:
        parts += ["", *(f"- {one}" for one in standing)]
    parts += ["", *(_looks(one) for one in report.projects), ""]
    return "\n".join([*parts, draw(*(Text(f"- {rule}", style="dim") for rule in report.rules))])


def _row(one: Alert, spread: str) -> dict[str, str]:
    kind = "" if one.by == "command" else f" ({one.by})"
    return {
        "about since": one.since.isoformat(),
        "project": one.project,
        "what": f"{one.name}{kind} {'slower' if one.measure == 'duration' else 'fails more'}",
        "rise": text(one.size),
        "95 %": spread,
        "developers": text(one.developers),
        "state": one.fate,
    }


def _looks(one: ProjectAlerts) -> str:
    if one.looked_at is None:
        return f"{one.project}: not looked at yet"
    false = f"of {one.expected:g} false alarms a month that are accepted, {one.expected_pages:g} are confirmed all the same"
    return f"{one.project}: looked at up to {one.looked_at}; {false}"
