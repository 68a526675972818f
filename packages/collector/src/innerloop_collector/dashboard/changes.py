"""Changes: what was altered and when, as it was registered; and the marks of it on charts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from innerloop_collector.dashboard import effects, figure, words
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Mark, Row
from innerloop_collector.dashboard.page import Page, by_id
from innerloop_collector.dashboard.page_tables import home
from innerloop_collector.dashboard.registration import SECTION
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport

_VERDICT = Column("Verdict", ("verdict", "next"), numeric=False)
_MOST_MARKS = 12  # on a chart, the newest


@dataclass(frozen=True, slots=True)
class Dated:
    """One registered change, as charts need it."""

    name: str
    title: str
    day: date
    affects: tuple[str, ...]  # none: everything


def dated(changes: Iterable[dict[str, Any]]) -> tuple[Dated, ...]:
    """Those that were not withdrawn, the oldest first."""
    kept = (one for one in changes if not one["withdrawn"])
    return tuple(
        sorted(
            (Dated(one["name"], one["title"], date.fromisoformat(one["date"]), tuple(one["affects"])) for one in kept),
            key=lambda one: one.day,
        )
    )


def marked(of: Figure, changes: Iterable[Dated], project: str, name: str = "") -> Figure:
    """A series with marks at the changes that lie in it, of everything or of one command or target."""
    days = [date.fromisoformat(str(row.cells[0].values[place])) for row in of.rows for place in (1, 2)]
    if not days:
        return of
    within = [one for one in changes if min(days) <= one.day <= max(days) and (not name or not one.affects or name in one.affects)]
    marks = tuple(
        Mark(number, one.title, one.day, f"{home(project)}/changes#{anchor(project, one.name)}")
        for number, one in enumerate(within[-_MOST_MARKS:], start=1)
    )
    return replace(of, marks=marks)


def anchor(project: str, name: str) -> str:
    """By what an address points at a change: nothing else on the page is called so."""
    return f"change-{project}-{name}"


def changes(found: list[dict[str, Any]], project: str, name: str, report: ProgrammeReport, *, registers: bool) -> Page:
    """Every change of a project: what those that are looked at came to, and what was said beforehand of each, and its newest annotations.

    `registers`: whoever sees it may register changes.
    """
    told = {one.impact.change: one for one in report.changes}
    metrics = {one["name"]: one["metric"] or "duration" for one in found if one["project"] == project}
    made = [*effects.forests(report, metrics), effects.together(report.programme), _registered(found, project, told)]
    about = {
        "name": name,
        "count": len(found),
        "headline": effects.headline(report) or "What was changed, and when.",
        "cards": effects.cards(report.changes),
        "register": f"{home(project)}/{SECTION}" if registers else "",
    }
    return Page("changes.html", "Changes", by_id(*made), about=about, section="changes", draws=any(one.chart for one in made))


def _registered(found: list[dict[str, Any]], project: str, told: Mapping[str, ChangeReport]) -> Figure:
    columns = (
        Column("Change", ("change",), numeric=False),
        Column("Date", ("date",), numeric=False),
        _VERDICT,
        Column("Kind", ("kind",), numeric=False),
        Column("Affects", ("affects",), numeric=False),
        Column("Compared with", ("controls",), numeric=False),
        Column("Is to alter", ("metric",), numeric=False),
        Column("Expected", ("expect",), numeric=False),
        Column("Decided", ("looks",), numeric=False),
        Column("State", ("state",), numeric=False),
    )
    return Figure(
        "changes",
        "Registered changes",
        "What was altered and when, with what its author said beforehand",
        columns,
        tuple(_row(one, project, told.get(one["name"]) if one["project"] == project else None) for one in found),
        note="A change is marked on the charts of what it affects. A mark says when, and nothing of whether the change did it: that is a verdict, with its interval. "
        "Of annotations the newest 200 are listed.",
        empty="No change is registered.",
    )


def _row(one: dict[str, Any], project: str, told: ChangeReport | None) -> Row:
    compared = (*one["controls"], *(f"all of this in {project}" for project in one["control_projects"]))
    looks = f"{words.listed([str(week) for week in one['looks']])} weeks after it" if one["looks"] else ""
    cells = (
        Cell(
            one["title"],
            (one["name"],),
            detail="" if one["title"] == one["name"] else one["name"],
            link=one["link"],
            anchor=anchor(project, one["name"]),
        ),
        Cell(words.day(date.fromisoformat(one["date"])), (one["date"],)),
        _verdict(told, effects.link_of(project, one["name"])),
        *map(
            _word,
            (
                one["kind"],
                ", ".join(one["affects"]) or "everything",
                ", ".join(compared),
                one["metric"],
                one["expect"].replace("-", words.MINUS),
                looks,
                _state(one),
            ),
        ),
    )
    return Row(cells)


def _verdict(told: ChangeReport | None, link: str) -> Cell:
    """What was published of a change, with its interval; before the first verdict, when that comes."""
    if told is None:
        return Cell(words.ABSENT, (None, None))
    values = (told.sentence, told.next or None)
    if not told.impact.verdicts and told.next:
        return Cell(words.sentence(told.next), values, link=link)
    return Cell(words.sentence(told.sentence), values, words.sentence(told.next), link)


def _word(text: str) -> Cell:
    return figure.name(text)


def _state(one: dict[str, Any]) -> str:
    if one["withdrawn"]:
        return f"withdrawn on {one['withdrawn']}"
    return f"first looked at on {one['first_look']}" if one["first_look"] else "nobody looked at it yet"
