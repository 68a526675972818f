"""Looks whether the embedded engine wrote a table's parts whole.

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
    partition: str
    first: int
    last: int

    def holds(self, other: "Part") -> bool:
        """Tell whether this part takes the place of another."""
        return self.partition == other.partition and self.first <= other.first and other.last <= self.last


_Seen = dict[tuple[str, int], Part]  # by name and inode: the engine may make a part again under the name of one that was not whole


class TablePartsCheck:
    """Knows which parts of one table were looked at. `guard` is held from before an insert until its part was looked at, and while a table is mended."""

    def __init__(self, directory: Path) -> None:
        """`directory` is the table's. What is there now was not inserted under this watch."""
        self.guard = threading.RLock()
        self.taken_back: list[Part] = []  # inserted, not whole, and to be taken back
        self.unread: list[Part] = []  # merged or mutated and not whole: the table is to be read again
        self.lost: list[
            Part
        ] = []  # not whole, with nothing left of what they replaced: readable for as long as the table is not read again
        self.unlooked = False  # whether a look failed
        self.away = False  # detached
        self.depends = False  # whether what depends on the table is still to be told that it was read again
        self._directory = directory
        self._seen: _Seen = {}  # at the last whole look
        there = self._there()
        self.unread += self._damaged(there.values())
        self._seen = there

    @property
    def unwell(self) -> bool:
        """Tell whether something is to be mended before anybody reads."""
        return bool(self.unlooked or self.taken_back or self.unread or self.depends)

    def look(self) -> bool:
        """Look at what is new since the last look; tell whether a part of an insert is not whole. Raises StoreError; the next look then has the same to see.

        Inserted parts begin behind all that were there before. Others were merged of those.
        """
        self.unlooked = True
        there = self._there()
        damaged = self._damaged(part for key, part in there.items() if key not in self._seen)
        inserted = [part for part in damaged if part.first > self._last_of(part.partition)]
        self.taken_back += inserted
        self.unread += [part for part in damaged if part not in inserted]
        self._seen = there
        self.unlooked = False
        return bool(inserted)

    def has_replaced(self, broken: Part) -> bool:
        """Tell whether what a part replaced is all on the disk, and whole. Raises StoreError.

        It is removed together, a minute after it was replaced; so it is all there where it begins and ends as the part does. Blocks in between may
        never have been.
        """
        inside = [part for part in self._there().values() if part.name != broken.name and broken.holds(part)]
        damaged = self._damaged(part for part in inside if part.first == broken.first or part.last == broken.last)
        whole = [part for part in inside if part not in damaged]
        return any(part.first == broken.first for part in whole) and any(part.last == broken.last for part in whole)

    def _last_of(self, partition: str) -> int:
        return max((part.last for part in self._seen.values() if part.partition == partition), default=-1)

    def _there(self) -> _Seen:
        found: _Seen = {}
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    key = entry.name, entry.inode()
                    if part := self._seen.get(key) or _part(entry.name):
                        found[key] = part
        except OSError as error:
            raise _unreadable(error) from error
        return found

    def _damaged(self, parts: Iterable[Part]) -> list[Part]:
        try:
            return [part for part in parts if not _whole(self._directory / part.name)]
        except OSError as error:
            raise _unreadable(error) from error


def _part(name: str) -> Part | None:
    found = _PART.fullmatch(name)
    return Part(name, found["partition"], int(found["first"]), int(found["last"])) if found else None


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
