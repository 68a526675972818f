"""Registrations of ids of which nothing is left go too, in the end.

A client says an id's registration once, so it stays for longer than the rows: an id whose developer was away goes on with the old one.
"""

from datetime import date, timedelta
from typing import NamedTuple

from innerloop_collector.core import Core
from innerloop_collector.store.tombstones import NOT_EMPTY, Registration


class Found(NamedTuple):
    """What a sweep is to do."""

    changed: list[Registration]  # those whose rows have gone, or have come back, since the last sweep
    ended: list[Registration]


def look(core: Core, today: date) -> Found:
    """Find those without rows. They end after the longest time for which their project ever promised to keep rows.

    Whatever is older than that when it comes is not kept, so that only a developer who goes on with an id of long ago misses its registration.
    """
    found = Found([], [])
    registrations = core.erasures.registrations()
    with_rows = core.erasures.marks_with_rows() if registrations else set()
    for one in registrations:
        empty = one.mark not in with_rows
        if empty and one.empty_since != NOT_EMPTY:
            if last_day(core, one) < today:
                found.ended.append(one)
        elif empty or one.empty_since != NOT_EMPTY:
            found.changed.append(one._replace(empty_since=today if empty else NOT_EMPTY))
    return found


def last_day(core: Core, one: Registration) -> date:
    """The last day on which a registration without rows is kept."""
    return one.empty_since + timedelta(days=core.registry.longest_promise(one.project))


def settle(core: Core, found: Found) -> None:
    """Do it. An event that comes at this very moment has its registration afterwards."""
    core.erasures.register(found.changed)
    if found.ended:
        core.erasures.unregister([one.mark for one in found.ended])
        core.writer.submit([], []).result()  # what looked before, and found it registered, is stored
        with_rows = core.erasures.marks_with_rows()
        core.erasures.register([one._replace(empty_since=NOT_EMPTY) for one in found.ended if one.mark in with_rows])
