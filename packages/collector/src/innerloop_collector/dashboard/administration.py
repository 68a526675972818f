"""Admin: is the service well? What operations answer to an operator, and the ways to what can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from innerloop_collector.access.principal import Principal
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.admin_actions import by_figure
from innerloop_collector.dashboard.admin_choices import Answer
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.dashboard.operating import Ask, Operating
from innerloop_collector.dashboard.page import Page, by_id
from innerloop_collector.dashboard.page_tables import home


def administration(ask: Ask, operating: Operating, told: str, who: Principal) -> Page:
    """Projects, keys, tokens, destinations and what waits, and what can be done with them. `told`: what is shown once. Raises PageError for who is no admin."""
    known = operating.known(who)
    checked = ask("check", {}, who)
    figures = by_id(
        _figure(
            "projects",
            "Projects",
            "As their files were applied last",
            _PROJECTS,
            known.projects,
            note="To change it: innerloop-collector projects apply FILE",
            empty="No project is applied.",
        ),
        _figure(
            "keys",
            "Write keys",
            "With which clients send; each by the beginning of its hash",
            _KEYS,
            known.keys,
            note="In a terminal: innerloop-collector keys create, rotate, revoke",
            empty="There is no write key.",
        ),
        _figure(
            "tokens",
            "Tokens",
            "With which people read and operate",
            _TOKENS,
            known.tokens,
            note="In a terminal: innerloop-collector tokens create, revoke",
            empty="There is no token.",
        ),
        _figure(
            "destinations",
            "Destinations",
            "Where events are passed on to",
            _DESTINATIONS,
            known.destinations,
            note="In a terminal: innerloop-collector destinations pause, resume, retry",
            empty="There is no destination.",
        ),
        _figure(
            "quarantine",
            "Quarantine",
            "Events that wait, and are in no figure",
            _QUARANTINE,
            known.quarantine,
            note="A newer project file releases what fits it: innerloop-collector projects apply FILE. In a terminal: ids release, quarantine discard",
            empty="Nothing waits.",
        ),
    )
    about = {
        "told": operating.told(told),
        "actions": by_figure(known),
        "ok": checked["ok"],
        "findings": tuple((one["about"], one["text"]) for one in checked["findings"] if not one["note"]),
        "notes": tuple((one["about"], one["text"]) for one in checked["findings"] if one["note"]),
        "facts": (
            ("Events kept", words.number(checked["events"])),
            ("In quarantine", words.number(checked["quarantined"])),
            ("Erasures not finished", words.number(checked["unfinished_erasures"])),
            ("Size of the store", f"{checked['store_bytes'] / 1e6:,.1f}{words.THIN}MB"),
            ("Disk free", f"{checked['disk_free_bytes'] / 1e9:.1f}{words.THIN}GB"),
            ("Engine", f"ClickHouse {checked['engine']}, {checked['store']}"),
        ),
    }
    return Page("administration.html", "Admin", figures, about=about, section="admin")


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column of what an operation answered, and what stands in it for one of the list."""

    column: Column
    cell: Callable[[Answer], Cell]


def _text(title: str, field: str, words: Callable[[Answer], str | None] | None = None) -> _Shown:
    return _Shown(Column(title, (field,), numeric=False), lambda one: _word((words(one) if words else one[field]) or ""))


def _number(title: str, field: str, cell: Callable[[Answer], Cell] | None = None) -> _Shown:
    return _Shown(Column(title, (field,)), cell or (lambda one: _count(one[field])))


def _moment(title: str, field: str) -> _Shown:
    return _Shown(Column(title, (field,), numeric=False), lambda one: _instant(one[field]))


def _figure(
    name: str, title: str, subtitle: str, shown: tuple[_Shown, ...], answer: tuple[Answer, ...], *, note: str, empty: str
) -> Figure:
    """The list that an operation answered, as a table."""
    rows = tuple(Row(tuple(one.cell(each) for one in shown)) for each in answer)
    return Figure(name, title, subtitle, tuple(one.column for one in shown), rows, note, empty=empty)


_PROJECTS = (
    _Shown(Column("Project", ("project",), numeric=False), lambda one: Cell(one["name"], (one["project"],), link=home(one["project"]))),
    _number("Version", "version"),
    _text("Applied", "applied"),
    _number("Rows are kept", "retention_days", lambda one: Cell(f"{one['retention_days']} days", (one["retention_days"],))),
    _number("Developers needed (k)", "k"),
    _number("Active weeks needed", "min_active_weeks"),
    _number("Headcount", "headcount"),
)
_USE = (
    _text("Last used", "last_used", lambda one: one["last_used"] or "never"),
    _text("State", "state", lambda one: _state(one, one.get("ends") or one.get("expires"))),
)
_KEYS = (_text("Key", "key", itemgetter("id")), _text("Project", "project"), _text("Made", "created"), *_USE)
_TOKENS = (
    _text("Token", "token", itemgetter("id")),
    _text("Role", "role"),
    _text("Projects", "projects", lambda one: ", ".join(one["projects"]) or "all"),
    _text("For", "label"),
    *_USE,
)
_DESTINATIONS = (
    _text("Destination", "destination"),
    _text("Projects", "projects", lambda one: ", ".join(one["projects"]) or "none names it"),
    _text("State", "state"),
    _number("Behind", "behind_events"),
    _number("For", "behind_seconds", lambda one: Cell(words.duration(1_000 * one["behind_seconds"]), (one["behind_seconds"],))),
    _number("Sent", "sent"),
    _number("Set aside", "set_aside"),
    _moment("Last delivery", "last_delivery"),
    _text("Last trouble", "last_error"),
)
_QUARANTINE = (
    _text("Project", "project"),
    _text("Reason", "reason"),
    _text("What", "fields", lambda one: ", ".join(one["fields"])),
    _number("Events", "events"),
    _text("From", "first_day"),
    _text("To", "last_day"),
    _text("Removed from", "removed_on"),
)


def _state(one: Answer, last: str | None) -> str:
    """Whether a key or token opens anything, and for how long."""
    if one["revoked"]:
        return "revoked"
    return (f"until {last}" if last else "accepted") if one["accepted"] else f"ended {last}"


def _word(text: str) -> Cell:
    return Cell(text, (text,))


def _count(number: int | None) -> Cell:
    return Cell(words.ABSENT if number is None else words.number(number), (number,))


def _instant(of: str | None) -> Cell:
    """A moment, which the browser tells in its own time zone."""
    if of is None:
        return Cell("never", (None,))
    moment = datetime.fromisoformat(of)
    return Cell(f"{words.day(moment.date())}, {moment:%H:%M} UTC", (of,), instant=of)
