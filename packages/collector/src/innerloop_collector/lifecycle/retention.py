"""One sweep: makes the weekly totals of what is about to go, writes down what goes, and takes it away.

A row goes on the day after its last one. That is what its developer agreed to, or what the project promises now if that is less.
The sweep may be killed anywhere: totals are made once, what is written down of a day is the largest number seen, and rows
that are still there go with the next one.
"""

from collections import Counter
from datetime import date, timedelta
from typing import Any, NamedTuple

from innerloop_collector.core import Core
from innerloop_collector.db import schema
from innerloop_collector.lifecycle import registrations
from innerloop_collector.lifecycle.purge import Doomed
from innerloop_collector.lifecycle.quarantine_release import release_known
from innerloop_collector.query import monday_of

_EPOCH = date(1970, 1, 1)
_LAST = """least(toInt32(keep_until), toInt32(toDate(corrected_time))
    + transform(toString(project), {projects:Array(String)}, {days:Array(Int32)}, toInt32(100000)))"""
_LAPSED = f"{_LAST} < toInt32({{today:Date}})"
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
    weeks: list[tuple[str, date]]  # whose totals were made
    registrations: registrations.Found


class Sweep:
    """Does what is due by the collector's clock."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.totals = core.figures.totals

    def due(self) -> Swept:
        """What would go now."""
        today = self._core.now().date()
        of_nothing = registrations.look(self._core, today)
        gone = [*self._lapsed(today), *self._ended(of_nothing)]
        weeks = {(one.project, monday_of(one.day)) for one in gone if one.what == "events"}
        return Swept(today, gone, sorted(one for one in weeks if not self.totals.made(*one)), of_nothing)

    def run(self) -> Swept:
        """Take away what is due. On return its bytes are in no file of the store. First, what waited for its id is released where that is known."""
        for project in self._core.registry.catalogue.versions:
            release_known(self._core, project)
        with self._core.purger.alone:
            self._core.writer.submit([], []).result()  # what was judged before midnight is stored, and found
            found = self.due()
            if found.gone:
                self._make_totals(found)
                self._write_down(found)
                self._core.purger.purge(self._doomed(found.today))
            registrations.settle(self._core, found.registrations)
            self._core.ids.forget(found.today)
            self._core.assertions.forget()
            self._core.eraser.tell_the_journals()
            erased = self._core.tombstones.erased, self._core.erasures.tombstones()
            self._core.backups.erase(*erased, found.today)  # also those that were out of reach when something was erased
            return found

    def _parameters(self, today: date) -> dict[str, Any]:
        newest = self._core.registry.promised()
        waiting = today - timedelta(days=schema.QUARANTINE_DAYS)
        return {"today": today, "projects": list(newest), "days": list(newest.values()), "waiting": waiting}

    def _lapsed(self, today: date) -> list[Gone]:
        engine, parameters = self._core.engine, self._parameters(today)
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
            *(Gone(project, "quarantine", day, day + timedelta(days=schema.QUARANTINE_DAYS - 1), rows) for project, day, rows in waiting),
        ]

    def _ended(self, found: registrations.Found) -> list[Gone]:
        ended = Counter((one.project, one.empty_since, registrations.last_day(self._core, one)) for one in found.ended)
        return [Gone(project, "registrations", day, last, rows) for (project, day, last), rows in sorted(ended.items())]

    def _make_totals(self, found: Swept) -> None:
        for project, week in found.weeks:
            self.totals.make(project, week, self._core.registry.catalogue.newest(project).min_active_weeks, found.today)

    def _write_down(self, found: Swept) -> None:
        self._core.engine.insert("expired", schema.EXPIRED, [(*one, found.today) for one in found.gone])

    def _doomed(self, today: date) -> list[Doomed]:
        parameters = self._parameters(today)
        return [Doomed("events", _LAPSED, parameters, partitioned=True), Doomed("quarantine", _WAITED, parameters)]
