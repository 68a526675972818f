"""Looks whether the embedded engine wrote its parts whole. May import: errors.

Where a write of one of a part's small files fails, the engine goes on as if it had not (seen with `count.txt`, `primary.cidx` and
`checksums.txt`, and EIO): the insert succeeds, the rows can be read, and the next start sets the part aside as broken, or its projection.
Such a file is empty. Files of columns may be: a column that holds nothing but its default is written so. What merges write is not looked
at: their sources stay for a while, and a start finds what is broken.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from innerloop_collector.errors import StoreError

_PART = re.compile(r"(?P<partition>[0-9A-Za-z]+)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")
_MAY_BE_EMPTY = ".bin"
_MERGED_MEANWHILE = "NO_SUCH_DATA_PART"


class Watches:
    """Watches every table into which something is inserted."""

    def __init__(self, query: Callable[[str, dict[str, Any]], list[Sequence[Any]]], command: Callable[[str], None]) -> None:
        self._query = query
        self._command = command
        self._of: dict[str, Watch] = {}
        self._broken: dict[str, list[str]] = {}  # table -> parts that are to be taken back

    @contextlib.contextmanager
    def over(self, table: str) -> Iterator[None]:
        """Hold this around an insert. Raises StoreError where its part is not whole; then it is taken back."""
        watch = self._of.get(table) or self._of.setdefault(table, Watch(self._directory(table)))
        with watch.guard:
            try:
                yield
            finally:  # an insert that failed may have left its part as well
                damaged = watch.look()
                self._broken.setdefault(table, []).extend(damaged)
                self._take_back(table)
                if damaged:
                    raise StoreError("the disk failed: not every file of what was inserted could be written")

    def settle(self) -> None:
        """Take back what could not be at once: whoever reads before would take rows for stored that the next start does not find. Raises StoreError."""
        for table in [table for table, broken in self._broken.items() if broken]:
            with self._of[table].guard:
                self._take_back(table)

    def _directory(self, table: str) -> Path:
        sql = "SELECT data_paths[1] FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
        return Path(self._query(sql, {"table": table})[0][0])

    def _take_back(self, table: str) -> None:
        broken = self._broken[table]
        while broken:
            try:
                self._command(f"ALTER TABLE {table} DROP PART '{broken[0]}'")
            except StoreError as error:
                if _MERGED_MEANWHILE not in str(error):
                    raise
            del broken[0]


class Watch:
    """Knows which parts of one table were looked at. `guard` is held from before an insert until its part was looked at."""

    def __init__(self, table: Path) -> None:
        """`table` is its directory. What is there now was read when the engine started."""
        self.guard = threading.Lock()
        self._table = table
        self._seen: set[str] = set()
        self._last: dict[str, int] = {}  # partition -> its last block
        self._new()

    def look(self) -> list[str]:
        """The parts of inserts since the last look that are not whole. They begin behind all that were there before; others were merged of those."""
        last = self._last.copy()
        inserted = [part for part in self._new() if int(part["first"]) > last.get(part["partition"], -1)]
        return [part[0] for part in inserted if not _whole(self._table / part[0])]

    def _new(self) -> list[re.Match[str]]:
        there = {name: found for name in os.listdir(self._table) if (found := _PART.fullmatch(name))}
        new = [found for name, found in there.items() if name not in self._seen]
        self._seen = set(there)
        for part in new:
            self._last[part["partition"]] = max(int(part["last"]), self._last.get(part["partition"], -1))
        return new


def _whole(part: Path) -> bool:
    """Tell whether no file of a part is empty that must not be. What is gone meanwhile was merged into another."""
    try:
        with os.scandir(part) as entries:
            return all(
                _whole(Path(entry.path)) if entry.is_dir() else entry.name.endswith(_MAY_BE_EMPTY) or entry.stat().st_size > 0
                for entry in entries
            )
    except FileNotFoundError:
        return True
