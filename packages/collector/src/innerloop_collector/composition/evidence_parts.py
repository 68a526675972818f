"""The parts that publish figures and verdicts, and that tell of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from innerloop_collector.composition.store_parts import StoreParts
from innerloop_collector.query import (
    Archive,
    AskedEnoughError,
    Evidence,
    Known,
    Power,
    RegisteredChanges,
    ScanPublisher,
    Settings,
    VerdictPublisher,
    Verdicts,
    rows_of,
)
from innerloop_collector.query import Publisher as FigurePublisher
from innerloop_collector.reports.impact import foreseen
from innerloop_collector.reports.planned_looks import refused_looks
from innerloop_collector.store.change_record import Change as Record


class Publisher(Protocol):
    """Publishes something when it is due."""

    def due(self, today: date) -> list[tuple[str, str]]:
        """What would be published: projects and units."""

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Publish what is due. Returns what was."""


class EvidenceParts:
    """What makes verdicts, and what tells of them."""

    def __init__(
        self, store: StoreParts, archive: Archive, settings: Callable[[], dict[str, Settings]], now: Callable[[], datetime]
    ) -> None:
        registered = RegisteredChanges(store.changes, store.registry)
        verdicts = Verdicts(store.releases)
        known = Known(
            settings,
            registered.all,
            lambda project, names: store.registry.catalogue.marked(project, names).checks,
            registered.telling,
            lambda: store.events.committed,
            registered.beside,
            store.changes.mark_looked,
        )
        self.registered = registered
        self.publisher = VerdictPublisher(rows_of(store.engine), verdicts, archive, known)
        self.scans = ScanPublisher(rows_of(store.engine), verdicts, archive, known)
        self.power = Power(rows_of(store.engine), verdicts, archive, known)
        self.evidence = Evidence(verdicts, self.power, registered.all, now)
        self._now = now

    def foreseen(self, record: Record) -> str:
        """How large a change must be to be found, in a sentence."""
        try:
            return foreseen(self.power.detectable(self.registered.of(record), self._now().date()))
        except AskedEnoughError as error:
            return str(error)

    def refused_looks(self, record: Record, visible: frozenset[str] | None = None, *, others: bool) -> list[str]:
        """Which registered looks will be refused for lying too near each other, in sentences. `others`: also those of other changes."""
        mine = self.registered.of(record)
        beside = [one for one in self.registered.all() if (one.project, one.name) != (mine.project, mine.name)] if others else []
        return refused_looks(mine, [one for one in beside if visible is None or visible.issuperset(one.projects)])


class Publishers:
    """Figures, and then what rests on them."""

    def __init__(self, figures: FigurePublisher, others: Sequence[Publisher], published: Callable[[], None]) -> None:
        """`published` is called when something was."""
        self._figures = figures
        self._others = others
        self._published = published

    @property
    def failed(self) -> Mapping[str, str]:
        """Projects whose figures the last attempt did not publish, and why. What else was not published keeps nobody's rows."""
        return self._figures.failed

    def due(self, today: date) -> list[tuple[str, str]]:
        """What would be published: projects and units."""
        return [found for one in (self._figures, *self._others) for found in one.due(today)]

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Publish what is due. Returns what was."""
        done = [found for one in (self._figures, *self._others) for found in one.publish(today)]
        if done:
            self._published()
        return done
