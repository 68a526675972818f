"""One sweep: publishes what is due, writes down what goes, and takes it away.

A row goes on the day after its last one. That is what its developer agreed to, or what the project promises now if that is less.
The sweep may be killed anywhere: a release is made once, what is written down of a day is the largest number seen, and rows
that are still there go with the next one.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from innerloop_collector.config.configuration import QUARANTINE_DAYS
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.mutations import RowsToDelete
from innerloop_collector.lifecycle.backup_catalog import Backups
from innerloop_collector.lifecycle.eraser import Eraser
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.lifecycle.quarantine_release import QuarantineRelease
from innerloop_collector.lifecycle.registrations import Found, Registrations
from innerloop_collector.store.known_ids import KnownIds
from innerloop_collector.store.oauth_keys import Assertions
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.tombstones import Erasures, Tombstones
from innerloop_collector.store.writer import Writer

_EPOCH = date(1970, 1, 1)
_LAST = """least(toInt32(keep_until), toInt32(toDate(corrected_time))
    + transform(toString(project), {projects:Array(String)}, {days:Array(Int32)}, toInt32(100000)))"""
_LAPSED = f"{_LAST} < toInt32({{today:Date}}) AND project NOT IN {{unpublished:Array(String)}}"
_WAITED = "received_day <= {waiting:Date}"


class Gone(NamedTuple):
    """Rows of one project and day that went, or would go."""

    project: str
    what: str  # "events", "quarantine" or "registrations"
    day: date  # on which they happened, came into quarantine, or were found to be about nothing that is left
    last_day: date  # on which they were kept
    rows: int


class Swept(NamedTuple):
    """What a sweep did, or would do."""

    today: date
    gone: list[Gone]
    published: list[tuple[str, str]]  # projects, and the units that were published
    registrations: Found
    unpublished: tuple[str, ...] = ()  # projects whose figures were due and not published, so that their rows stay


class Publisher(Protocol):
    """Publishes figures, which stay when the rows go."""

    @property
    def failed(self) -> Mapping[str, str]:
        """Projects whose figures the last attempt did not publish, and why: their rows are kept for the next one."""

    def due(self, today: date) -> list[tuple[str, str]]:
        """What would be published: projects and units."""

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Publish what is due. Returns what was."""


class Housekeeping(NamedTuple):
    """What is small and goes with every sweep."""

    ids: KnownIds
    assertions: Assertions
    erasures: Erasures
    tombstones: Tombstones
    eraser: Eraser
    backups: Backups

    def run(self, today: date) -> None:
        """Forget what was known for a while, and let journals and backups have what they miss."""
        self.ids.forget(today)
        self.assertions.forget()
        self.eraser.tell_the_journals()
        # also those that were out of reach when something was erased
        self.backups.erase(self.tombstones.erased, self.erasures.tombstones(), today)


class Sweep:
    """Does what is due by the collector's clock."""

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        writer: Writer,
        purger: Purger,
        release: QuarantineRelease,
        registrations: Registrations,
        publisher: Publisher,
        housekeeping: Housekeeping,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._writer = writer
        self._purger = purger
        self._release = release
        self._registrations = registrations
        self._publisher = publisher
        self._housekeeping = housekeeping
        self._now = now

    def due(self) -> Swept:
        """What would go now."""
        today = self._now().date()
        of_nothing = self._registrations.find(today)
        gone = [*self._lapsed(today), *self._ended(of_nothing)]
        return Swept(today, gone, self._publisher.due(today), of_nothing)

    def run(self) -> Swept:
        """Take away what is due. On return its bytes are in no file of the store. First, what waited for its id is released where that is known."""
        self._release.all_known()
        with self._purger.alone:
            self._writer.submit([], []).result()  # what was judged before midnight is stored, and found
            published = self._publisher.publish(self._now().date())
            found = self.due()._replace(published=published, unpublished=tuple(self._publisher.failed))
            if found.gone:
                self._write_down(found)
                self._purger.purge(self._rows_to_delete(found.today))
            self._registrations.apply(found.registrations)
            self._housekeeping.run(found.today)
            return found

    def _parameters(self, today: date) -> dict[str, Any]:
        newest = self._registry.promised()
        waiting = today - timedelta(days=QUARANTINE_DAYS)
        unpublished = list(self._publisher.failed)
        return {"today": today, "projects": list(newest), "days": list(newest.values()), "waiting": waiting, "unpublished": unpublished}

    def _lapsed(self, today: date) -> list[Gone]:
        engine, parameters = self._engine, self._parameters(today)
        events = engine.query(
            f"""SELECT project, toDate(corrected_time) AS day, {_LAST} AS last_day, count() FROM events
            WHERE {_LAPSED} GROUP BY project, day, last_day ORDER BY project, day, last_day""",
            parameters,
        )
        waiting = engine.query(
            f"SELECT project, received_day, count() FROM quarantine WHERE {_WAITED} GROUP BY project, received_day ORDER BY project, received_day",
            parameters,
        )
        return [
            *(Gone(project, "events", day, _EPOCH + timedelta(days=last), rows) for project, day, last, rows in events),
            *(Gone(project, "quarantine", day, day + timedelta(days=QUARANTINE_DAYS - 1), rows) for project, day, rows in waiting),
        ]

    def _ended(self, found: Found) -> list[Gone]:
        ended = Counter((one.project, one.empty_since, self._registrations.last_day(one)) for one in found.ended)
        return [Gone(project, "registrations", day, last, rows) for (project, day, last), rows in sorted(ended.items())]

    def _write_down(self, found: Swept) -> None:
        self._engine.insert("expired", schema.EXPIRED, [(*one, found.today) for one in found.gone])

    def _rows_to_delete(self, today: date) -> list[RowsToDelete]:
        parameters = self._parameters(today)
        return [RowsToDelete("events", _LAPSED, parameters, partitioned=True), RowsToDelete("quarantine", _WAITED, parameters)]
