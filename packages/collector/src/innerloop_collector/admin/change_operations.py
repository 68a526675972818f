"""Operations on changes: dated interventions whose impact is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace as replaced
from datetime import date, timedelta
from heapq import nlargest
from typing import Any, Protocol

from innerloop.core.plan.toml import TomlError, loads
from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.errors import Denied, UsageError, WrongField
from innerloop_collector.store.change_record import MOST_BYTES, Change, WrongRecordError, shown
from innerloop_collector.store.change_records import Changes, Registered, Registrant
from innerloop_collector.store.projects import Registry

MOST_MARKS = 200  # annotations of a project that pages are given
_BECAME = ("registered", "withdrawn", "first_look")
_LONGEST = 300  # characters of what is wrong: it may quote the record
_AHEAD = timedelta(days=366)  # a change may be planned
_LEAST_BEFORE = timedelta(weeks=3)  # that can be compared with


def read_change(text: str, name: str, source: str) -> Change:
    """Read a record from a file, as project files are read. Raises UsageError."""
    if len(text) > MOST_BYTES:
        raise UsageError(f"{source} cannot be applied: it is larger than {MOST_BYTES // 1024} KB")
    try:
        says = loads(text)
    except TomlError as error:
        raise UsageError(
            f"{source} is not valid TOML, or more of it than a change's record may have: {error}; correct it and apply it again"
        ) from error
    return change_of(name, says, f"{source} cannot be applied")


def change_of(name: str, says: dict[str, Any], what: str) -> Change:
    """Read what a record says. `what` begins the message. Raises UsageError."""
    try:
        return Change.of(name, says)
    except WrongRecordError as error:
        why = str(error)
        raise WrongField(error.key, why if len(why) <= _LONGEST else why[:_LONGEST] + "...", what) from error


class WhatComes(Protocol):
    """What can be said of a change before anybody looks at what it did."""

    def foreseen(self, record: Change) -> str:
        """How large it must be to be found, in a sentence."""

    def refused_looks(self, record: Change, visible: frozenset[str] | None = None, *, others: bool) -> list[str]:
        """Which of its looks will be refused, in sentences. `others`: also for those at other changes that somebody may see."""


class ChangeRecords(Area):
    """Register and show changes."""

    def __init__(self, registry: Registry, changes: Changes, evidence: WhatComes) -> None:
        self._registry = registry
        self._changes = changes
        self._evidence = evidence

    @operation("changes.apply", Role.CHANGES, changes=True)
    def apply(self, toml: str, name: str, source: str, visible: frozenset[str] | None = None, reads: bool = True) -> Answer:
        """Register a change by its record, a file of a repository."""
        return self._register(read_change(toml, name, source), Registrant(visible, reads=reads))

    @operation("changes.add", Role.CHANGES, changes=True)
    def add(
        self,
        name: str,
        date: str,
        projects: Sequence[str],
        title: str = "",
        kind: str = "",
        affects: Sequence[str] = (),
        controls: Sequence[str] = (),
        control_projects: Sequence[str] = (),
        metric: str = "",
        looks: Sequence[int] = (),
        expect: str = "",
        link: str = "",
        scan: bool = False,
        dry_run: bool = False,
        after_version: int | None = None,
        visible: frozenset[str] | None = None,
        reads: bool = True,
    ) -> Answer:
        """Register a change by one call, as a deployment does. Whoever may do nothing else replaces no record by it that is looked at.

        `dry_run`: all is said that registering would say, and nothing is registered. `after_version`, as it was said then: only in the place of that version.
        """
        says = {
            "title": title, "date": date, "kind": kind, "projects": list(projects), "affects": list(affects), "controls": list(controls),
            "control_projects": list(control_projects), "metric": metric, "looks": list(looks), "expect": expect, "link": link, "scan": scan,
        }  # fmt: skip
        change = change_of(name, says, f"the change {shown(name)} cannot be registered")
        return self._register(change, Registrant(visible, replaces=reads, reads=reads), dry_run=dry_run, after=after_version)

    @operation("changes.list", Role.VIEWER)
    def list(self, project: str | None = None, visible: frozenset[str] | None = None) -> Answer:
        """Every change, the newest first."""
        seen = [one for one in self._changes.all() if project in (None, one.change.project) and one.change.seen_by(visible)]
        return {"changes": [self._shown(one, visible) for one in sorted(seen, key=_newest, reverse=True)]}

    @operation("changes.marks", Role.VIEWER)
    def marks(self, project: str, visible: frozenset[str] | None = None) -> Answer:
        """The changes that affect a project, the newest first: every one that is looked at, and the newest annotations. What came at once is not said."""
        seen = [one for one in self._changes.all() if project in one.change.projects and one.change.seen_by(visible)]
        drawn = nlargest(MOST_MARKS, (one for one in seen if one.change.is_annotation), key=_newest)
        shown = sorted([*drawn, *(one for one in seen if not one.change.is_annotation)], key=_newest, reverse=True)
        return {"changes": [_record(one) for one in shown]}

    @operation("changes.show", Role.VIEWER)
    def show(self, project: str, name: str, visible: frozenset[str] | None = None) -> Answer:
        """One change."""
        return self._shown(self._changes.find(project, name, visible), visible)

    @operation("changes.withdraw", Role.ADMIN, changes=True)
    def withdraw(self, project: str, name: str, visible: frozenset[str] | None = None) -> Answer:
        """Take a change back before anybody looked at what it did."""
        return self._shown(self._changes.withdraw(project, name, visible), visible)

    def _register(self, change: Change, by: Registrant, *, dry_run: bool = False, after: int | None = None) -> Answer:
        if not change.seen_by(by.visible):
            raise Denied("you may not register changes of all these projects. Ask whoever runs the collector")
        for key, projects in (("projects", change.projects), ("control_projects", change.control_projects)):
            for project in projects:
                self._refuse_unknown(key, project)
        self._refuse_what_is_not_there(change)
        register = self._changes.would if dry_run else self._changes.register
        made, new = register(change, by, after)  # first: what is refused learns nothing
        changed = {"changed": True, "after_version": made.version - 1} if new else {"changed": False}
        if not by.reads:  # nothing that rows, or others, say
            given = {key: value for key, value in _record(made).items() if key not in _BECAME}
            notes = [
                *self._notes(replaced(made, withdrawn=None), trying=dry_run and new),
                *self._evidence.refused_looks(change, others=False),
            ]
            return {**given, "at_once": [], "foreseen": "", **changed, "notes": notes}
        foreseen = "" if change.is_annotation else self._evidence.foreseen(change)
        notes = [
            *self._notes(made, trying=dry_run and new),
            *([] if made.withdrawn else self._evidence.refused_looks(change, by.visible, others=True)),
        ]
        return {**self._shown(made, by.visible), **changed, "foreseen": foreseen, "notes": notes}

    def _refuse_unknown(self, key: str, project: str) -> None:
        try:
            self._registry.catalogue.newest(project)
        except UsageError as error:
            raise WrongField(key, str(error)) from error

    def _refuse_what_is_not_there(self, change: Change) -> None:
        """Raise UsageError for names that no version of a project lists, and for a day of which too little is kept."""
        for key, cells in (("affects", change.affected), ("controls", change.compared)):
            for project, name in cells:
                if name and not any(version.names.holds(name) for version in self._registry.catalogue.versions[project]):
                    raise WrongField(
                        key, f"{key}: {project} lists no command, target or group {shown(name)!r} in [names] of its project file"
                    )
        today = self._registry.today()
        if change.day > today + _AHEAD:
            raise WrongField("date", f"{change.day} is more than a year ahead; register the change when its day is known")
        if change.is_annotation:
            return  # it is drawn beside figures, which stay
        for project in change.everywhere:
            days = self._registry.retention_days(project)
            if change.day - _LEAST_BEFORE < today - timedelta(days=days):
                raise WrongField(
                    "date",
                    f"{project} keeps runs for {days} days, so too little is left of the time before {change.day} to compare with; "
                    'register it as kind "annotation" to have it drawn on charts',
                )

    def _notes(self, made: Registered, *, trying: bool = False) -> Iterator[str]:
        """What whoever registers a change should know of it. `trying`: it is not registered."""
        change, today = made.change, self._registry.today()
        if trying and made.version > 1:
            yield "a record of this name is registered and says something else; this takes its place"
        if made.withdrawn:
            yield f"it was withdrawn on {made.withdrawn}, and stays so"
        for project, name in dict.fromkeys((*change.affected, *change.compared)):
            if name and not self._registry.catalogue.newest(project).names.holds(name):
                yield f"{project} does not list {name} any more; what was renamed has two names, and runs of both are two commands"
        if change.is_annotation:
            return
        if change.day > today:
            yield f"it lies in the future; what it did cannot be asked before {change.day}"
        elif made.registered > change.day:
            yield f"it {'would be' if trying else 'was'} registered after its date; say so when you show what it did"
        if change.scan:
            yield f"each scan tells of everything else that is run in {change.project}: looks of other changes there are refused in the same block of weeks, and for four weeks"
        if not change.compared:
            yield "nothing serves as a control, so what is found is called a change and never an effect"

    def _shown(self, one: Registered, visible: frozenset[str] | None) -> Answer:
        beside = list(self._changes.beside(one.change)) if one.withdrawn is None else []
        return {**_record(one), "at_once": sorted(f"{other.project}/{other.name}" for other in beside if other.seen_by(visible))}


def _record(one: Registered) -> Answer:
    """A record, and what became of it."""
    change = one.change
    return {
        "project": change.project,
        "name": change.name,
        "title": change.title,
        "date": change.day.isoformat(),
        "kind": change.kind,
        "projects": list(change.projects),
        "affects": list(change.affects),
        "controls": list(change.controls),
        "control_projects": list(change.control_projects),
        "metric": change.metric,
        "looks": list(change.looks),
        "expect": change.expect,
        "link": change.link,
        "scan": change.scan,
        "registered": one.registered.isoformat(),
        "withdrawn": _iso(one.withdrawn),
        "first_look": _iso(one.looked),
    }


def _newest(one: Registered) -> tuple[date, tuple[str, str]]:
    return one.change.day, one.key


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
