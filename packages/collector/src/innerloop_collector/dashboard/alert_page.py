"""Alerts: what became slower or fails more, since when, and what became of each; and how many of them are expected to be false."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from innerloop_collector.dashboard import figure, words
from innerloop_collector.dashboard.changes import anchor
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.dashboard.page import Page, by_id
from innerloop_collector.dashboard.page_tables import address, home
from innerloop_collector.query import Alert, ProjectAlerts
from innerloop_collector.reports.alert_report import AlertReport

_KINDS = {"command": "commands", "target": "targets"}  # what pages of cells are called in addresses
_WORDS = {"duration": "slower", "failures": "fails more"}
_ORDER = ("confirmed", "open", "gone")
_SIZE = Column("By about", ("size", "at_least", "at_most"))
_WHAT = (Column("What", ("by", "name"), numeric=False), Column("Became", ("measure",), numeric=False), _SIZE)
_PEOPLE = Column("Developers", ("developers_at_least", "developers_at_most"))
_MOST_CARDS = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that stands, as it is told outside its table."""

    name: str
    link: str
    tag: str
    confirmed: bool
    said: str  # what became of it: about 20 % slower (10 to 35 %) since about 23 Nov 2026
    explained: str
    appeared: str
    developers: str
    told: str  # the day, as programs read it


def alerts(report: AlertReport, name: str) -> Page:
    """The alerts of a project."""
    (found,) = report.projects
    of_days = sorted((one for one in found.alerts if one.fate != "creep"), key=lambda one: _ORDER.index(one.fate))
    stand = standing(found)
    about = {
        "name": name,
        "headline": _headline(found),
        "cards": stand[:_MOST_CARDS],
        "looked_at": looked_at(found),
        "false": false_alarms(found),
        "rules": tuple(words.sentence(one) for one in report.rules),
    }
    figures = by_id(_of_days(of_days, found.project), _creep(one for one in found.alerts if one.fate == "creep"))
    return Page("alerts.html", "Alerts", figures, about=about, section="alerts")


def standing(found: ProjectAlerts, by: str = "", name: str = "") -> tuple[Standing, ...]:
    """Those that are open or confirmed, of everything or of one command or target: the confirmed ones first, then the newest."""
    kept = [one for one in found.alerts if one.fate in ("open", "confirmed") and (not by or (one.by, one.name) == (by, name))]
    return tuple(_standing(one) for one in sorted(kept, key=lambda one: _ORDER.index(one.fate)))


def looked_at(found: ProjectAlerts) -> str:
    """Up to when was looked."""
    return f"Looked at up to {words.day(found.looked_at)}." if found.looked_at else "No day was looked at yet."


def false_alarms(found: ProjectAlerts) -> str:
    """How many false alarms are accepted."""
    return f"About {found.expected:g} false alarms a month are accepted here, of which {found.expected_pages:g} are confirmed all the same."


def _headline(found: ProjectAlerts) -> str:
    """What became worse. What is not confirmed is no claim."""
    confirmed, unsure = ({(one.by, one.name) for one in found.alerts if one.fate == fate} for fate in ("confirmed", "open"))
    sure, more = len(confirmed), len(unsure - confirmed)
    if not sure and not more:
        return "Nothing stands out." if found.looked_at else "No day was looked at yet."
    if not sure:
        return f"{_counted(more)} may have become worse."
    return f"{_counted(sure)} became worse; {more} more may have." if more else f"{_counted(sure)} became worse."


def _counted(number: int) -> str:
    return f"{number} {'command or target' if number == 1 else 'commands and targets'}"


def _standing(one: Alert) -> Standing:
    return Standing(
        one.name,
        address(one.project, _KINDS[one.by], one.name),
        _WORDS[one.measure].capitalize(),
        one.fate == "confirmed",
        f"{_became(one)} ({_between(one)}) since about {words.day(one.since)}: {_FATES[one.fate]}",
        _explaining(one),
        _appeared(one),
        words.people(one.developers),
        one.told.isoformat(),
    )


