"""Takes back or mends what the embedded engine did not write whole. May import: the store's parts, errors.

An insert whose part is not whole is taken back. What a merge or a mutation wrote cannot be; but what it replaced is on the disk for a
while (`schema.KEEP_REPLACED_SECONDS`), and the engine takes that up again where it reads the table anew, as at a start. Why: decision 0018.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from innerloop_collector.errors import StoreError
from innerloop_collector.store.parts import Part, Watch

_MERGED_MEANWHILE = "NO_SUCH_DATA_PART"
_STILL_READ = "still used"  # what ATTACH says while a query of before DETACH is at work
_ATTACHED = "already exists"
_DETACHED = "UNKNOWN_TABLE"
_PATIENCE = 30.0  # seconds
_POLL = 0.05
_PAUSE = 5.0  # seconds until what failed is tried again
_TABLES = "SELECT name, data_paths[1] FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
_ACTIVE = "SELECT name FROM system.parts WHERE database = currentDatabase() AND table = '{table}' AND active"
_log = structlog.get_logger()


class Watches:
    """Watches every table of the store. Every method raises StoreError where something cannot be looked at or mended; the next one goes on there."""

    def __init__(self, query: Callable[[str], list[Sequence[Any]]], command: Callable[[str], None]) -> None:
        self.read_again: Callable[[str], None] = (
            _nothing_depends_on_it  # told of a table that was read anew, before anybody else may rely on it
        )
        self.readings = 0  # how often a table began to be read anew: a query that it overtook may have seen half of it
        self._query = query
        self._command = command
        self._of: dict[str, Watch] = {}
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
            watch.unlooked = True
            try:
                yield
            finally:  # an insert that failed may have left its part as well
                damaged = watch.look()
                self._take_back(table, watch)
                if damaged:
                    raise StoreError("the disk failed: not every file of what was inserted could be written")

    def look(self) -> bool:
        """Look at what merges and mutations wrote; tell whether something was not whole, and was mended."""
        self._find_tables()
        again = False
        for table, watch in list(self._of.items()):
            with watch.guard:
                watch.look()
                again |= self._mend(table, watch)
        return again

    def settle(self) -> None:
        """Mend what could not be mended at once. Whoever reads before would take rows for stored that the next start does not find."""
        if self._mending():
            return
        for table, watch in list(self._of.items()):
            if watch.unlooked or watch.taken_back or watch.unread or watch.depends:
                with watch.guard:
                    self._mend(table, watch)

    def _find_tables(self) -> None:
        for table, directory in self._query(_TABLES):
            if table not in self._of:
                self._of.setdefault(table, Watch(Path(directory)))

    def _mending(self) -> bool:
        """Tell whether this thread asks the engine for what it needs to mend a table: then it waits for no other table's guard."""
        return getattr(self._local, "mending", False)

    def _mend(self, table: str, watch: Watch) -> bool:
        self._local.mending = True
        try:
            if watch.unlooked:
                watch.look()
            self._take_back(table, watch)
            again = bool(watch.unread) and self._mend_unread(table, watch)
            if watch.depends:
                self._tell(table, watch)
        finally:
            self._local.mending = False
        return again

    def _take_back(self, table: str, watch: Watch) -> None:
        while watch.taken_back:
            try:
                self._command(f"ALTER TABLE {table} DROP PART '{watch.taken_back[0].name}'")
            except StoreError as error:
                if _MERGED_MEANWHILE not in str(error):
                    raise
            del watch.taken_back[0]

    def _mend_unread(self, table: str, watch: Watch) -> bool:
        again = False
        if not watch.away:
            active = {name for (name,) in self._query(_ACTIVE.format(table=table))}
            watch.unread = [part for part in watch.unread if part.name in active]  # of the others nothing is needed any more
            for part in watch.unread.copy():
                if not _begins_and_ends(watch.replaced(part), part):
                    self._write_again(table, part)
                    watch.unread.remove(part)
                    again = True
        if watch.unread:
            self._read_again(table, watch)
            again = True
        return again

    def _write_again(self, table: str, part: Part) -> None:
        """Have the engine merge a part of which nothing else is left, as long as it can still read it."""
        try:
            self._command(f"OPTIMIZE TABLE {table} PARTITION ID '{part.partition}' FINAL SETTINGS optimize_throw_if_noop = 1")
            _log.warning("part written again, as the disk failed: not every file of it could be written", table=table, part=part.name)
        except StoreError as error:
            _log.error("a part of the store is damaged, and what it replaced is gone", table=table, part=part.name, error=str(error))

    def _read_again(self, table: str, watch: Watch) -> None:
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
            if _DETACHED not in str(error):
                raise

    def _attach(self, table: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._command(f"ATTACH TABLE {table}")
            except StoreError as error:
                if _ATTACHED in str(error):
                    return
                if _STILL_READ not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL)
            else:
                return

    def _tell(self, table: str, watch: Watch) -> None:
        if self._failed and time.monotonic() < self._failed[0] + _PAUSE:
            raise StoreError(self._failed[1])
        try:
            self.read_again(table)
        except StoreError as error:
            self._failed = time.monotonic(), str(error)
            raise
        self._failed, watch.depends = None, False


def _begins_and_ends(replaced: Sequence[Part], broken: Part) -> bool:
    """Tell whether what a part replaced is all there. It is removed together, a minute after it was replaced; blocks in between may never have been."""
    return any(part.first == broken.first for part in replaced) and any(part.last == broken.last for part in replaced)


def _nothing_depends_on_it(_: str) -> None:
    """A store of which nothing is derived."""
