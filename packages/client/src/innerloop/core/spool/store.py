"""The runs of a spool as files: list them, read them, move one from one place to the next.

Every step is a rename or a write of 32 bytes, ordered so that a crash between two steps repeats work and
loses nothing.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from innerloop.core.shared import files, untrusted
from innerloop.core.spool import entries, facts
from innerloop.core.spool.entries import DROPPED, PLACES, RUNS, TARGETS, ids

__all__ = ["DROPPED", "PLACES", "RUNS", "TARGETS", "ids"]
LARGEST_RECORD, LARGEST_SEALED = 1 << 16, 4 << 20  # bytes of a run's file: 51 events of 32 KB, and some
ORPHAN_AFTER = 60  # s: a record without a lock is a killed launcher's
LOCKLESS_ORPHAN_AFTER = 86400  # s
WITHDRAWN = "withdrawn"  # the reason of a drop that no answer covers any more
LATEST = 1 << 34  # s since 1970: no later moment is one


class Damaged(ValueError):
    """A run's file is none of ours or cannot be read: the message says why."""


class Sealed(NamedTuple):
    """A run whose events have their final bytes."""

    id: str
    release: float  # not sent before this moment (s since 1970), so that delivery says nothing about the run
    serial: str
    test: str
    name: str  # as typed: for the developer's eyes
    root: str  # the project file that it was run under
    events: "tuple[bytes, ...]"

    def encode(self) -> bytes:
        """The file's bytes: a line for us, then each event as it will stand on the wire."""
        head = {"release": self.release, "serial": self.serial, "test": self.test, "name": self.name, "root": self.root}
        return b"\n".join([json.dumps(head).encode(), *self.events, b""])


def note(spool: str, journal: str, run_ids: "list[str]") -> None:
    """Add runs to a journal. Pages are a multiple of an entry's 32 bytes, so that a kill tears none."""
    if run_ids:
        files.append(f"{spool}/{journal}", "".join(run_ids).replace("-", "").encode(), durable=True)


def drop(spool: str, place: str, run_id: str, reason: str) -> None:
    """Delete a run that will not be sent, and count it under a reason; on a full disk that makes the room for the count."""
    try:
        note(spool, DROPPED + reason, [run_id])
    except OSError as error:
        if error.errno not in files.FULL:
            raise
        discard(spool, place, run_id)
        note(spool, DROPPED + reason, [run_id])
    for beside in (f"run/{run_id}.git", f"quarantine/{run_id}.reason"):
        files.remove(f"{spool}/{beside}")
    if reason == WITHDRAWN:
        files.remove(f"{spool}/{TARGETS}/{run_id}")
    discard(spool, place, run_id)


def discard(spool: str, place: str, run_id: str) -> None:
    """Delete a run's file, whatever stands in its place."""
    try:
        files.clear(f"{spool}/{place}/{run_id}")
    except OSError:  # somebody else's directory
        files.move_aside(f"{spool}/{place}/{run_id}")


def finished(spool: str, now: float) -> "Iterator[tuple[str, facts.RunFacts]]":
    """Yield each run that may be sealed, and its place; one that is unreadable is set aside.

    Besides the finished ones these are those whose launcher was killed: no lock, and older than a minute.
    """
    for place in ("new", "run"):
        for run_id in ids(spool, place):
            if place == "run" and not abandoned(f"{spool}/run/{run_id}", now, ORPHAN_AFTER):
                continue
            try:
                yield place, read_facts(spool, place, run_id)
            except facts.Unreadable:
                quarantine(spool, place, run_id, "unreadable")
            except FileNotFoundError:
                continue  # it was finished meanwhile: the next look finds it in new/


def read_facts(spool: str, place: str, run_id: str) -> facts.RunFacts:
    """Read one record with git's sidecar. Raises facts.Unreadable or FileNotFoundError."""
    try:
        data = files.read_own(f"{spool}/{place}/{run_id}", LARGEST_RECORD)
    except files.UnusableFile as error:
        raise facts.Unreadable(str(error)) from error
    if data is None:
        raise FileNotFoundError(run_id)
    sidecar = files.read_if_sound(f"{spool}/run/{run_id}.git", LARGEST_RECORD)
    return facts.parse(run_id, data.decode("utf-8", "replace"), sidecar.decode("utf-8", "replace"))


