"""How the collector is: read from the store, the disk and the clocks at one moment.

The metrics show it and `check` judges it. Everything is counted over all projects; nothing in it belongs to one developer.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from innerloop_collector.config.configuration import QUARANTINE_DAYS
from innerloop_collector.db.engine import Engine
from innerloop_collector.exporters.exporters import Exporters
from innerloop_collector.store.events import EventTables
from innerloop_collector.store.tombstones import Erasures

STUCK_SECONDS = 600  # a mutation of the engine that takes longer than this is in trouble; on 100 million rows one took 36 s
_OURS = "database = {database:String}"


class TableSize(msgspec.Struct, frozen=True):
    """What a table takes on the disk."""

    parts: int
    replaced_parts: int  # replaced by a merge and not removed yet
    bytes: int
    rows: int  # a repeated event that was not merged yet counts twice


class StoreStatus(msgspec.Struct, frozen=True):
    """How the store is."""

    engine: str
    kind: str  # embedded, or which way a server's
    schema: int
    clock: float  # Unix seconds by the engine's clock
    tables: dict[str, TableSize]
    detached_parts: int
    mutations: int
    stuck_mutations: int
    failing_mutations: int
    tombstones: int
    unfinished_erasures: int
    receipts: int

    @property
    def bytes(self) -> int:
        """What all tables take on the disk."""
        return sum(table.bytes for table in self.tables.values())


class DestinationStatus(msgspec.Struct, frozen=True):
    """How a destination is doing."""

    name: str
    state: str
    behind_events: int
    behind_seconds: float
    sent: int
    set_aside: int
    failures: int  # in a row, until now
    last_error: str | None


class QuarantineStatus(msgspec.Struct, frozen=True):
    """What waits in a project's quarantine for one reason."""

    project: str
    reason: str
    events: int
    first_day: date  # of receipt
    last_day: date

    @property
    def removed_on(self) -> date:
        """The day on which the first of them go, whatever was done until then."""
        return self.first_day + timedelta(days=QUARANTINE_DAYS)


class DiskStatus(msgspec.Struct, frozen=True):
    """How full the data directory's file system is, and how far its clock is from this machine's."""

    free: int
    total: int
    clock_skew: float | None  # None: no file can be made


class StatusReader:
    """Asks store, exporters and disk how they are."""

    def __init__(self, engine: Engine, erasures: Erasures, events: EventTables, exporters: Exporters, scratch: Path) -> None:
        self._engine = engine
        self._erasures = erasures
        self._events = events
        self._exporters = exporters
        self._scratch = scratch

    def store(self) -> StoreStatus:
        """Ask the store, every node of it. Raises StoreError where it does not answer."""
        mutations, stuck, failing = self._mutations()
        engine, clock = self._engine.query("SELECT version(), toUnixTimestamp64Milli(now64(3)) / 1000")[0]
        return StoreStatus(
            engine=engine,
            kind=self._engine.layout.kind,
            schema=self._engine.query("SELECT max(version) FROM schema_version")[0][0],
            clock=clock,
            tables=self._tables(),
            detached_parts=self._ask("SELECT count()", "detached_parts")[0][0],
            mutations=mutations,
            stuck_mutations=stuck,
            failing_mutations=failing,
            **dict(zip(("tombstones", "unfinished_erasures", "receipts"), self._erasures.counts(), strict=True)),
        )

    def counts(self) -> tuple[int, int]:
        """How many events are stored and how many wait. Raises StoreError where the store does not answer."""
        return self._events.counts()

    def destinations(self) -> list[DestinationStatus]:
        """Ask the exporters. Raises StoreError where the store does not answer."""
        names = [name for name in DestinationStatus.__struct_fields__ if name != "name"]
        return [DestinationStatus(one["destination"], *(one[name] for name in names)) for one in self._exporters.status()]

    def waiting(self) -> list[QuarantineStatus]:
        """Ask the quarantine. Raises StoreError where the store does not answer."""
        return [QuarantineStatus(*row) for row in self._events.waiting()]

    def quarantine(self) -> list[Sequence[Any]]:
        """How many events wait: project, reason, fields, events, first day, last day. Never a value."""
        return self._events.quarantine_counts()

    def violations(self) -> list[Sequence[Any]]:
        """How many events ever came into quarantine: project, reason, field ("": whatever the field), day, events."""
        return self._events.violations()

    def disk(self) -> DiskStatus:
        """Look at the data directory's file system. Raises OSError where there is none."""
        usage = shutil.disk_usage(self._scratch)
        return DiskStatus(usage.free, usage.total, _skew(self._scratch))

    def _tables(self) -> dict[str, TableSize]:
        what = "SELECT table, countIf(active), countIf(NOT active), sum(bytes_on_disk), sumIf(rows, active)"
        rows = self._ask(what, "parts", "GROUP BY table ORDER BY table")
        return {name.removesuffix("_local"): TableSize(*numbers) for name, *numbers in rows}

    def _mutations(self) -> Sequence[int]:
        what = f"SELECT count(), countIf(create_time < now() - {STUCK_SECONDS}), countIf(latest_fail_reason != '')"
        return self._ask(what, "mutations", "AND NOT is_done")[0]

    def _ask(self, what: str, table: str, rest: str = "") -> list[Sequence[Any]]:
        """Ask one of the engine's own tables for what is ours."""
        sql = f"{what} FROM {self._engine.layout.system(table)} WHERE {_OURS} {rest}"
        return self._engine.query(sql, {"database": self._engine.layout.database})


def _skew(directory: Path) -> float | None:
    """How far a new file is from this machine's clock: a network's file system has one of its own."""
    try:
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".clock-") as file:
            file.write(b"?")
            file.flush()
            return os.fstat(file.fileno()).st_mtime - time.time()
    except OSError:
        return None
