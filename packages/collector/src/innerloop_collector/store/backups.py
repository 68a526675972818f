"""The backups that were made of this store: what is erased or past its time goes from them as well. May import: manifest, journal, the store's erasure and schema.

DIR/backups.json says where they are. One that is within reach is rewritten without the rows, file by file; of one that is not, nothing
can be proven, and the journal of erasures keeps its rows from coming back.
"""

import io
import shutil
from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
import pyarrow as pa
import structlog
from pyarrow import compute, parquet

from innerloop_collector.errors import CollectorError
from innerloop_collector.store import journal, manifest, schema
from innerloop_collector.store.erasure import Tombstone
from innerloop_collector.store.keyed import write_private

_log = structlog.get_logger()


class Reach(StrEnum):
    """What became of rows in the backups."""

    ERASED = "erased"
    NOT_PROVABLE = "not provable"  # a backup is not where it was made


class Known(msgspec.Struct, frozen=True):
    """A backup that was made."""

    path: str
    made: str


class Backups:
    """Knows the backups of a store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self) -> list[Known]:
        """Every backup that was made and not said to be gone."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Known])
        except FileNotFoundError:
            return []

    def add(self, directory: Path, made: str) -> None:
        """Remember a backup."""
        others = [one for one in self.known() if one.path != str(directory)]
        self._write([*others, Known(str(directory), made)])

    def drop(self, directory: Path) -> bool:
        """Forget a backup that a person says is gone."""
        known = self.known()
        left = [one for one in known if one.path != str(directory)]
        self._write(left)
        return len(left) < len(known)

    def erase(self, gone: Callable[[Collection[int]], set[int]], tombstones: Iterable[Tombstone], today: date) -> Reach | None:
        """Rewrite every backup without the rows of some installations, and without what is past its time. None: there is no backup."""
        known = self.known()
        if not known:
            return None
        buried = list(tombstones)
        erased = [self._abandoned(Path(one.path)) or _erase(Path(one.path), gone, buried, today) for one in known]
        return Reach.ERASED if all(erased) else Reach.NOT_PROVABLE

    def _abandoned(self, directory: Path) -> bool:
        """Tell whether a backup was never finished, and take away what is there of it. Nobody makes one meanwhile."""
        building = unfinished(directory)
        if directory.exists() or not building.exists():
            return False
        shutil.rmtree(building, ignore_errors=True)
        return self.drop(directory)

    def _write(self, known: list[Known]) -> None:
        write_private(self._path, msgspec.json.encode(known))


def unfinished(directory: Path) -> Path:
    """Where a backup is built before it gets its name."""
    return directory.with_name(directory.name + ".unfinished")


def _erase(directory: Path, gone: Callable[[Collection[int]], set[int]], tombstones: list[Tombstone], today: date) -> bool:
    """Tell whether nothing of the rows is left in a backup."""
    try:
        _rewrite(directory, gone, today)
        journal.append(directory / journal.NAME, tombstones, today)
    except (CollectorError, OSError, pa.ArrowException) as error:
        _log.warning("a backup cannot be rewritten; nothing can be proven of it", path=str(directory), error=type(error).__name__)
        return False
    return True


def _rewrite(directory: Path, gone: Callable[[Collection[int]], set[int]], today: date) -> None:
    """Make files anew that hold rows that must go, say so in the manifest, then remove the old ones."""
    found = manifest.read(directory)
    files = []
    for file in found.files:
        made = _without(directory, file, gone, today) if "installation" in found.columns[file.table] else file
        files.append(made)
    if files != found.files:
        manifest.write(directory, msgspec.structs.replace(found, files=[file for file in files if file is not None]))
    named = {file.path for file in files if file is not None}
    for path in directory.glob("*.parquet*"):  # also what a process left that was killed here
        if path.name not in named:
            path.unlink()


def _without(directory: Path, file: manifest.File, gone: Callable[[Collection[int]], set[int]], today: date) -> manifest.File | None:
    """The file without the rows that must go: the same one where there are none, none where nothing is left."""
    content = manifest.content_of(directory, file)
    table = parquet.read_table(io.BytesIO(content))
    kept = table.filter(compute.invert(_doomed(table, gone, today)))
    if kept.num_rows == table.num_rows:
        return file
    if not kept.num_rows:
        return None
    written = io.BytesIO()
    parquet.write_table(kept, written, compression="zstd")
    stem, _, number = file.path.removesuffix(".parquet").partition(".")
    return manifest.put(directory, f"{stem}.{int(number or 0) + 1}.parquet", file.table, kept.num_rows, written.getvalue())


def _doomed(table: pa.Table, gone: Callable[[Collection[int]], set[int]], today: date) -> pa.ChunkedArray:
    """Which rows must go."""
    column = table.column("installation")
    held = {int.from_bytes(value, "little") for value in compute.unique(column).to_pylist()}
    values = pa.array([one.to_bytes(16, "little") for one in gone(held)], column.type)
    doomed = compute.is_in(column, value_set=values)
    if "keep_until" in table.column_names:
        return compute.or_(doomed, compute.less(table.column("keep_until"), pa.scalar(today, pa.date32())))
    if "received_day" in table.column_names:
        first = today - timedelta(days=schema.QUARANTINE_DAYS)
        return compute.or_(doomed, compute.less_equal(table.column("received_day"), pa.scalar(first, pa.date32())))
    return doomed
