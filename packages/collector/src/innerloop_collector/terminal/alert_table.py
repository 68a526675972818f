"""Alerts as text."""

from typing import Any

from rich.text import Text

from innerloop_collector.query import Alert, ProjectAlerts, text
from innerloop_collector.query.received import received
from innerloop_collector.reports.alert_report import AlertReport
from innerloop_collector.terminal.drawing import draw, table

_HEAD = ("about since", "project", "what", "rise", "95 %", "developers", "state")


def render(answer: dict[str, Any]) -> str:
    """A line for each alert, the newest first, then a sentence for each that stands."""
    report = received(answer, AlertReport)
    parts = [table(_HEAD, [_row(one.alert) for one in report.sentences], "no alert in the last quarter")]
    standing = [one.sentence for one in report.sentences if one.alert.fate != "gone"]
    if standing:
        parts += ["", *(f"- {one}" for one in standing)]
    parts += ["", *(_looks(one) for one in report.projects), ""]
    return "\n".join([*parts, draw(*(Text(f"- {rule}", style="dim") for rule in report.rules))])


def _row(one: Alert) -> tuple[str, ...]:
    kind = "" if one.by == "command" else f" ({one.by})"
    what = f"{one.name}{kind} {'slower' if one.measure == 'duration' else 'fails more'}"
    spread = f"{text(one.at_least)} to {text(one.at_most)}"
    return (one.since.isoformat(), one.project, what, text(one.size), spread, text(one.developers), one.fate)


def _looks(one: ProjectAlerts) -> str:
    if one.looked_at is None:
        return f"{one.project}: not looked at yet"
    false = f"of {one.expected:g} false alarms a month that are accepted, {one.expected_pages:g} are confirmed all the same"
    return f"{one.project}: looked at up to {one.looked_at}; {false}"
