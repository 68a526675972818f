"""A page: a template, what it is told, and the figures that it shows."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.figure import Figure
from innerloop_collector.dashboard.filters import Control
from innerloop_collector.reports.views import Report


@dataclass(frozen=True, slots=True)
class Page:
    """What is rendered. `figures` can be asked for as CSV and JSON, too."""

    template: str
    title: str
    figures: dict[str, Figure] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)  # what else the template is told
    section: str = ""  # of the navigation
    draws: bool = False  # whether it may have charts that are drawn in the browser
    status: int = 200


def by_id(*figures: Figure) -> dict[str, Figure]:
    """Figures by what they are called in addresses."""
    return {one.id: one for one in figures}


def period_of(report: Report) -> str:
    """The period of a report: 26 Oct to 22 Nov 2026."""
    span = report.period
    if not span.first_day or not span.last_day:
        return ""
    first, last = date.fromisoformat(span.first_day), date.fromisoformat(span.last_day)
    return words.period(span.period or "", first, last)


def length_of(report: Report) -> str:
    """How long a report's period is: 4 weeks."""
    span = report.period
    assert span.first_day
    assert span.last_day
    return words.weeks(date.fromisoformat(span.first_day), date.fromisoformat(span.last_day))


def next_figures(report: Report) -> str:
    """When figures come next: Wednesday 9 December. Empty in a store that shows them at once."""
    return words.weekday(date.fromisoformat(report.next_figures)) if report.next_figures else ""
