"""The journal of erasures: every tombstone once more, outside the store.

A store that is put back from a backup knows nothing of what was erased since. DIR/erasures.log does, and so do its copies: one in each
backup that is within reach, and those that the configuration names, best on other disks. A line is a day, a project and a mark, from
which nothing leads to an id or to a row. Lines are only ever added, and are on the disk before the tombstone is.
"""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import structlog

from innerloop_collector.config.files import open_plain, read_plain, sync_directory
from innerloop_collector.errors import StoreError
from innerloop_collector.store.tombstones import Tombstone

NAME = "erasures.log"
MOST_BYTES = 1_000_000_000  # some 15 million erasures
_LINE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} ([a-z0-9][a-z0-9._-]{0,39}) ([0-9a-f]{32})")
_CUT_OFF = re.compile(r"[0-9-]{0,10}|[0-9-]{10} [a-z0-9._-]{0,40}|[0-9-]{10} [a-z0-9._-]{1,40} [0-9a-f]{0,31}")
_log = structlog.get_logger()


class Journal:
    """DIR/erasures.log and its copies."""

    def __init__(self, path: Path, copies: Sequence[Path] = ()) -> None:
        self._path = path
        self._copies = copies

    def read(self) -> list[Tombstone]:
        """Every tombstone in it, and in the copies that can be read. Raises StoreError where the journal itself cannot be read."""
        try:
            found = read_if_there(self._path)
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {error.strerror}; without it whom it names would come back") from error
        for number, path in enumerate(self._copies, 1):
            try:
                found += read_if_there(path)
            except OSError as error:
                _log.error("a copy of the erasure journal cannot be read", copy=number, error=error.strerror)
        return list({one.mark: one for one in found}.values())

    def add(self, tombstones: Iterable[Tombstone], day: date) -> None:
        """Write tombstones down. Raises StoreError where the journal itself cannot be written; a copy may be away."""
        missing = list(tombstones)
        try:
            append(self._path, missing, day)
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from error
        for number, path in enumerate(self._copies, 1):
            try:
                append(path, missing, day)
            except OSError as error:
                _log.error("a copy of the erasure journal cannot be written", copy=number, error=error.strerror)


def read(path: Path) -> list[Tombstone]:
    """The tombstones of one file. Raises OSError."""
    return tombstones_in(read_plain(path, MOST_BYTES))


def read_if_there(path: Path) -> list[Tombstone]:
    """The tombstones of one file; none where it was not made yet: the first erasure makes it. Raises OSError where its directory is away."""
    try:
        return read(path)
    except FileNotFoundError:
        if os.path.lexists(path) or not path.parent.is_dir():
            raise
        return []


def tombstones_in(content: bytes) -> list[Tombstone]:
    """The tombstones of a journal. What is cut off or no line of a journal is left out."""
    lines = map(_LINE.fullmatch, _lines(content))
    return [Tombstone(one[1], int(one[2], 16), finished=False) for one in lines if one]


def strange_line(content: bytes) -> int | None:
    """The number of the first line that is none of a journal, nor the beginning of one: there a process was killed. None: there is none."""
    lines = enumerate(_lines(content), 1)
    return next((number for number, line in lines if not (_LINE.fullmatch(line) or _CUT_OFF.fullmatch(line))), None)


def _lines(content: bytes) -> list[str]:
    return content.decode("ascii", "replace").split("\n")


def append(path: Path, tombstones: Iterable[Tombstone], day: date) -> None:
    """Add those that a file does not have yet, and see them to the disk. Raises OSError."""
    known = {one.mark for one in read_if_there(path)}
    new = [one for one in tombstones if one.mark not in known]
    if not new:
        return
    with os.fdopen(open_plain(path, os.O_RDWR | os.O_APPEND | os.O_CREAT), "ab") as file:
        size = file.tell()
        torn = size and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write(b"\n" if torn else b"")
        file.write("".join(f"{day} {one.project} {one.mark:032x}\n" for one in new).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)
