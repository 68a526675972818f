"""What each address of the read API answers: a report, as its view says it, or a table of a page, as that says it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from innerloop_collector.access.principal import Principal
from innerloop_collector.dashboard import overview, page_tables
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.page import Page
from innerloop_collector.http.responses import bad_request, not_found
from innerloop_collector.query import document
from innerloop_collector.reports.views import ProjectName

MOST_RELEASES = 100  # in one answer
GRAINS = tuple(reversed(overview.GRAINS))  # the first: where nobody says
BREAKDOWNS = tuple(one.removesuffix("s") if one in ("commands", "targets") else one for one in page_tables.KINDS)
TABLES = ("waiting", "commands", "targets", "duration", "failures", "systems", "sessions", "bands", "tries", "actors")
_KINDS = dict(zip(BREAKDOWNS, page_tables.KINDS, strict=True))
Ask = Callable[[str, dict[str, Any], Principal], dict[str, Any]]


@dataclass(slots=True)
class Asked:
    """What somebody asks for."""

    who: Principal
    project: str
    name: str
    given: dict[str, str]
    seen: tuple[ProjectName, ...]
    more: dict[str, str] = field(default_factory=dict)  # with which the rest is asked for, where an answer is a part


class Sources(NamedTuple):
    """Where answers come from."""

    reader: Reader
    ask: Ask
    page: Callable[[str, dict[str, str], Principal], Page]  # at an address, with filters, for somebody who may see it. Raises PageError


class Resource(NamedTuple):
    """One address."""

    answer: Callable[[Sources, Asked], dict[str, Any]]
    takes: tuple[str, ...] = ()  # parameters
    named: bool = False  # what it is of has a name in the address


def _projects(_: Sources, asked: Asked) -> dict[str, Any]:
    return {"projects": [document(one) for one in asked.seen]}


def _report_of_all(of: Sources, asked: Asked) -> dict[str, Any]:
    return document(of.reader.all_projects(asked.seen, asked.given.get("period")))


def _report(of: Sources, asked: Asked) -> dict[str, Any]:
    period = asked.given.get("period")
    if period is None and (newest := of.reader.newest(asked.project)):
        period = newest.period
    return document(of.reader.report(asked.project, period))


def _table(of: Sources, asked: Asked) -> dict[str, Any]:
    """A figure of the overview, of the page of targets or, where a name is given, of the page of that."""
    given = {name: value for name, value in asked.given.items() if name in ("period", "by")}
    address = page_tables.home(asked.project)
    if name := asked.given.get("name"):
        address = page_tables.address(asked.project, _KINDS[_one_of("of", asked.given.get("of", BREAKDOWNS[0]), BREAKDOWNS)], name)
    elif asked.name == "targets":
        address += "/targets"
    page = of.page(address, given, asked.who)
    if asked.name not in page.figures:
        raise not_found(f"there is no table {asked.name[:60]!r} here; there is {', '.join(page.figures)}")
    return page.figures[asked.name].json()


def _trends(of: Sources, asked: Asked) -> dict[str, Any]:
    breakdown = _one_of("of", asked.given.get("of", BREAKDOWNS[0]), BREAKDOWNS)
    weekly = _one_of("by", asked.given.get("by", GRAINS[0]), GRAINS) == "week"
    name = asked.given.get("name", "")
    return document(of.reader.trend(asked.project, breakdown if name else "", name, weekly=weekly))


def _releases(of: Sources, asked: Asked) -> dict[str, Any]:
    """A part of all releases; where the next one begins is in `more`."""
    answer = of.ask("releases", {"project": asked.project}, asked.who)
    units = [one["unit"] for one in answer["releases"]]
    after = asked.given.get("after")
    if after is not None and after not in units:
        raise bad_request(f"after cannot be {after[:60]!r}; it is a release of this project, such as {units[0] if units else '2026-W48'}")
    first = units.index(after) + 1 if after is not None else 0
    limit = _limit(asked.given.get("limit", str(MOST_RELEASES)))
    part = answer["releases"][first : first + limit]
    if part and first + limit < len(units):
        asked.more = {"after": part[-1]["unit"]}
    return {**answer, "releases": part}


def _verdicts(of: Sources, asked: Asked) -> dict[str, Any]:
    return of.ask("impact.all", {"project": asked.project}, asked.who)


def _verdict(of: Sources, asked: Asked) -> dict[str, Any]:
    return of.ask("impact", {"project": asked.project, "change": asked.name}, asked.who)


def _alerts(of: Sources, asked: Asked) -> dict[str, Any]:
    return of.ask("alerts", {"project": asked.project}, asked.who)


def _changes(of: Sources, asked: Asked) -> dict[str, Any]:
    return of.ask("changes.marks", {"project": asked.project}, asked.who)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise bad_request(f"{name} cannot be {value[:60]!r}; it can be {', '.join(allowed)}")
    return value


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MOST_RELEASES):
        raise bad_request(f"limit must be a number from 1 to {MOST_RELEASES}")
    return int(text)


OF_ALL = {"/projects": Resource(_projects), "/report": Resource(_report_of_all, ("period",))}
OF_ONE = {
    "/report": Resource(_report, ("period",)),
    "/tables/{name}": Resource(_table, ("period", "by", "of", "name"), named=True),
    "/trends": Resource(_trends, ("of", "name", "by")),
    "/releases": Resource(_releases, ("after", "limit")),
    "/verdicts": Resource(_verdicts),
    "/verdicts/{name}": Resource(_verdict, named=True),
    "/alerts": Resource(_alerts),
    "/changes": Resource(_changes),
}
