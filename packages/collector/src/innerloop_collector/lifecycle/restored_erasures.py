"""What the journals say that a restore reads: ours, the one in the backup, its copies, and those that are given."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from innerloop_collector.config.files import read_plain
from innerloop_collector.errors import UsageError
from innerloop_collector.lifecycle import backup_manifest, erasure_journal
from innerloop_collector.store.tombstones import Tombstone


def read(
    ours: Path, directory: Path, found: backup_manifest.Manifest, copies: Sequence[Path], without: Sequence[Path], given: Sequence[Path]
) -> Iterator[Tombstone]:
    """What every journal says. Raises UsageError for one that cannot be read: whom it names would come back."""
    theirs = directory / erasure_journal.NAME
    lost = {path.absolute() for path in without}
    if strange := lost - {path.absolute() for path in (theirs, *copies)}:
        raise UsageError(f"{min(strange)} is no journal that would be read: it is neither {theirs} nor in backup.journals")
    if theirs.absolute() not in lost:
        mend = f"use another backup, or give a newer journal with --erasures FILE and say --without-journal {theirs}"
        yield from _grown(theirs, found.journal, mend) if found.journal else _if_there(theirs, mend)
    yield from _if_there(ours, "fix that, or move it elsewhere")
    for path in copies:
        if path.absolute() not in lost:
            yield from _named(path, f"mount its disk; if it is lost, or nobody was ever erased, say --without-journal {path}", plain=True)
    for path in given:
        yield from _named(path, "correct --erasures")


def _grown(path: Path, known: backup_manifest.File, mend: str) -> list[Tombstone]:
    """The journal in a backup, of which the manifest knows how it begins."""
    content = _content(path, mend, plain=True)
    if not backup_manifest.begins_as(content, known):
        raise _unread(path, f"it is not what {backup_manifest.NAME} says", mend)
    return _tombstones(path, content, mend)


def _named(path: Path, mend: str, *, plain: bool = False) -> list[Tombstone]:
    """A journal that must be there. The first erasure makes it, so that one without any is none, or was lost."""
    content = _content(path, mend, plain=plain)
    if not erasure_journal.tombstones_in(content):
        raise _unread(path, "no erasure is in it", mend)
    return _tombstones(path, content, mend)


def _if_there(path: Path, mend: str) -> list[Tombstone]:
    if not os.path.lexists(path) and path.parent.is_dir():
        return []
    return _tombstones(path, _content(path, mend, plain=True), mend)


def _tombstones(path: Path, content: bytes, mend: str) -> list[Tombstone]:
    """What a journal says, where every line of it is one."""
    if number := erasure_journal.strange_line(content):
        raise _unread(path, f"its line {number} is none of a journal", mend)
    return erasure_journal.tombstones_in(content)


def _content(path: Path, mend: str, *, plain: bool = False) -> bytes:
    """Read a journal. One that nobody names now must be a plain file."""
    try:
        return read_plain(path, erasure_journal.MOST_BYTES) if plain else path.read_bytes()
    except OSError as error:
        raise _unread(path, error.strerror, mend) from error


def _unread(path: Path, why: str | None, mend: str) -> UsageError:
    return UsageError(f"the journal {path} cannot be read ({why}), and whom it names would come back; {mend}")
