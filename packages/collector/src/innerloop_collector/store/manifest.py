"""A backup as it lies on a disk: Parquet files, and a manifest that says what they hold. May import: msgspec, files, errors.

The manifest is written last and replaced whole, so that it never names a file that is not there and whole.
"""

import hashlib
from pathlib import Path

import msgspec

from innerloop_collector.errors import UsageError
from innerloop_collector.store.files import write_private

NAME = "manifest.json"
FORMAT = 1


class File(msgspec.Struct, frozen=True):
    """A Parquet file."""

    path: str
    table: str
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    format: int
    made: str  # an instant, UTC
    collector: str  # version
    engine: str  # version
    position: int  # events up to this position are in it
    secret: bool  # whether the key of the keyed hashes is in it
    columns: dict[str, dict[str, str]]  # table -> column -> type
    files: list[File]
    fingerprint: str = ""  # of that key, also where it is left out; empty: made by a version that did not write it down
    journal: File | None = None  # of erasures, as it was at least; none: nobody was erased, or made by a version that did not write it down

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)


def read(directory: Path) -> Manifest:
    """Read a backup's manifest. Raises UsageError."""
    try:
        found = msgspec.json.decode((directory / NAME).read_bytes(), type=Manifest)
    except OSError as error:
        raise UsageError(f"{directory} is no backup: {NAME} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(f"{directory / NAME} is damaged: {error}") from error
    if found.format != FORMAT:
        raise UsageError(
            f"{directory} has format {found.format}, and this version knows {FORMAT}; restore it with the version that made it"
        )
    return found


def write(directory: Path, manifest: Manifest) -> None:
    """Write a backup's manifest, whole and durably."""
    write_private(directory / NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def put(directory: Path, name: str, table: str, rows: int, content: bytes) -> File:
    """Write a file of a backup durably."""
    write_private(directory / name, content)
    return file_of(name, table, rows, content)


def file_of(name: str, table: str, rows: int, content: bytes) -> File:
    """What a manifest says of a file."""
    return File(name, table, rows, len(content), hashlib.sha256(content).hexdigest())


def begins_as(content: bytes, file: File) -> bool:
    """Tell whether a file that only ever grows has what a manifest says of it."""
    return file_of(file.path, file.table, file.rows, content[: file.bytes]) == file


def content_of(directory: Path, file: File) -> bytes:
    """Read a file of a backup. Raises UsageError where it is not what the manifest says."""
    try:
        content = (directory / file.path).read_bytes()
    except OSError as error:
        raise UsageError(f"{directory / file.path} cannot be read: {error.strerror}") from error
    if len(content) != file.bytes or hashlib.sha256(content).hexdigest() != file.sha256:
        raise UsageError(f"{directory / file.path} is damaged: it is not what {NAME} says; use another backup")
    return content
