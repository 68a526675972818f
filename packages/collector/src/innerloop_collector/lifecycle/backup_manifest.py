# ruff: noqa: PLC0415 - a collector that reads no backup need not load pyarrow
"""A backup as it lies on a disk: Parquet files, and a manifest that says what they hold.

The manifest is written last and replaced whole, so that it never names a file that is not there and whole. Whoever reads one trusts none of
it: a backup may come from anywhere. Every name in it is a table or column of this version's schema, or a plain file name.
"""

import errno
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from innerloop_collector.config.files import read_plain, write_private
from innerloop_collector.db import schema
from innerloop_collector.errors import UsageError

NAME = "manifest.json"
FORMAT = 1
_LEFT_OUT = {"probes", "leases", "schema_version", "clock"}  # they are about the place where a store is
TABLES = {table.name: dict(table.columns) for table in schema.tables() if table.name not in _LEFT_OUT}
_MOST_BYTES = 16_000_000  # of a manifest; a file of 500,000 rows takes some 200
_FILE = re.compile(r"[a-z0-9_-]+(?:\.[0-9]+)?\.parquet")
_UNPRINTABLE = re.compile(r"[^ -~]")

Amount = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Version = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9.+-]{1,60}\Z")]


class File(msgspec.Struct, frozen=True):
    """A Parquet file, or the journal."""

    path: str
    table: str
    rows: Amount
    bytes: Amount
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    format: int
    made: str  # an instant, UTC
    collector: _Version
    engine: _Version
    position: Amount  # events up to this position are in it
    secret: bool  # whether the key of the keyed hashes is in it
    columns: dict[str, dict[str, str]]  # table -> column -> type
    files: list[File]
    fingerprint: Annotated[str, msgspec.Meta(pattern=r"\A(?:[0-9a-f]{32})?\Z")] = ""
    # of that key, also where it is left out; empty: made by a version that did not write it down
    journal: File | None = None  # of erasures, as it was at least; none: nobody was erased, or made by a version that did not write it down
    throw_away: str | None = (
        None  # the mark of a store that was made to try things, with its simulated time where it has one; none: it is kept
    )

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)


def read(directory: Path) -> Manifest:
    """Read a backup's manifest, whole or not at all. Raises UsageError."""
    try:
        content = read_plain(directory / NAME, _MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{directory} is no backup: {NAME} cannot be read ({error.strerror})") from error
    try:
        version = msgspec.json.decode(content, type=_Format).format
        found = msgspec.json.decode(content, type=Manifest) if version == FORMAT else None
        wrong = next(_wrong(found), None) if found else None
    except RecursionError:
        raise _damaged(directory, "it is nested too deep") from None
    except ValueError as error:
        raise _damaged(directory, _UNPRINTABLE.sub("?", str(error))[:200]) from error
    if found is None:
        raise UsageError(f"{directory} has format {version}, and this version knows {FORMAT}; restore it with the version that made it")
    if wrong is not None:
        raise _damaged(directory, wrong)
    return found


def _damaged(directory: Path, why: str) -> UsageError:
    return UsageError(f"{directory / NAME} is damaged: {why}; use another backup")


class _Format(msgspec.Struct, frozen=True):
    """Of a manifest, what says how to read the rest."""

    format: int


class _Made(msgspec.Struct, frozen=True):
    """Of a manifest of any format, when it was made."""

    made: str


def made(directory: Path) -> datetime | None:
    """When a backup was made, by whichever version. None: it is none."""
    try:
        return datetime.fromisoformat(msgspec.json.decode(read_plain(directory / NAME, _MOST_BYTES), type=_Made).made)
    except (OSError, ValueError, RecursionError):
        return None


def _wrong(found: Manifest) -> Iterator[str]:
    """What a manifest says that no backup of a store has."""
    for moment in filter(str.strip, (found.made, found.throw_away or "")):
        datetime.fromisoformat(moment.strip())
    for name, columns in found.columns.items():
        if name not in TABLES:
            yield f"it names a table that no store of this version has: {_shown(name)} (made by {found.collector})"
        elif strange := columns.keys() - TABLES[name].keys():
            yield f"{name} has a column that no store of this version has: {_shown(min(strange))} (made by {found.collector})"
    paths = [file.path for file in found.files]
    if len(set(paths)) < len(paths):
        yield "it names a file twice"
    for file in found.files:
        if not _FILE.fullmatch(file.path):
            yield f"it names a file that no backup has: {_shown(file.path)}"
        if file.table not in found.columns:
            yield f"it has a file of a table that it does not describe: {_shown(file.table)}"


def _shown(name: str) -> str:
    """A name that anybody may have written, safe to print."""
    return ascii(name[:40])


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


def content_of(directory: Path, found: Manifest, file: File) -> bytes:
    """Read a file of a backup. Raises UsageError where it is not what the manifest says."""
    path = directory / file.path
    try:
        content = read_plain(path, file.bytes)
    except OSError as error:
        what = f"is damaged: it is not what {NAME} says; use another backup" if error.errno == errno.EFBIG else None
        raise UsageError(f"{path} {what or f'cannot be read: {error.strerror}'}") from error
    if len(content) != file.bytes or hashlib.sha256(content).hexdigest() != file.sha256:
        raise UsageError(f"{path} is damaged: it is not what {NAME} says; use another backup")
    from innerloop_collector.lifecycle import parquet_files

    try:
        rows, names = parquet_files.look(content)
    except UsageError as error:
        raise UsageError(f"{path} is damaged: {error}; use another backup") from error
    if rows != file.rows or not found.columns[file.table].keys() <= names:
        raise UsageError(f"{path} is damaged: its rows and columns are not those that {NAME} says; use another backup")
    return content