def abandoned(path: str, now: float, after: float = 0) -> bool:
    """Tell whether a record that is not finished has lost its launcher: no lock, and older than `after` (s).

    Where the file system has no locks its age alone tells. What is no file of ours is nobody's record.
    """
    age = 0.0
    try:
        with open(files.open_own(path, os.O_RDWR), "r+b") as file:
            age = now - os.fstat(file.fileno()).st_mtime
            if age < after:
                return False
            os.lockf(file.fileno(), os.F_TEST, 0)
            return True
    except files.UnusableFile:
        return True
    except (BlockingIOError, PermissionError, FileNotFoundError):
        return False  # locked: its launcher lives, or it was finished meanwhile
    except OSError:
        return age > LOCKLESS_ORPHAN_AFTER


def read_sealed(spool: str, run_id: str, place: str = "sealed") -> Sealed:
    """Read a sealed run from `sealed` or `sent`. Raises Damaged, or FileNotFoundError where it is not there."""
    try:
        data = files.read_own(f"{spool}/{place}/{run_id}", LARGEST_SEALED)
    except files.UnusableFile as error:
        raise Damaged(str(error).partition(": ")[2] or "larger than any of ours") from error
    if data is None:
        raise FileNotFoundError(run_id)
    head, *events = data.split(b"\n")
    try:
        values = untrusted.parse_object(head)
        for event in events[:-1]:
            untrusted.parse_object(event)
        release, serial, test, name, root = (values[key] for key in ("release", "serial", "test", "name", "root"))
    except (ValueError, KeyError) as error:
        raise Damaged("damaged") from error
    sound = untrusted.is_number(release, LATEST) and release >= 0 and all(isinstance(text, str) for text in (serial, test, name, root))
    if not sound or not (root == "" or facts.is_plain(root)) or not events[:-1]:
        raise Damaged("damaged")
    return Sealed(run_id, float(release), serial, test, name, root, tuple(events[:-1]))


def sealed(spool: str) -> "Iterator[Sealed]":
    """Yield the sealed runs; one that is damaged is set aside."""
    for run_id in ids(spool, "sealed"):
        try:
            yield read_sealed(spool, run_id)
        except FileNotFoundError:
            continue  # acknowledged or purged meanwhile
        except Damaged as error:
            quarantine(spool, "sealed", run_id, str(error))


def modified(path: str) -> float:
    """When a file was last written (s since 1970); 0 where it is gone."""
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0


def acknowledge(spool: str, run_ids: "list[str]", journal: str = "acknowledged") -> int:
    """Every event of these runs was acknowledged: note it, and keep the copies that show what left. Returns how many there were."""
    there = [run_id for run_id in run_ids if os.path.exists(f"{spool}/sealed/{run_id}")]
    note(spool, journal, there)
    keep_copies(spool, there)
    return len(there)


def keep_copies(spool: str, run_ids: "list[str]") -> None:
    """Keep what left, for its developer to look at."""
    for run_id in run_ids:
        with suppress(FileNotFoundError):  # purged meanwhile
            os.utime(f"{spool}/sealed/{run_id}")
            os.replace(f"{spool}/sealed/{run_id}", f"{spool}/sent/{run_id}")


def quarantine(spool: str, place: str, run_id: str, reason: str) -> None:
    """Set a run aside that was refused or cannot be read, with the reason beside it."""
    files.write(f"{spool}/quarantine/{run_id}.reason", reason.encode())
    aside = f"{spool}/quarantine/{run_id}"
    try:
        if files.fault(f"{spool}/{place}/{run_id}"):
            raise OSError(f"{run_id} is no file of ours")
        os.replace(f"{spool}/{place}/{run_id}", aside)
    except OSError:
        files.write(aside, b"")  # so that the ledger knows where the run is
        if os.path.lexists(f"{spool}/{place}/{run_id}"):
            files.move_aside(f"{spool}/{place}/{run_id}")
    files.remove(f"{spool}/run/{run_id}.git")


def purge(spool: str, now: float) -> int:
    """Delete what was not sent and everything that is no file of ours; returns how many runs waited. Call it under both locks.

    A run that is under way loses its record too: its launcher finds that gone, and forgets it.
    """
    waiting = {(place, run_id) for place in ("new", "sealed") for run_id in ids(spool, place)}
    waiting |= {("run", run_id) for run_id in ids(spool, "run") if abandoned(f"{spool}/run/{run_id}", now)}
    for place, run_id in waiting | {("run", run_id) for run_id in ids(spool, "run")}:
        drop(spool, place, run_id, WITHDRAWN)
    for run_id in ids(spool, TARGETS):  # a recipe that still runs finds none and writes nothing more
        discard(spool, TARGETS, run_id)
    entries.empty(spool)
    return len({run_id for _, run_id in waiting})