_FATES = {
    "open": "not confirmed yet",
    "confirmed": "confirmed by the weeks that followed",
    "gone": "not confirmed by the weeks that followed",
}


def _became(one: Alert) -> str:
    size = f"{100 * one.size.value:.0f}"
    return f"about {_size(one)} slower" if one.measure == "duration" else f"about {size} more of 100 runs fail"


def _size(one: Alert) -> str:
    size = f"{100 * one.size.value:.0f}"
    return f"{size}{words.THIN}%" if one.measure == "duration" else f"{size} of 100"


def _between(one: Alert) -> str:
    low, high = (f"{100 * end.value:.0f}".replace("-", words.MINUS) for end in (one.at_least, one.at_most))
    return f"{low} to {high}" + (f"{words.THIN}%" if one.measure == "duration" else "")


def _explaining(one: Alert) -> str:
    """The changes that came about then: `the changes cache and guide`. One that names other projects is not named."""
    named = [name for name in one.explained_by if " " not in name]
    said = [f"the change{'s' if len(named) > 1 else ''} {words.listed(named)}"] if named else []
    return words.listed([*said, *(name for name in one.explained_by if " " in name)])


def _appeared(one: Alert) -> str:
    """What came about then; whether it has to do with it nobody tested."""
    return ", ".join(f"{new.what} {new.name} (week of {words.day(new.day)})" for new in one.appeared)


def _of_days(found: list[Alert], project: str) -> Figure:
    columns = (
        *_WHAT,
        Column("Since about", ("since",), numeric=False),
        Column("State", ("fate", "told", "decided"), numeric=False),
        Column("May be explained by", ("explained_by",), numeric=False),
        Column("About then appeared", ("appeared",), numeric=False),
        _PEOPLE,
    )
    rows = tuple(
        Row(
            (
                *_what(one),
                Cell(words.day(one.since), (one.since.isoformat(),)),
                Cell(
                    one.fate,
                    (one.fate, one.told.isoformat(), one.decided.isoformat() if one.decided else None),
                    f"told on {words.day(one.told)}",
                ),
                _explained(one, project),
                Cell(_appeared(one) or words.ABSENT, (_appeared(one) or None,)),
                figure.people(one.developers),
            )
        )
        for one in found
    )
    return Figure(
        "alerts",
        "The last quarter, and what became of each",
        "Percent of the time, or so many more of 100 runs that fail, with the 95 % interval",
        columns,
        rows,
        note="Open: the last two weeks stand out. Confirmed: the weeks that followed say so by themselves. Gone: they did not; often it was chance, or it was mended. "
        "What appeared about then may have nothing to do with it, and the size of an open one is rather too large: what stands out was lucky, too.",
        empty="No alert in the last quarter.",
    )


def _creep(found: Iterable[Alert]) -> Figure:
    columns = (*_WHAT, Column("Found", ("seen",), numeric=False), _PEOPLE)
    rows = tuple(Row((*_what(one), Cell(words.day(one.seen), (one.seen.isoformat(),)), figure.people(one.developers))) for one in found)
    return Figure(
        "creep",
        "Little by little",
        "Higher than half a year ago for the same developers, though no two weeks stood out; looked for once a block",
        columns,
        rows,
        empty="Nothing crept up in the last quarter.",
    )


def _what(one: Alert) -> tuple[Cell, ...]:
    return (
        Cell(one.name, (one.by, one.name), detail=one.by, link=address(one.project, _KINDS[one.by], one.name)),
        Cell(_WORDS[one.measure], (one.measure,)),
        Cell(_size(one), (one.size.value, one.at_least.value, one.at_most.value), f"({_between(one)})"),
    )


def _explained(one: Alert, project: str) -> Cell:
    """The changes that came about then, with the way to them."""
    if not one.explained_by:
        return Cell(words.ABSENT, (None,))
    (first, *more), said = one.explained_by, words.listed(list(one.explained_by))
    mark = "" if more or " " in first else f"#{quote(anchor(project, first))}"  # a change of other projects has no name here
    return Cell(said, (", ".join(one.explained_by),), link=f"{home(project)}/changes{mark}")
