"""How the collector is: read from the store, the disk and the clocks at one moment. May import: core, errors.

The metrics show it and `check` judges it. Everything is counted over all projects; nothing in it belongs to one developer.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

import msgspec

from innerloop_collector.core import Core

STUCK_SECONDS = 600  # a mutation of the engine that takes longer than this is in trouble; on 100 million rows one took 36 s
_PARTS = """SELECT table, countIf(active), countIf(NOT active), sum(bytes_on_disk), sumIf(rows, active)
    FROM system.parts WHERE database = currentDatabase() GROUP BY table ORDER BY table"""
_DETACHED = "SELECT count() FROM system.detached_parts WHERE database = currentDatabase()"
_MUTATIONS = """SELECT count(), countIf(create_time < now() - {patience:UInt32}), countIf(latest_fail_reason != '')
    FROM system.mutations WHERE database = currentDatabase() AND NOT is_done"""


class TableSize(msgspec.Struct, frozen=True):
    """What a table takes on the disk."""

    parts: int
    replaced_parts: int  # replaced by a merge and not removed yet
    bytes: int
    rows: int  # a repeated event that was not merged yet counts twice


class StoreVitals(msgspec.Struct, frozen=True):
    """How the store is."""

    engine: str
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


class DestinationVitals(msgspec.Struct, frozen=True):
    """How a destination is doing."""

    name: str
    state: str
    behind_events: int
    behind_seconds: float
    sent: int
    set_aside: int
    failures: int  # in a row, until now
    last_error: str | None


class DiskVitals(msgspec.Struct, frozen=True):
    """How full the data directory's file system is, and how far its clock is from this machine's."""

    free: int
    total: int
    clock_skew: float


def store(core: Core) -> StoreVitals:
    """Ask the store. Raises StoreError where it does not answer."""
    query = core.engine.query
    tables = {name: TableSize(*numbers) for name, *numbers in query(_PARTS)}
    mutations, stuck, failing = query(_MUTATIONS, {"patience": STUCK_SECONDS})[0]
    engine, clock = query("SELECT version(), toUnixTimestamp64Milli(now64(3)) / 1000")[0]
    return StoreVitals(engine, clock, tables, query(_DETACHED)[0][0], mutations, stuck, failing, *core.erasures.counts())


def destinations(core: Core) -> list[DestinationVitals]:
    """Ask the exporters. Raises StoreError where the store does not answer."""
    names = [name for name in DestinationVitals.__struct_fields__ if name != "name"]
    return [DestinationVitals(one["destination"], *(one[name] for name in names)) for one in core.exporters.status()]


def disk(directory: Path) -> DiskVitals:
    """Look at a file system. A file is made, since a network's file system has a clock of its own. Raises OSError where none can be."""
    usage = shutil.disk_usage(directory)
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".clock-") as file:
        file.write(b"?")
        file.flush()
        skew = os.fstat(file.fileno()).st_mtime - time.time()
    return DiskVitals(usage.free, usage.total, skew)
