"""The report of all projects as text."""

from typing import Any

from rich.text import Text

from innerloop_collector.query import text
from innerloop_collector.query.received import received
from innerloop_collector.reports.views import AllProjects, InAll
from innerloop_collector.terminal.all_runs import of_several
from innerloop_collector.terminal.drawing import draw, width
from innerloop_collector.terminal.report import table_of_text


def render(answer: dict[str, Any]) -> str:
    """Draw the sums, and a line for each project."""
    found = received(answer, AllProjects)
    parts: list[Any] = [
        Text(f"All projects: {found.period or 'now'}" if found.whole else "No figures: nothing is published of any project")
    ]
    if found.projects:
        parts.append(table_of_text([_row(one) for one in found.projects], width()))
    if found.whole:
        parts += map(Text, of_several(found.whole, found.actors))
    if found.next_figures:
        parts.append(Text(f"\nNext figures: {found.next_figures}."))
    parts += [Text("\nRules", style="bold"), *(Text(f"- {rule}", style="dim") for rule in found.rules)]
    return draw(*parts)


def _row(one: InAll) -> dict[str, str]:
    week = one.waited_per_developer_week
    return {
        "project": one.project,
        "runs": text(one.runs) if one.runs else one.state,
        "developers": text(one.developers),
        "failed": text(one.failure_rate),
        "waited": text(one.waited_minutes),
        "a developer's week": text(week.about) if week else "-",
    }
