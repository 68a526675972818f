"""Looks whether the embedded engine wrote a table's parts whole. May import: errors.

Where a write of one of a part's small files fails, the engine goes on as if it had not (seen with `count.txt`, `primary.cidx`, marks and
`checksums.txt`, and EIO): the insert or merge succeeds, the rows can be read, and the next start sets the part aside as broken, or its
projection. Such a file is empty. Files of columns may be: a column that holds nothing but its default is written so.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from innerloop_collector.errors import StoreError

_PART = re.compile(r"(?P<partition>[0-9A-Za-z]+)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")
_ROWS = "count.txt"
_MAY_BE_EMPTY = ".bin"


class Part(NamedTuple):
    """A part, by its name: the blocks of a partition that were merged into it. One that was inserted is a block of its own."""

    name: str
    inode: int  # the engine may make a part again under the name of one that was not whole
    partition: str
    first: int
    last: int

    def holds(self, other: "Part") -> bool:
        """Tell whether this part takes the place of another."""
        return self.partition == other.partition and self.first <= other.first and other.last <= self.last


class Watch:
    """Knows which parts of one table were looked at. `guard` is held from before an insert until its part was looked at, and while a table is mended."""

    def __init__(self, directory: Path) -> None:
        """`directory` is the table's. What is there now was not inserted under this watch."""
        self.guard = threading.RLock()
        self.taken_back: list[Part] = []  # inserted, not whole, and to be taken back
        self.unread: list[Part] = []  # merged or mutated and not whole: the table is to be read again
        self.unlooked = False  # whether an insert or a look was not followed by a whole look
        self.away = False  # detached
        self.depends = False  # whether what depends on the table is still to be told that it was read again
        self._directory = directory
        self._seen: set[Part] = set()  # at the last whole look
        there = self._there()
        self.unread += self._damaged(there)
        self._seen = there

    def look(self) -> bool:
        """Look at what is new since the last look; tell whether a part of an insert is not whole. Raises StoreError; the next look then has the same to see.

        Inserted parts begin behind all that were there before. Others were merged of those.
        """
        self.unlooked = True
        there = self._there()
        damaged = self._damaged(there - self._seen)
        last: dict[str, int] = {}
        for part in self._seen:
            last[part.partition] = max(part.last, last.get(part.partition, -1))
        inserted = [part for part in damaged if part.first > last.get(part.partition, -1)]
        self.taken_back += inserted
        self.unread += [part for part in damaged if part not in inserted]
        self._seen = there
        self.unlooked = False
        return bool(inserted)

    def replaced(self, broken: Part) -> list[Part]:
        """What a part took the place of, as far as it is on the disk: the largest parts that lie in it. Raises StoreError."""
        inside = [part for part in self._there() if part.name != broken.name and broken.holds(part)]
        return [part for part in inside if not any(other.holds(part) and not part.holds(other) for other in inside)]

    def _there(self) -> set[Part]:
        try:
            with os.scandir(self._directory) as entries:
                return {part for entry in entries if (part := _part(entry))}
        except OSError as error:
            raise _unreadable(error) from error

    def _damaged(self, parts: Iterable[Part]) -> list[Part]:
        try:
            return [part for part in parts if not _whole(self._directory / part.name)]
        except OSError as error:
            raise _unreadable(error) from error


def _part(entry: "os.DirEntry[str]") -> Part | None:
    found = _PART.fullmatch(entry.name)
    return Part(entry.name, entry.inode(), found["partition"], int(found["first"]), int(found["last"])) if found else None


def _whole(part: Path) -> bool:
    """Tell whether no file of a part is empty that must not be. One without rows has nothing to lose, and what is gone meanwhile was merged."""
    try:
        if all(name.endswith(_MAY_BE_EMPTY) or size > 0 for name, size in _files(part)):
            return True
        return (part / _ROWS).read_text() == "0"
    except FileNotFoundError:
        return not part.exists()


def _files(part: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(part) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry.path))
            else:
                yield entry.name, entry.stat().st_size


def _unreadable(error: OSError) -> StoreError:
    return StoreError(f"the store's files cannot be read: {error.strerror}")
