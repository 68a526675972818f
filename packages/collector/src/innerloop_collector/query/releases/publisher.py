"""Publishes what is closed: each week once, and what remains of its block once. What was published is read, never computed again.

A unit that was due while nothing ran is published later, from the rows that are left then. What is older than the last unit that was published
is not: late rows count in what remains of the block, and after that nowhere.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

import structlog
from msgspec.structs import replace

from innerloop_collector.errors import CollectorError
from innerloop_collector.query.population import Population, Settings
from innerloop_collector.query.releases import document
from innerloop_collector.query.releases.calendar import Unit, block_of, closed, in_time, unit_named, week
from innerloop_collector.query.releases.contribution import People, added, weighed, weights
from innerloop_collector.query.releases.critical import publish_critical
from innerloop_collector.query.releases.document import VERSION, Release
from innerloop_collector.query.releases.habits import publish_habits
from innerloop_collector.query.releases.older import from_weekly_totals
from innerloop_collector.query.releases.publication import Publication, Slot, publish_remainder, publish_week, weekly_next
from innerloop_collector.query.releases.rows import Cells, Watermark, left_out
from innerloop_collector.query.releases.shown import WHOLE, Key, Shown, judged

_log = structlog.get_logger()


class Source(Protocol):
    """What people add, from rows."""

    def known(self, of: Population, first: date, end: date) -> Population:
        """The same people, with what need not be found out again for each sum of some weeks."""

    def cells(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> Mapping[date | None, Cells]:
        """What was added in each released week by then, and under None the rest, up to a position."""

    def classes(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> Mapping[date | None, Cells]:
        """The same of the classes that runs were sent with."""

    def critical(
        self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()
    ) -> Mapping[date | None, Cells]:
        """The same of each target's own time on the critical path."""

    def agents(self, of: Population, first: date, end: date, upto: int) -> People:
        """What coding agents added, by the people they work for."""

    def jobs(self, project: str, first: date, end: date, upto: int) -> int:
        """How many runs there were in CI."""

    def could_count(self, of: Population) -> int:
        """How many people could count in a block, if any number might."""

    def first_day(self, project: str) -> date | None:
        """The day on which the first run of a person happened that is there."""

    def weekly_totals(self, project: str) -> Sequence[Mapping[str, Any]]:
        """What versions before releases kept of a project's weeks."""


class Archive(Protocol):
    """Where releases are kept for good."""

    def units(self, project: str) -> frozenset[str]:
        """The units of a project that were published."""

    def add(self, release: Release) -> None:
        """Publish, for good."""

    def read(self, project: str, units: Iterable[str]) -> dict[str, Release]:
        """Those of some units that are there, by unit."""

    def position(self, project: str, unit: str) -> int:
        """How far a release read. Raises StoreError where that cannot be told."""


