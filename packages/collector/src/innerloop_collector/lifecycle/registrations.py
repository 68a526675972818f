"""Registrations of ids of which nothing is left go too, in the end.

A client says an id's registration once, so it stays for longer than the rows: an id whose developer was away goes on with the old one.
"""

from datetime import date, timedelta
from typing import NamedTuple

from innerloop_collector.store.projects import Registry
from innerloop_collector.store.tombstones import NOT_EMPTY, Erasures, Registration
from innerloop_collector.store.writer import Writer


class Found(NamedTuple):
    """What a sweep is to do."""

    changed: list[Registration]  # those whose rows have gone, or have come back, since the last sweep
    ended: list[Registration]


class Registrations:
    """Finds registrations without rows, and removes them when their time is over."""

    def __init__(self, erasures: Erasures, registry: Registry, writer: Writer) -> None:
        self._erasures = erasures
        self._registry = registry
        self._writer = writer

    def find(self, today: date) -> Found:
        """Find those without rows. They end after the longest time for which their project ever promised to keep rows.

        Whatever is older than that when it comes is not kept, so that only a developer who goes on with an id of long ago misses its registration.
        """
        found = Found([], [])
        registrations = self._erasures.registrations()
        with_rows = self._erasures.marks_with_rows() if registrations else set()
        for one in registrations:
            empty = one.mark not in with_rows
            if empty and one.empty_since != NOT_EMPTY:
                if self.last_day(one) < today:
                    found.ended.append(one)
            elif empty or one.empty_since != NOT_EMPTY:
                found.changed.append(one._replace(empty_since=today if empty else NOT_EMPTY))
        return found

    def last_day(self, one: Registration) -> date:
        """The last day on which a registration without rows is kept."""
        return one.empty_since + timedelta(days=self._registry.longest_promise(one.project))

    def apply(self, found: Found) -> None:
        """Do it. An event that comes at this very moment has its registration afterwards."""
        self._erasures.register(found.changed)
        if found.ended:
            self._erasures.unregister([one.mark for one in found.ended])
            self._writer.submit([], []).result()  # what looked before, and found it registered, is stored
            with_rows = self._erasures.marks_with_rows()
            self._erasures.register([one._replace(empty_since=NOT_EMPTY) for one in found.ended if one.mark in with_rows])
