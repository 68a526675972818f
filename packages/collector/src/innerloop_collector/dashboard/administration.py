"""Admin: is the service well? What operations answer to an operator, to be read; what changes something is a command."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from innerloop_collector.access.principal import Principal, Role
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.dashboard.page import Page, by_id
from innerloop_collector.dashboard.page_tables import home

Ask = Callable[[str, dict[str, Any], Principal], dict[str, Any]]  # an operation, its arguments, and for whom


def administration(ask: Ask, who: Principal) -> Page:
    """Projects, keys, tokens, destinations and what waits. Raises PageError for who is no admin."""
    if who.role is not Role.ADMIN:
        raise PageError(
            403,
            "This page is for admins",
            f"You have the role {who.role.word}. Ask whoever runs the collector.",
            (("All projects", "/projects"),),
        )
    checked = ask("check", {}, who)
    figures = by_id(
        _projects(ask("projects.list", {}, who)["projects"]),
        _keys(ask("keys.list", {}, who)["keys"]),
        _tokens(ask("tokens.list", {}, who)["tokens"]),
        _destinations(ask("destinations.status", {}, who)["destinations"]),
        _quarantine(ask("quarantine.list", {}, who)["quarantine"]),
    )
    about = {
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


def _projects(answer: list[dict[str, Any]]) -> Figure:
    columns = (
        _text("Project", "project"), _number("Version", "version"), _text("Applied", "applied"), _number("Rows are kept", "retention_days"),
        _number("Developers needed (k)", "k"), _number("Active weeks needed", "min_active_weeks"), _number("Headcount", "headcount"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                Cell(one["name"], (one["project"],), link=home(one["project"])), _count(one["version"]), _word(one["applied"]),
                Cell(f"{one['retention_days']} days", (one["retention_days"],)), _count(one["k"]), _count(one["min_active_weeks"]), _count(one["headcount"]),
            )
        )
        for one in answer
    )  # fmt: skip
    return Figure(
        "projects",
        "Projects",
        "As their files were applied last",
        columns,
        rows,
        "To change it: innerloop-collector projects apply FILE",
        empty="No project is applied.",
    )


def _keys(answer: list[dict[str, Any]]) -> Figure:
    columns = (
        _text("Key", "key"),
        _text("Project", "project"),
        _text("Made", "created"),
        _text("Last used", "last_used"),
        _text("State", "state"),
    )
    rows = tuple(
        Row(
            (
                _word(one["id"]),
                _word(one["project"]),
                _word(one["created"]),
                _word(one["last_used"] or "never"),
                _word(_state(one, one["ends"])),
            )
        )
        for one in answer
    )
    return Figure(
        "keys",
        "Write keys",
        "With which clients send; each by the beginning of its hash",
        columns,
        rows,
        "To change it: innerloop-collector keys create, rotate, revoke",
        empty="There is no write key.",
    )


def _tokens(answer: list[dict[str, Any]]) -> Figure:
    columns = (
        _text("Token", "token"), _text("Role", "role"), _text("Projects", "projects"), _text("For", "label"), _text("Last used", "last_used"),
        _text("State", "state"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                _word(one["id"]), _word(one["role"]), _word(", ".join(one["projects"]) or "all"), _word(one["label"]), _word(one["last_used"] or "never"),
                _word(_state(one, one["expires"])),
            )
        )
        for one in answer
    )  # fmt: skip
    return Figure(
        "tokens",
        "Tokens",
        "With which people read and operate",
        columns,
        rows,
        "To change it: innerloop-collector tokens create, revoke",
        empty="There is no token.",
    )


def _destinations(answer: list[dict[str, Any]]) -> Figure:
    columns = (
        _text("Destination", "destination"), _text("Projects", "projects"), _text("State", "state"), _number("Behind", "behind_events"), _number("For", "behind_seconds"),
        _number("Sent", "sent"), _number("Set aside", "set_aside"), _text("Last delivery", "last_delivery"), _text("Last trouble", "last_error"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                _word(one["destination"]), _word(", ".join(one["projects"]) or "none names it"), _word(one["state"]), _count(one["behind_events"]),
                Cell(words.duration(1_000 * one["behind_seconds"]), (one["behind_seconds"],)), _count(one["sent"]), _count(one["set_aside"]),
                _instant(one["last_delivery"]), _word(one["last_error"] or ""),
            )
        )
        for one in answer
    )  # fmt: skip
    return Figure(
        "destinations",
        "Destinations",
        "Where events are passed on to",
        columns,
        rows,
        "To change it: innerloop-collector destinations pause, resume, retry",
        empty="There is no destination.",
    )


def _quarantine(answer: list[dict[str, Any]]) -> Figure:
    columns = (
        _text("Project", "project"), _text("Reason", "reason"), _text("What", "fields"), _number("Events", "events"), _text("From", "first_day"),
        _text("To", "last_day"), _text("Removed from", "removed_on"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                _word(one["project"]), _word(one["reason"]), _word(", ".join(one["fields"])), _count(one["events"]), _word(one["first_day"]),
                _word(one["last_day"]), _word(one["removed_on"]),
            )
        )
        for one in answer
    )  # fmt: skip
    return Figure(
        "quarantine",
        "Quarantine",
        "Events that wait, and are in no figure",
        columns,
        rows,
        "To change it: innerloop-collector projects apply FILE, ids release PROJECT",
        empty="Nothing waits.",
    )


def _state(one: dict[str, Any], last: str | None) -> str:
    """Whether a key or token opens anything, and for how long."""
    if one["revoked"]:
        return "revoked"
    return (f"until {last}" if last else "accepted") if one["accepted"] else f"ended {last}"


def _text(title: str, field: str) -> Column:
    return Column(title, (field,), numeric=False)


def _number(title: str, field: str) -> Column:
    return Column(title, (field,))


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