class Publisher:
    """Makes releases."""

    def __init__(
        self, source: Source, archive: Archive, settings: Callable[[], Mapping[str, Settings]], committed: Callable[[], int]
    ) -> None:
        """`settings` tells those of every project, `committed` the position up to which all events are to be seen."""
        self._source = source
        self._archive = archive
        self._settings = settings
        self._committed = committed
        self.failed: Mapping[str, str] = {}  # projects whose figures the last attempt did not publish, and why

    def due(self, today: date) -> list[tuple[str, str]]:
        """What is closed and not published: projects and units, each project's in the order in which they are published."""
        return [(project, unit.name) for project in self._settings() for unit in self._due(project, today)]

    def read_up_to(self) -> int:
        """The highest position up to which any release read: an event that comes must not have a lower one, also in a store that was put back.

        Where a project's last release does not say, nothing of that project is published, and `failed` tells why.
        """
        found = [0]
        for project in self._settings():
            try:
                found.append(self._read_last(project))
            except CollectorError as error:
                _log.error("a project's last release cannot be read", project=project, error=str(error))
        return max(found)

    def _read_last(self, project: str) -> int:
        """Up to which position a project's last release read. Raises StoreError where it does not say."""
        units = self._archive.units(project)
        return self._archive.position(project, max(map(unit_named, units), key=in_time).name) if units else 0

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Publish what is due. Returns which units of which projects. Killed anywhere, the next call goes on.

        Where it fails for one project, the others' figures are published, and `failed` says why theirs are not.
        """
        done: list[tuple[str, str]] = []
        failed: dict[str, str] = {}
        for project in self._settings():
            try:
                for name in self._publish(project, today):
                    done.append((project, name))  # noqa: PERF401 - what was published before it failed is said as well
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this project's, and the next call tries again
                failed[project] = str(error) if isinstance(error, CollectorError) else type(error).__name__
                _log.error("figures not published", project=project, error=failed[project], exc_info=not isinstance(error, CollectorError))
        self.failed = failed
        return done

    def _publish(self, project: str, today: date) -> Iterator[str]:
        self._read_last(project)  # else nobody knows which rows came later
        for one in self._adopt(project):
            yield one.unit
        of = None
        for unit in self._due(project, today):
            settings = self._settings()[project]
            before = self._block_before(project, unit)
            of = self._people(Population.in_block(project, settings, block_of(unit.first).first, before, today), unit, of)
            self._archive.add(self._make(unit, of, settings, before))
            yield unit.name

    def _adopt(self, project: str) -> list[Release]:
        """Publish what versions before releases kept, before anything else of a project."""
        older = [] if self._archive.units(project) else from_weekly_totals(project, self._source.weekly_totals(project))
        for one in older:
            self._archive.add(one)
        return older

    def _due(self, project: str, today: date) -> list[Unit]:
        last = max((unit_named(name) for name in self._archive.units(project)), key=in_time, default=None)
        first = self._source.first_day(project) if last is None else last.first
        units = closed(first, today) if first else ()
        return [unit for unit in units if last is None or in_time(unit) > in_time(last)]

    def _block_before(self, project: str, unit: Unit) -> Release | None:
        name = block_of(block_of(unit.first).first - timedelta(days=1)).name
        return self._archive.read(project, [name]).get(name)

    def _people(self, of: Population, unit: Unit, last: Population | None) -> Population:
        """Who counts in a unit. `last`: who did in the unit before, which are the same in the same block."""
        if last is not None and last.parameters == of.parameters:
            of = dataclasses.replace(of, counted=last.counted)
        return self._source.known(of, unit.first, unit.end)

    def _make(self, unit: Unit, of: Population, settings: Settings, before: Release | None) -> Release:
        position = self._committed()
        blank = Release(
            VERSION, of.project, unit.name, of.today, position, settings.k, settings.min_weeks, (), public=settings.public is not None
        )
        return (
            self._remainder(unit, of, blank, settings.headcount)
            if unit.is_block
            else self._week(unit, of, blank, before.weekly if before else ())
        )

    def _week(self, unit: Unit, of: Population, blank: Release, weekly: Collection[Key]) -> Release:
        cells = self._source.cells(of, unit.first, unit.end, blank.position).get(None, {})
        weight = weights(cells.get(WHOLE, {}))
        by_week = {key: weighed(people, weight) for key, people in cells.items() if key in weekly}
        found = publish_week(weighed(cells.get(WHOLE, {}), weight), by_week, blank.k)
        return replace(blank, atoms=document.atoms(found), hidden=document.hidden(found))

    def _remainder(self, unit: Unit, of: Population, blank: Release, headcount: int | None) -> Release:
        weeks = {monday: week(monday).name for monday in unit.weeks}
        released = self._archive.read(of.project, weeks.values())
        marks = [Watermark(monday, released[name].position) for monday, name in weeks.items() if name in released]
        cells = self._source.cells(of, unit.first, unit.end, blank.position, marks)
        slots = {name: _slot(cells.get(monday, {}), released[name]) for monday, name in weeks.items() if _tells(released.get(name))}
        rest = _joined(people for monday, people in cells.items() if monday is None or weeks[monday] not in slots)
        kept = {name: slot for name, slot in slots.items() if _as_published(slot, released[name])}
        parts = [*kept.values(), _slot(rest, None)]
        found = publish_remainder(parts, blank.k)

        def alike(others: Mapping[date | None, Cells]) -> list[Cells]:
            """Other sums of the same rows by slot, as much as counts of each person there."""
            of_rest = _joined(some for monday, some in others.items() if monday is None or weeks[monday] not in slots)
            by_slot = [(cells.get(monday, {}), others.get(monday, {})) for monday, name in weeks.items() if name in kept]
            return [_alike(*one) for one in (*by_slot, (rest, of_rest))]

        classes = self._source.classes(of, unit.first, unit.end, blank.position, marks)
        own_ms = self._source.critical(of, unit.first, unit.end, blank.position, marks)
        behind = {key: len(people) for key, people in _published(kept.values(), found).items()}
        agents = judged(("actor", "agent"), _weighed(self._source.agents(of, unit.first, unit.end, blank.position)), blank.k)
        weekly = weekly_next([*kept.values(), _slot({}, None)], behind.get(WHOLE, 0), blank.k) if len(kept) == len(weeks) else ()
        return replace(
            blank,
            atoms=document.atoms(found),
            hidden=document.hidden(found),
            people=document.people(behind.items()),
            weeks=tuple(kept) if len(kept) < len(slots) else None,
            weekly=tuple(sorted(weekly)),
            critical=publish_critical(parts, found, alike(own_ms), blank.k),
            splits=document.splits(publish_habits(parts, found, alike(classes), blank.k)),
            jobs=document.rounded(self._source.jobs(of.project, unit.first, unit.end, blank.position)),
            agents=document.atom(agents) if isinstance(agents, Shown) else None,
            left_out=headcount is not None and left_out(self._source, of),
        )


def _slot(cells: Cells, release: Release | None) -> Slot:
    """A week as it was published, or what was not."""
    weight = weights(cells.get(WHOLE, {}))
    inside = {key: weighed(people, weight) for key, people in cells.items() if key != WHOLE}
    whole = weighed(cells.get(WHOLE, {}), weight)
    shown = (document.shown(atom, {WHOLE: whole, **inside}) for atom in release.atoms) if release else ()
    return Slot(whole, inside, {one.key: one for one in shown})


def _alike(cells: Cells, classes: Cells) -> Cells:
    weight = weights(cells.get(WHOLE, {}))
    return {key: weighed(people, weight) for key, people in classes.items()}


def _tells(release: Release | None) -> bool:
    """Whether the whole of a week was published."""
    return release is not None and document.has_whole(release)


def _as_published(slot: Slot, release: Release) -> bool:
    """Whether a week's numbers, made again, are those that were published.

    Where somebody was erased since, what the block says of that week minus what the week said would be theirs: its cells stay out of the block.
    """
    return all(document.atom(one) in release.atoms for one in slot.published.values())


def _joined(many: Iterable[Cells]) -> Cells:
    """Cells of several weeks as those of one."""
    by_key: dict[Key, list[People]] = {}
    for cells in many:
        for key, people in cells.items():
            by_key.setdefault(key, []).append(people)
    return {key: added(people) for key, people in by_key.items()}


def _published(slots: Iterable[Slot], found: Publication) -> dict[Key, People]:
    """Whoever is behind the published numbers of each cell, in the whole block."""
    return _joined([{key: one.people for key, one in shown.items()} for shown in (*(slot.published for slot in slots), found.shown)])


def _weighed(people: People) -> People:
    return weighed(people, weights(people))
