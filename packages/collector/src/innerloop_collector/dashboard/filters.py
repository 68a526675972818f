"""Filters: they live in the URL, and a page refuses what it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.error_pages import PageError, unknown_filter, unknown_value
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.errors import UsageError
from innerloop_collector.reports.views import Offered, Report

NOW = "now"  # of a store that shows figures at once
_KINDS = {"-B": "Blocks of weeks", "-W": "Weeks", "-Q": "Quarters", "": "Years"}
FORMS = ("a week (2026-W48)", "a block (2026-B12)", "a quarter (2026-Q4)", "a year (2026)")


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a control."""

    value: str  # empty: what a page shows where nobody says
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Control:
    """One filter, as it is offered."""

    name: str
    label: str
    groups: tuple[tuple[str, tuple[Option, ...]], ...]


class Filters:
    """The filters of one request."""

    def __init__(self, path: str, given: Mapping[str, str], known: Mapping[str, tuple[str, ...] | None]) -> None:
        """`known`: what a filter can be; None: any text, the first: what it is where nobody says. Raises PageError."""
        self.path = path
        self._known = known
        self._given = {name: value for name, value in given.items() if value}
        for name, value in self._given.items():
            if name not in known:
                raise unknown_filter(name, list(known), path)
            allowed = known[name]
            if allowed is not None and value not in allowed:
                raise unknown_value(name, value, list(allowed), path)

    def get(self, name: str) -> str:
        """What was chosen."""
        allowed = self._known[name]
        return self._given.get(name, allowed[0] if allowed else "")

    @property
    def query(self) -> str:
        """The filters as the URL has them: what is so anyway is left out."""
        return urlencode({name: value for name, value in self._given.items() if value != (self._known[name] or ("",))[0]})

    @property
    def address(self) -> str:
        """The one address of this page with these filters."""
        return self.path + (f"?{self.query}" if self.query else "")

    def with_(self, **changed: str) -> str:
        """The address of the same page with other filters."""
        return Filters(self.path, {**self._given, **changed}, self._known).address

    def control(self, name: str, label: str, texts: Mapping[str, str]) -> Control:
        """A filter with few values, as a control."""
        chosen = self.get(name)
        return Control(name, label, (("", tuple(Option(value, text, value == chosen) for value, text in texts.items())),))


def chosen_report(reader: Reader, project: str, filters: Filters) -> Report:
    """The report of the period that was chosen. Raises PageError for what is no period, and for one of which nothing is published."""
    wanted = filters.get("period")
    newest = reader.newest(project)
    if not wanted:
        return reader.report(project, newest.period if newest else None)
    if wanted == NOW and reader.at_once:
        return reader.report(project, None)
    try:
        report = reader.report(project, wanted)
    except UsageError:
        raise unknown_value("period", wanted, list(FORMS), filters.path) from None
    if report.period.first_day is None:
        ways = tuple((_capital(_text(one)), filters.with_(period=one.period)) for one in _nearest(wanted, reader.periods(project)))
        when = f" The next figures come on {report.next_figures}." if report.next_figures else ""
        raise PageError(404, "Nothing is published of this period", f"No figure of {wanted} is published.{when} The nearest that is:", ways)
    return report


def period_control(reader: Reader, project: str, filters: Filters) -> Control:
    """Every period of a project that can be chosen."""
    return control_of(reader.periods(project), reader.newest(project), filters, at_once=reader.at_once)


def control_of(offered: tuple[Offered, ...], newest: Offered | None, filters: Filters, *, at_once: bool) -> Control:
    """Some periods, the newest of which is shown where nobody says."""
    chosen = filters.get("period") or (newest.period if newest else NOW)
    by_kind = sorted(offered, key=lambda one: list(_KINDS).index(_kind(one)))
    groups = [
        (title, tuple(_option(one, chosen, newest) for one in those))
        for title, those in groupby(by_kind, key=lambda one: _KINDS[_kind(one)])
    ]
    now = [("Not published", (Option(NOW, "the last 13 weeks, as they are now", chosen == NOW),))] if at_once else []
    return Control("period", "Period", (*groups, *now))


def _kind(one: Offered) -> str:
    return one.period[4:6] if "-" in one.period else ""


def _option(one: Offered, chosen: str, newest: Offered | None) -> Option:
    so_far = "" if one.complete else ", so far"
    return Option("" if one == newest else one.period, _text(one) + so_far, one.period == chosen)


def _text(one: Offered) -> str:
    return words.period(one.period, one.first, one.last)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _nearest(wanted: str, offered: tuple[Offered, ...]) -> list[Offered]:
    """Of the same kind the ones before and after, by name; else the newest of all."""
    same = [one for one in offered if one.period[4:6] == wanted[4:6]]
    after = [one for one in same if one.period > wanted]
    before = [one for one in same if one.period < wanted]
    return [*before[:1], *after[-1:]] or list(offered[:1])
