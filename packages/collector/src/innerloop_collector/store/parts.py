"""Looks whether the embedded engine wrote its parts whole. May import: errors.

Where a write of one of a part's small files fails, the engine goes on as if it had not (seen with `count.txt`, `primary.cidx`, marks and
`checksums.txt`, and EIO): the insert or merge succeeds, the rows can be read, and the next start sets the part aside as broken, or its
projection. Such a file is empty. Files of columns may be: a column that holds nothing but its default is written so.

An insert whose part is not whole is taken back. What a merge or a mutation wrote cannot be; but what it replaced is on the disk for a
while (`schema.KEEP_REPLACED_SECONDS`), and the engine takes that up again where it reads the table anew, as at a start.
"""

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from innerloop_collector.errors import StoreError

_PART = re.compile(r"(?P<partition>[0-9A-Za-z]+)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")
_MAY_BE_EMPTY = ".bin"
_MERGED_MEANWHILE = "NO_SUCH_DATA_PART"
_STILL_READ = "TABLE_ALREADY_EXISTS"  # what ATTACH says while a query of before DETACH is at work
_PATIENCE = 30.0  # seconds
_POLL = 0.05
_TABLES = "SELECT name, data_paths[1] FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
_log = structlog.get_logger()


class Watches:
    """Watches every table of the store."""

    def __init__(self, query: Callable[[str], list[Sequence[Any]]], command: Callable[[str], None]) -> None:
        self._query = query
        self._command = command
        self.read_again: Callable[[str], None] = (
            _nothing_depends_on_it  # told of a table whose parts the engine read anew, before anybody else reads or inserts; raises StoreError
        )
        self._of: dict[str, Watch] = {}

    @contextlib.contextmanager
    def over(self, table: str) -> Iterator[None]:
        """Hold this around an insert. Raises StoreError where its part is not whole; then it is taken back."""
        if table not in self._of:
            self._find_tables()
        watch = self._of[table]
        with watch.guard:
            self._mend(table, watch)
            try:
                yield
            finally:  # an insert that failed may have left its part as well
                damaged = watch.look()
                self._take_back(table, watch)
                if damaged:
                    raise StoreError("the disk failed: not every file of what was inserted could be written")

    def look(self) -> bool:
        """Look at what merges and mutations wrote; tell whether something was not whole, and a table was read again. Raises StoreError."""
        self._find_tables()
        for watch in self._of.values():
            with watch.guard:
                watch.look()
        return self.settle()

    def settle(self) -> bool:
        """Mend what could not be mended at once; tell whether a table was read again. Raises StoreError.

        Whoever reads before would take rows for stored that the next start does not find.
        """
        again = False
        for table, watch in list(self._of.items()):
            if watch.broken or watch.unread:
                with watch.guard:
                    again |= self._mend(table, watch)
        return again

    def _find_tables(self) -> None:
        for table, directory in self._query(_TABLES):
            self._of.setdefault(table, Watch(Path(directory)))

    def _mend(self, table: str, watch: "Watch") -> bool:
        if watch.mending:  # by this thread, which asks the engine for what it needs
            return False
        watch.mending = True
        try:
            self._take_back(table, watch)
            if not watch.unread:
                return False
            self._read_again(table, watch)
            self.read_again(table)
            watch.unread = []
        finally:
            watch.mending = False
        return True

    def _take_back(self, table: str, watch: "Watch") -> None:
        while watch.broken:
            try:
                self._command(f"ALTER TABLE {table} DROP PART '{watch.broken[0]}'")
            except StoreError as error:
                if _MERGED_MEANWHILE not in str(error):
                    raise
            del watch.broken[0]

    def _read_again(self, table: str, watch: "Watch") -> None:
        """Have the engine read a table's parts as at a start: what is not whole is set aside, and what it replaced takes its place."""
        if not watch.away:
            self._command(f"DETACH TABLE {table}")
            watch.away = True  # from here on nothing is removed
        deadline = time.monotonic() + _PATIENCE
        while watch.away:
            try:
                self._command(f"ATTACH TABLE {table}")
                watch.away = False
            except StoreError as error:
                if _STILL_READ not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL)
        _log.warning("table read again, as the disk failed: not every file of its parts could be written", table=table, parts=watch.unread)


def _nothing_depends_on_it(_: str) -> None:
    """A store of which nothing is derived."""


class Watch:
    """Knows which parts of one table were looked at. `guard` is held from before an insert until its part was looked at, and while a table is mended."""

    def __init__(self, table: Path) -> None:
        """`table` is its directory. What is there now was not inserted under this watch."""
        self.guard = threading.RLock()
        self.broken: list[str] = []  # inserted parts that are to be taken back
        self.mending = False
        self.away = False  # detached
        self._table = table
        self._seen: set[str] = set()
        self._last: dict[str, int] = {}  # partition -> its last block
        self.unread = [
            part[0] for part in self._new() if not _whole(self._table / part[0])
        ]  # parts for which the table is to be read again

    def look(self) -> bool:
        """Look at the parts since the last look; tell whether one of an insert is not whole. Those begin behind all that were there before; others were merged of those."""
        last = self._last.copy()
        damaged = [part for part in self._new() if not _whole(self._table / part[0])]
        inserted = [part[0] for part in damaged if int(part["first"]) > last.get(part["partition"], -1)]
        self.broken += inserted
        self.unread += [part[0] for part in damaged if part[0] not in inserted]
        return bool(inserted)

    def _new(self) -> list[re.Match[str]]:
        try:
            names = os.listdir(self._table)
        except OSError as error:
            raise StoreError(f"the store's files cannot be read: {error.strerror}") from error
        there = {name: found for name in names if (found := _PART.fullmatch(name))}
        new = [found for name, found in there.items() if name not in self._seen]
        self._seen = set(there)
        for part in new:
            self._last[part["partition"]] = max(int(part["last"]), self._last.get(part["partition"], -1))
        return new


def _whole(part: Path) -> bool:
    """Tell whether no file of a part is empty that must not be. What is gone meanwhile was merged into another; one without rows has nothing to lose."""
    try:
        return all(name.endswith(_MAY_BE_EMPTY) or size > 0 for name, size in _files(part)) or (part / "count.txt").read_text() == "0"
    except FileNotFoundError:
        return True


def _files(part: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(part) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry.path))
            else:
                yield entry.name, entry.stat().st_size
