# ruff: noqa: PLC0415 - a collector that erases from no backup need not load pyarrow
"""The backups that were made of this store: what is erased or past its time goes from them as well.

DIR/backups.json says where they are, and so does a copy in each that is within reach, for a store that is put back. One that is within
reach is rewritten without the rows, file by file; of one that is not, nothing can be proven, and the journal of erasures keeps its rows
from coming back.
"""

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import structlog

from innerloop_collector.config.files import read_plain, write_private
from innerloop_collector.errors import CollectorError, UsageError
from innerloop_collector.lifecycle import backup_manifest, erasure_journal
from innerloop_collector.store.tombstones import Tombstone

NAME = "backups.json"
_MOST_BYTES = 16_000_000
_log = structlog.get_logger()

if TYPE_CHECKING:
    from innerloop_collector.lifecycle.parquet_files import Due


class Reach(StrEnum):
    """What became of rows in the backups."""

    ERASED = "erased"
    NOT_PROVABLE = "not provable"  # a backup is not where it was made


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place where a backup was made, or where one is being made."""

    path: Annotated[str, msgspec.Meta(pattern=r"^/[^\x00]*$")]
    made: str  # an instant, UTC; empty: none is whole yet
    begun: str = ""  # an instant, UTC: one is being made, or was when the process ended; empty: none is


class Backups:
    """Knows the backups of a store."""

    def __init__(self, path: Path, promised: Callable[[], Mapping[str, int]]) -> None:
        self._path = path
        self._promised = promised
        self._guard = threading.RLock()  # held from reading the list to writing it

    def known(self) -> list[Known]:
        """Every backup that was made and not said to be gone. Raises UsageError where the list cannot be read."""
        return read(self._path)

    def begin(self, directory: Path, begun: str) -> None:
        """Remember that a backup is being made. One that was made there before is remembered too: it may be elsewhere by now."""
        with self._guard:
            earlier = next((one.made for one in self.known() if one.path == str(directory)), "")
            self.learn([Known(str(directory), earlier, begun)])

    def reconcile(self) -> list[Known]:
        """See what became of the backups that were begun, and take away what is not whole. Nobody makes one meanwhile."""
        with self._guard:
            known = self.known()
            reconciled = [found for one in known if (found := _reconciled(one)) is not None]
            if reconciled != known:
                self._write(reconciled)
            return reconciled

    def learn(self, more: Iterable[Known]) -> None:
        """Remember backups that another list names."""
        with self._guard:
            known = {one.path: one for one in [*self.known(), *more]}
            self._write(list(known.values()))

    def copy_to(self, directory: Path) -> None:
        """Write down in a backup which ones there are, it among them."""
        whole = [Known(one.path, one.begun or one.made) for one in self.known()]
        write_private(directory / NAME, msgspec.json.encode(whole))

    def drop(self, directory: Path) -> bool:
        """Forget a backup that a person says is gone."""
        with self._guard:
            known = self.known()
            left = [found for one in known if (found := one if one.path != str(directory) else _without_earlier(one)) is not None]
            self._write(left, gone=str(directory))
            return left != known

    def erase(self, gone: Callable[[Collection[int]], set[int]], tombstones: Iterable[Tombstone], today: date) -> Reach | None:
        """Rewrite every backup without the rows of some installations, and without what is past its time. None: there is no backup."""
        try:
            known = self.reconcile()
        except UsageError:
            _log.error(
                "the list of backups cannot be read, so nothing can be proven of those that it names; see: innerloop-collector check"
            )
            return Reach.NOT_PROVABLE
        if not known:
            return None
        from innerloop_collector.lifecycle.parquet_files import Due

        tombstones_of_the_store, due = list(tombstones), Due(gone, today, self._promised())
        erased = [not one.begun and _erase(Path(one.path), due, tombstones_of_the_store) for one in known]
        return Reach.ERASED if all(erased) else Reach.NOT_PROVABLE

    def _write(self, known: list[Known], gone: str = "") -> None:
        write_private(self._path, msgspec.json.encode(known))
        whole = [Known(one.path, one.made) for one in known if one.made]
        for one in whole:
            _tell(Path(one.path), whole, gone)


def read(path: Path) -> list[Known]:
    """The backups that a list names; none where there is no such file. Raises UsageError."""
    try:
        return msgspec.json.decode(read_plain(path, _MOST_BYTES), type=list[Known])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is damaged ({error}), so nothing is known of the backups that it named; "
            f"copy the {NAME} of the newest backup over it, or remove it if there is no backup"
        ) from error


def read_in_a_backup(directory: Path) -> list[Known]:
    """The backups that the list in a backup names. It knows whole ones only, and no word of it has anything removed. Raises UsageError."""
    return [Known(one.path, one.made) for one in read(directory / NAME) if one.made]


def _reconciled(one: Known) -> Known | None:
    """What is known once nobody makes a backup there any more. None: nothing was ever whole there."""
    directory = Path(one.path)
    building = unfinished(directory)
    with suppress(OSError):  # out of reach: it stays open
        if one.begun and building.exists():
            shutil.rmtree(building)
            return Known(one.path, one.made) if one.made else None
        if one.begun and (directory / backup_manifest.NAME).exists():
            return Known(one.path, one.begun)
    return one


def _without_earlier(one: Known) -> Known | None:
    """What is left of a place when the backup that was made there is gone: one that is being made."""
    return Known(one.path, "", one.begun) if one.begun and unfinished(Path(one.path)).exists() else None


def _tell(directory: Path, known: list[Known], gone: str) -> None:
    """Bring the list in a backup up to date. It may know of more: a store that was put back from an older one does not."""
    try:
        if (directory / backup_manifest.NAME).exists():
            with _alone(directory):
                listed = {one.path: one for one in [*read(directory / NAME), *known] if one.path != gone}
                write_private(directory / NAME, msgspec.json.encode(list(listed.values())))
    except (CollectorError, OSError) as error:
        _log.warning("the list of backups in a backup cannot be brought up to date", path=str(directory), error=type(error).__name__)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep others from changing a backup: a store that was put back from it knows it as well as the one that made it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def unfinished(directory: Path) -> Path:
    """Where a backup is built before it gets its name."""
    return directory.with_name(directory.name + ".unfinished")


def _erase(directory: Path, due: "Due", tombstones: list[Tombstone]) -> bool:
    """Tell whether nothing of the rows is left in a backup."""
    try:
        with _alone(directory):
            _rewrite(directory, due)
            _add_tombstones(directory, tombstones, due.today)
    except (CollectorError, OSError) as error:
        _log.warning("a backup cannot be rewritten; nothing can be proven of it", path=str(directory), error=type(error).__name__)
        return False
    return True


def _add_tombstones(directory: Path, tombstones: list[Tombstone], today: date) -> None:
    """Write tombstones down in a backup, then in its manifest how its journal is now. One that was damaged stays so by it."""
    path = directory / erasure_journal.NAME
    if os.path.lexists(path):
        read_plain(path, erasure_journal.MOST_BYTES)  # whatever else lies there is not written to
    erasure_journal.append(path, tombstones, today)
    found = backup_manifest.read(directory)
    content = path.read_bytes() if path.exists() else b""
    if content and (found.journal is None or backup_manifest.begins_as(content, found.journal)):
        kept = backup_manifest.file_of(path.name, "", 0, content)
        if kept != found.journal:
            backup_manifest.write(directory, msgspec.structs.replace(found, journal=kept))


def _rewrite(directory: Path, due: "Due") -> None:
    """Make files anew that hold rows that must go, say so in the manifest, then remove the old ones."""
    found = backup_manifest.read(directory)
    files = []
    for file in found.files:
        made = _without(directory, found, file, due) if "installation" in found.columns[file.table] else file
        files.append(made)
    if files != found.files:
        backup_manifest.write(directory, msgspec.structs.replace(found, files=[file for file in files if file is not None]))
    named = {file.path for file in files if file is not None}
    for path in directory.glob("*.parquet*"):  # also what a process left that was killed here
        if path.name not in named:
            path.unlink()


def _without(directory: Path, found: backup_manifest.Manifest, file: backup_manifest.File, due: "Due") -> backup_manifest.File | None:
    """The file without the rows that must go: the same one where there are none, none where nothing is left."""
    from innerloop_collector.lifecycle import parquet_files

    content = backup_manifest.content_of(directory, found, file)
    rows, written = parquet_files.without_rows(content, due)
    if rows == file.rows:
        return file
    if not rows:
        return None
    stem, _, number = file.path.removesuffix(".parquet").partition(".")
    return backup_manifest.put(directory, f"{stem}.{int(number or 0) + 1}.parquet", file.table, rows, written)
