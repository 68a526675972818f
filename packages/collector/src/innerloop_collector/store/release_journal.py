"""The journal of releases: every release once more, outside the store, so that a restored store publishes no other numbers than were published.

DIR/releases.log and its copies, which lie beside those of the erasure journal. A line is a digest and a release as JSON. Lines are only ever
added, and are on the disk before the release is in the store. A line that a kill cut off is no release: its end is missing.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from innerloop_collector.config.files import open_plain, read_plain, sync_directory
from innerloop_collector.errors import StoreError

_MOST_BYTES = 16_000_000_000  # of a journal; a release takes some 10,000
_BLOCK = 65_536
_DIGEST = 16  # hexadecimal digits at the beginning of a line
_log = structlog.get_logger()


FIGURES = "figures"  # the kind of a release that has no other


class Released(NamedTuple):
    """A release as it is stored."""

    project: str
    unit: str  # `2026-W48`; of a kind other than figures: `KIND/NAME`
    document: str  # JSON

    @property
    def kind(self) -> str:
        """What it is a release of."""
        return kind_of(self.unit)


def kind_of(unit: str) -> str:
    """What a unit is a release of."""
    kind, named, _ = unit.partition("/")
    return kind if named else FIGURES


class ReleaseJournal:
    """DIR/releases.log and its copies."""

    def __init__(self, path: Path, copies: Sequence[Path], of_what: Callable[[str], tuple[str, str]]) -> None:
        """`of_what` tells project and unit of a document; it raises ValueError for what is none."""
        self._path = path
        self._copies = [copy.with_name(f"{copy.name}.releases") for copy in copies]
        self._of_what = of_what

    def read(self) -> dict[tuple[str, str], Released]:
        """Every release in it, and in the copies that can be read. Raises StoreError where the journal itself is damaged or cannot be read."""
        found: dict[tuple[str, str], Released] = {}
        for number, path in enumerate((self._path, *self._copies)):
            try:
                for one in self._lines(path):
                    found.setdefault((one.project, one.unit), one)
            except StoreError as error:
                if not number:
                    raise
                _log.error("a copy of the release journal cannot be read", copy=number, error=str(error))
        return found

    def add(self, releases: Sequence[Released]) -> None:
        """Write releases down. Raises StoreError where the journal itself cannot be written; a copy may be away."""
        for number, path in enumerate((self._path, *self._copies)):
            try:
                _append(path, [one.document for one in releases])
            except OSError as error:
                if not number:
                    raise StoreError(f"cannot write {self._path}: {error.strerror}") from error
                _log.error("a copy of the release journal cannot be written", copy=number, error=error.strerror)

    def complete(self, releases: Sequence[Released]) -> None:
        """Add what the journal, or a copy that is within reach again, misses. Raises StoreError."""
        for number, path in enumerate((self._path, *self._copies)):
            try:
                there = {(one.project, one.unit) for one in self._lines(path)}
                _append(path, [one.document for one in releases if (one.project, one.unit) not in there])
            except (OSError, StoreError) as error:
                if not number:
                    raise StoreError(f"cannot write {self._path}: {error}") from error
                _log.error("a copy of the release journal cannot be completed", copy=number, error=str(error))

    def _lines(self, path: Path) -> list[Released]:
        try:
            content = read_plain(path, _MOST_BYTES)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}; without it a restored store could publish other numbers") from error
        *lines, _cut_off = content.split(b"\n")
        return [self._read(path, number, line) for number, line in enumerate(lines, 1) if line]

    def _read(self, path: Path, number: int, line: bytes) -> Released:
        digest, _, document = line.partition(b" ")
        try:
            if digest.decode("ascii") != _digest_of(document):
                raise ValueError
            text = document.decode()
            return Released(*self._of_what(text), text)
        except ValueError as error:
            raise StoreError(
                f"line {number} of {path} is damaged, and what it published must not be computed again; put the file back from a copy or a backup"
            ) from error


def _append(path: Path, documents: Sequence[str]) -> None:
    """Add lines, and see them to the disk. What a kill left of a line is cut off before. Raises OSError."""
    if not documents:
        return
    with os.fdopen(open_plain(path, os.O_RDWR | os.O_CREAT), "r+b") as file:
        file.seek(file.truncate(_whole(file.fileno())))
        file.write(b"".join(f"{_digest_of(one.encode())} {one}\n".encode() for one in documents))
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)


def _whole(descriptor: int) -> int:
    """How far a file's lines are whole. Only its end is read: it grows for as long as there is a collector."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - _BLOCK)
        if place := os.pread(descriptor, end - begin, begin).rfind(b"\n") + 1:
            return begin + place
        end = begin
    return 0


def _digest_of(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()[:_DIGEST]
