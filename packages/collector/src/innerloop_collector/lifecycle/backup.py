# ruff: noqa: PLC0415 - a collector that makes no backup need not load pyarrow
"""Make a backup of the store while it is in use: Parquet files by table and month, and a manifest.

It is consistent up to a position: every event up to it that is not erased or past its time is in it, no later one is. Nothing is purged
meanwhile. It is made beside its place and gets its name when it is whole and on the disk.
"""

import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from innerloop_collector import __version__
from innerloop_collector.config.files import lies_in, sync_directory
from innerloop_collector.config.paths import Paths
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine, sync
from innerloop_collector.errors import CollectorError, StoreError, UsageError
from innerloop_collector.lifecycle import backup_manifest, erasure_journal
from innerloop_collector.lifecycle.backup_catalog import Backups, unfinished
from innerloop_collector.lifecycle.purge import Purger

FILE_ROWS = 500_000  # in one file, about: one is in memory at a time
KEY = "secret"
_FIRST, _LAST = "quarantine", "tombstones"  # what leaves quarantine meanwhile is in both; an erasure of meanwhile is in it


class Source(NamedTuple):
    """What a backup is made of."""

    engine: Engine
    purger: Purger
    committed: Callable[[], int]
    paths: Paths
    fingerprint: str  # of the secret
    backups: Backups
    now: Callable[[], datetime]


class BackupMaker:
    """Makes one backup at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._guard = threading.Lock()

    def make(self, directory: Path, with_secret: bool) -> backup_manifest.Manifest:
        """Make a backup in a directory that does not exist or is empty. Raises UsageError and StoreError; then nothing is left of it."""
        if not directory.is_absolute():
            raise UsageError(f"{directory} is no absolute path, and the service has another working directory")
        data = self._source.paths.data
        if lies_in(directory, data):
            raise UsageError(f"{directory} lies in the data directory {data} and would be lost with it; choose a place elsewhere")
        if not self._guard.acquire(blocking=False):
            raise UsageError("a backup is being made already; wait for its end")
        try:
            with self._source.purger.alone:
                made = self._build(_begin(directory), directory, with_secret)
        except OSError as error:
            raise UsageError(f"cannot make a backup in {directory}: {error.strerror}") from error
        finally:
            self._guard.release()
        return made

    def _build(self, building: Path, directory: Path, with_secret: bool) -> backup_manifest.Manifest:
        backups = self._source.backups
        try:
            backups.begin(directory, self._source.now().isoformat(timespec="seconds"))
            made = self._fill(building, with_secret)
            _end(building, directory)
        except BaseException:
            with suppress(CollectorError, OSError):
                backups.reconcile()
            shutil.rmtree(building, ignore_errors=True)
            raise
        backups.reconcile()
        return made

    def _fill(self, building: Path, with_secret: bool) -> backup_manifest.Manifest:
        source = self._source
        order = sorted(backup_manifest.TABLES, key=lambda name: (name != _FIRST, name == _LAST, name != "events"))
        files: list[backup_manifest.File] = []
        position = 0
        for name in order:
            if name == "events":
                position = source.committed()
            files += self._events(building, position) if name == "events" else self._table(building, name)
        if with_secret:
            backup_manifest.put(building, KEY, "", 0, source.paths.secret.read_bytes())
            if source.paths.destinations.is_dir():  # the keys of pseudonyms
                shutil.copytree(source.paths.destinations, building / source.paths.destinations.name)
        erasures = source.paths.erasures
        kept = backup_manifest.put(building, erasure_journal.NAME, "", 0, erasures.read_bytes()) if erasures.exists() else None
        source.backups.copy_to(building)
        made = source.now().isoformat(timespec="seconds")
        engine = str(source.engine.query("SELECT version()")[0][0])
        found = backup_manifest.Manifest(
            backup_manifest.FORMAT,
            made,
            __version__,
            engine,
            position,
            with_secret,
            backup_manifest.TABLES,
            files,
            source.fingerprint,
            journal=kept,
            throw_away=source.paths.throw_away.read_text() if source.paths.throw_away.exists() else None,
        )
        backup_manifest.write(building, found)
        return found

    def _events(self, building: Path, position: int) -> list[backup_manifest.File]:
        months = self._source.engine.query("SELECT DISTINCT toYYYYMM(event_time) AS month FROM events ORDER BY month")
        files = []
        for (month,) in months:
            chosen = f"FROM events FINAL WHERE toYYYYMM(event_time) = {int(month)} AND position <= {int(position)}"
            files += self._files(building, f"events-{month}", "events", chosen, "message_key")
        return files

    def _table(self, building: Path, name: str) -> list[backup_manifest.File]:
        final = "" if schema.table(name).replacing is None else " FINAL"
        return self._files(building, name, name, f"FROM {name}{final} WHERE 1", "cityHash64(formatRow('RowBinary', *))")

    def _files(self, building: Path, stem: str, table: str, chosen: str, spread: str) -> list[backup_manifest.File]:
        """Write the chosen rows in files of a bearable size, by what `spread` makes of a row (never null)."""
        from innerloop_collector.lifecycle import parquet_files

        engine = self._source.engine
        total = int(engine.query(f"SELECT count() {chosen}")[0][0])
        buckets = -(-total // FILE_ROWS)
        files = []
        for bucket in range(buckets):
            if self._source.purger.stopping.is_set():
                raise StoreError("the store is closing")
            content = engine.export(f"SELECT * {chosen} AND {spread} % {buckets} = {bucket}")
            rows, _ = parquet_files.look(content)
            files.append(backup_manifest.put(building, f"{stem}-{bucket}.parquet", table, rows, content))
        if table != _FIRST and sum(file.rows for file in files) < total:
            raise StoreError(f"the backup has not every row of {table}; make it again")
        return files


def _begin(directory: Path) -> Path:
    """Make the place beside its final one where a backup is built."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is not empty; a backup takes a new directory")
    building = unfinished(directory)
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    return building


def _end(building: Path, directory: Path) -> None:
    sync(building)  # the keys that were copied
    if directory.exists():
        directory.rmdir()
    os.rename(building, directory)
    sync_directory(directory.parent)
