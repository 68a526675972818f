"""Takes back or mends what the embedded engine did not write whole.

An insert whose part is not whole is taken back. What a merge or a mutation wrote cannot be; but what it replaced is on the disk for a
while (`schema.KEEP_REPLACED_SECONDS`), and the engine takes that up again where it reads the table anew, as at a start. Why: decision 0018.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from innerloop_collector.db.integrity.parts import TablePartsCheck
from innerloop_collector.errors import StoreError

# ClickHouse's numbers of errors.
NO_SUCH_DATA_PART = 232  # it was merged meanwhile
UNKNOWN_TABLE = 60  # it is detached
TABLE_ALREADY_EXISTS = 57  # it is attached; or a query of before DETACH is at work still
_PATIENCE = 30.0  # seconds
_POLL = 0.05
_SOON = 5.0  # seconds: longer than an insert holds a table
_PAUSE = 5.0  # seconds until what failed is tried again
_IS_THERE = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = '{table}'"
_TABLES = "SELECT name, data_paths[1] FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
_ACTIVE = "SELECT name FROM system.parts WHERE database = currentDatabase() AND table = '{table}' AND active"
_log = structlog.get_logger()


class PartsRepair:
    """Watches every table of the store. Every method raises StoreError where something cannot be looked at or mended; the next one goes on there."""

    def __init__(self, query: Callable[[str], list[Sequence[Any]]], command: Callable[[str], None]) -> None:
        # Latest of a table that was read anew, before anybody else may rely on it.
        self.read_again: Callable[[str], None] = _nothing_depends_on_it
        self.readings = 0  # how often a table began to be read anew: a query that it overtook may have seen half of it
        self._query = query
        self._command = command
        self._of: dict[str, TablePartsCheck] = {}
        self._local = threading.local()
        self._failed: tuple[float, str] | None = None  # when and why `read_again` failed last

    @contextlib.contextmanager
    def over(self, table: str) -> Iterator[None]:
        """Hold this around an insert. Raises StoreError where its part is not whole; then it is taken back."""
        if table not in self._of:
            self._find_tables()
        watch = self._of[table]
        with watch.guard:
            watch.look()
            self._mend(table, watch)
            try:
                yield
            finally:  # an insert that failed may have left its part as well
                damaged = watch.look()
                self._take_back(table, watch)
                if damaged:
                    raise StoreError("the disk failed: not every file of what was inserted could be written")

    def look(self) -> bool:
        """Look at what merges and mutations wrote, and mend it; tell whether something was not whole."""
        self._find_tables()
        found = False
        failure: StoreError | None = None
        for table, watch in list(self._of.items()):
            try:
                with watch.guard:
                    watch.look()
                    found |= self._mend(table, watch)
                found |= self._rescue(table, watch)
            except StoreError as error:  # one table that cannot be mended keeps none from being looked at
                failure = failure or error
        if failure:
            raise failure
        return found

    def broken(self, tables: Iterable[str]) -> bool:
        """Look, and mend nothing; tell whether a part of these tables is not whole. They were looked at before."""
        found = False
        for table in tables:
            watch = self._of[table]
            if not watch.guard.acquire(timeout=_SOON):
                raise StoreError("the store is being mended")
            try:
                watch.look()
                found |= bool(watch.unwell or watch.lost)
            finally:
                watch.guard.release()
        return found

    def mend(self) -> None:
        """Mend what could not be mended at once. Whoever reads before would take rows for stored that the next start does not find."""
        if getattr(self._local, "beside", False):
            return
        for table, watch in list(self._of.items()):
            if watch.unwell:
                with watch.guard:
                    self._mend(table, watch)

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Have this thread ask the engine without mending, or waiting for who does: because it mends itself, or because who mends waits for it."""
        before = getattr(self._local, "beside", False)
        self._local.beside = True
        try:
            yield
        finally:
            self._local.beside = before

    def _find_tables(self) -> None:
        with self.beside():
            for table, directory in self._query(_TABLES):
                if table not in self._of:
                    self._of.setdefault(table, TablePartsCheck(Path(directory)))

    def _mend(self, table: str, watch: TablePartsCheck) -> bool:
        """Tell whether parts were not whole. The guard is held."""
        with self.beside():
            if watch.unlooked:
                watch.look()
            self._take_back(table, watch)
            found = bool(watch.unread) and self._mend_unread(table, watch)
            if watch.depends:
                self._tell(table, watch)
        return found

    def _take_back(self, table: str, watch: TablePartsCheck) -> None:
        while watch.taken_back:
            try:
                self._command(f"ALTER TABLE {table} DROP PART '{watch.taken_back[0].name}'")
            except StoreError as error:
                if error.code != NO_SUCH_DATA_PART:
                    raise
            del watch.taken_back[0]

    def _mend_unread(self, table: str, watch: TablePartsCheck) -> bool:
        """Read a table again, unless a part of it would be lost by that. Tell whether there was anything to mend."""
        if not watch.away:
            active = self._active(table)
            watch.unread = [part for part in watch.unread if part.name in active]  # of the others nothing is needed any more
            watch.lost = [part for part in watch.lost if part.name in active]
            if not watch.unread:
                return False
            if not all(watch.has_replaced(part) for part in watch.unread + watch.lost):
                watch.lost += watch.unread
                watch.unread = []
                return True
        self._read_again(table, watch)
        return True

    def _active(self, table: str) -> set[str]:
        return {name for (name,) in self._query(_ACTIVE.format(table=table))}

    def _rescue(self, table: str, watch: TablePartsCheck) -> bool:
        """Have the engine merge parts of which nothing else is left, as long as it can still read them; tell whether there are any."""
        if not watch.lost:
            return False
        with self.beside():
            active = self._active(table)
            watch.lost = [part for part in watch.lost if part.name in active]
            for partition in {part.partition for part in watch.lost}:
                names = [part.name for part in watch.lost if part.partition == partition]
                try:
                    self._command(f"OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL SETTINGS optimize_throw_if_noop = 1")
                except StoreError as error:
                    _log.error("parts are damaged, and what they replaced is gone", table=table, parts=names, error=str(error))
                else:
                    _log.warning(
                        "parts written again, as the disk failed: not every file of them could be written", table=table, parts=names
                    )
        return bool(watch.lost)

    def _read_again(self, table: str, watch: TablePartsCheck) -> None:
        """Have the engine read a table's parts as at a start: what is not whole is set aside, and what it replaced takes its place."""
        self.readings += 1
        if not watch.away:
            self._detach(table)
            watch.away = True  # from here on nothing is removed
        self._attach(table)
        names = [part.name for part in watch.unread]
        watch.away, watch.unread, watch.depends = False, [], True
        _log.warning("table read again, as the disk failed: not every file of its parts could be written", table=table, parts=names)

    def _detach(self, table: str) -> None:
        try:
            self._command(f"DETACH TABLE {table}")
        except StoreError as error:
            if error.code != UNKNOWN_TABLE:
                raise

    def _attach(self, table: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._command(f"ATTACH TABLE {table}")
            except StoreError as error:
                if error.code == TABLE_ALREADY_EXISTS and self._query(_IS_THERE.format(table=table))[0][0]:
                    return
                if error.code != TABLE_ALREADY_EXISTS or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL)
            else:
                return

    def _tell(self, table: str, watch: TablePartsCheck) -> None:
        if self._failed and time.monotonic() < self._failed[0] + _PAUSE:
            raise StoreError(self._failed[1])
        try:
            self.read_again(table)
        except StoreError as error:
            self._failed = time.monotonic(), str(error)
            raise
        self._failed, watch.depends = None, False


def _nothing_depends_on_it(_: str) -> None:
    """A store of which nothing is derived."""
