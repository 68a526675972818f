"""The spool as files: make it, list it, move a run from one place to the next.

Every step is a rename or a write of 32 bytes, ordered so that a crash between two steps repeats work and
loses nothing. May import: the standard library, files and facts.
"""

import fcntl
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

from innerloop import files
from innerloop.spool import facts

RUNS = ("run", "new", "sealed", "sent", "quarantine")
TARGETS = "targets"  # the target logs, named like their runs
PLACES = (*RUNS, TARGETS)
PAGE, BALLAST = 4096, 8192  # bytes
ORPHAN_AFTER = 60  # s: a record without a lock is a killed launcher's
LOCKLESS_ORPHAN_AFTER = 86400  # s
KEEP_SENT = 30 * 86400  # s that the copies of what left are kept
WITHDRAWN = "withdrawn"  # the reason of a drop that no answer covers any more
KEEP_LOGS, MOST_LOGS = 30 * 86400, 200  # s that target logs are kept for their developer, and how many


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


def prepare(spool: str, project_file: str) -> None:
    """Make a spool's directories and reserves, and note where its project file is."""
    files.private_directory(os.path.dirname(os.path.dirname(spool)))
    files.private_directory(os.path.dirname(spool))
    files.private_directory(spool)
    for place in PLACES:
        files.private_directory(f"{spool}/{place}")
    for name, size in (("unrecorded", PAGE), ("ballast", BALLAST)):
        if not os.path.exists(f"{spool}/{name}"):
            files.write(f"{spool}/{name}", bytes(size))
    if not os.path.exists(f"{spool}/next"):
        files.write(f"{spool}/next", b"")
        set_next(spool, time.time() + random.uniform(600, 3600))  # noqa: S311
    known = roots(spool)
    if project_file not in known:
        files.write(f"{spool}/roots", "\0".join([*known[-20:], project_file, ""]).encode("utf-8", "surrogateescape"))


def roots(spool: str) -> "list[str]":
    """The project files that this spool was used with, oldest first."""
    data = files.read_own(f"{spool}/roots") or b""
    return data.decode("utf-8", "surrogateescape").split("\0")[:-1]


def set_next(spool: str, moment: float) -> None:
    """Say when delivery is due (s since 1970): the launcher looks at this file's time alone."""
    os.utime(f"{spool}/next", (moment, moment))


def ids(spool: str, place: str) -> "list[str]":
    """The runs in one place."""
    try:
        return sorted(name for name in os.listdir(f"{spool}/{place}") if len(name) == 36)
    except (FileNotFoundError, NotADirectoryError):
        return []


def links(spool: str) -> "list[str]":
    """Which directories of a spool lead elsewhere: a container that shares it may have made them, and we write in here only."""
    return [path for path in (os.path.dirname(spool), spool, *(f"{spool}/{place}" for place in PLACES)) if os.path.islink(path)]


@contextmanager
def locked(spool: str, name: str, wait: bool = True) -> "Iterator[bool]":
    """Hold one of the spool's locks; yields whether it was got.

    Raises files.UnusableFile where the spool leads elsewhere, or where its file system has no locks.
    """
    for path in links(spool):
        raise files.UnusableFile(f"{path} is a symbolic link")
    descriptor = os.open(f"{spool}/{name}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        except OSError as error:
            raise files.UnusableFile(
                f"{spool} is on a file system without locks; set XDG_STATE_HOME to a directory of this machine"
            ) from error
        yield True
    finally:
        os.close(descriptor)


def holders(spool: str, name: str) -> "list[int]":
    """The processes that hold one of the spool's locks, as far as proc(5) shows them: none in another container, none on macOS."""
    found = []
    try:
        wanted = os.stat(f"{spool}/{name}")
        processes = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []
    for process in processes:
        try:
            for descriptor in os.listdir(f"/proc/{process}/fd"):
                if os.path.samestat(os.stat(f"/proc/{process}/fd/{descriptor}"), wanted):
                    with open(f"/proc/{process}/fdinfo/{descriptor}", encoding="ascii") as info:
                        found += [int(process)] if "FLOCK" in info.read() else []
        except OSError:
            continue  # it ended, or is somebody else's
    return found


def note(spool: str, journal: str, run_ids: "list[str]") -> None:
    """Add runs to a journal. Pages are a multiple of an entry's 32 bytes, so that a kill tears none."""
    descriptor = os.open(f"{spool}/{journal}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        data = "".join(run_ids).replace("-", "").encode()
        while data:  # on a nearly full disk a write may be a short one
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def drop(spool: str, place: str, run_id: str, reason: str) -> None:
    """Delete a run that will not be sent, and count it under a reason; on a full disk that makes the room for the count."""
    try:
        note(spool, f"dropped-{reason}", [run_id])
    except OSError as error:
        if error.errno not in files.FULL:
            raise
        files.remove(f"{spool}/{place}/{run_id}")
        note(spool, f"dropped-{reason}", [run_id])
    files.remove(f"{spool}/run/{run_id}.git")
    if reason == WITHDRAWN:
        files.remove(f"{spool}/{TARGETS}/{run_id}")
    files.remove(f"{spool}/{place}/{run_id}")


def finished(spool: str) -> "Iterator[tuple[str, str, Optional[facts.RunFacts]]]":
    """Yield each run that may be sealed: place, id and facts (None where it is unreadable).

    Besides the finished ones these are those whose launcher was killed: no lock, and older than a minute.
    """
    for place in ("new", "run"):
        for run_id in ids(spool, place):
            if place == "run" and not abandoned(f"{spool}/run/{run_id}"):
                continue
            try:
                yield place, run_id, read_facts(spool, place, run_id)
            except facts.Unreadable:
                yield place, run_id, None
            except FileNotFoundError:
                continue  # it was finished meanwhile: the next look finds it in new/


def read_facts(spool: str, place: str, run_id: str) -> facts.RunFacts:
    """Read one record with git's sidecar. Raises facts.Unreadable or FileNotFoundError."""
    # newline: the path of a project may hold a carriage return, which ends no line of a record
    with open(f"{spool}/{place}/{run_id}", encoding="utf-8", errors="replace", newline="\n") as file:
        text = file.read()
    try:
        with open(f"{spool}/run/{run_id}.git", encoding="utf-8", errors="replace") as file:
            sidecar = file.read(65536)
    except FileNotFoundError:
        sidecar = ""
    return facts.parse(run_id, text, sidecar)


def abandoned(path: str, after: float = ORPHAN_AFTER) -> bool:
    """Tell whether a record that is not finished has lost its launcher: no lock, and older than `after` (s).

    Where the file system has no locks its age alone tells.
    """
    age = 0.0
    try:
        with open(path, "r+b") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            if age < after:
                return False
            os.lockf(file.fileno(), os.F_TEST, 0)
            return True
    except (BlockingIOError, PermissionError, FileNotFoundError):
        return False  # locked: its launcher lives, or it was finished meanwhile
    except OSError:
        return age > LOCKLESS_ORPHAN_AFTER


def write_sealed(spool: str, sealed: Sealed) -> None:
    """Write a sealed run; from now on its bytes do not change."""
    files.write(f"{spool}/sealed/{sealed.id}", sealed.encode(), durable=True)


def read_sealed(spool: str, run_id: str, place: str = "sealed") -> Sealed:
    """Read a sealed run from `sealed` or `sent`. Raises ValueError or KeyError where it is damaged, FileNotFoundError."""
    with open(f"{spool}/{place}/{run_id}", "rb") as file:
        head, *events = file.read().split(b"\n")
    values: "dict[str, Any]" = json.loads(head)
    if len(events) < 2 or not all(isinstance(json.loads(event), dict) for event in events[:-1]):
        raise ValueError("no events, or damaged ones")
    return Sealed(run_id, values["release"], values["serial"], values["test"], values["name"], values["root"], tuple(events[:-1]))


def modified(path: str) -> float:
    """When a file was last written (s since 1970); now where it is gone."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return time.time()


def acknowledge(spool: str, run_ids: "list[str]") -> int:
    """Every event of these runs was acknowledged: keep the copies that show what left. Returns how many there were."""
    there = [run_id for run_id in run_ids if os.path.exists(f"{spool}/sealed/{run_id}")]
    note(spool, "acknowledged", there)
    for run_id in there:
        os.utime(f"{spool}/sealed/{run_id}")
        os.replace(f"{spool}/sealed/{run_id}", f"{spool}/sent/{run_id}")
    return len(there)


def quarantine(spool: str, place: str, run_id: str, reason: str) -> None:
    """Set a run aside that was refused or cannot be read, with the reason beside it."""
    files.write(f"{spool}/quarantine/{run_id}.reason", reason.encode())
    os.replace(f"{spool}/{place}/{run_id}", f"{spool}/quarantine/{run_id}")
    files.remove(f"{spool}/run/{run_id}.git")


def forget_old_copies(spool: str, now: float) -> None:
    """Delete the copies of what left long ago."""
    for run_id in ids(spool, "sent"):
        path = f"{spool}/sent/{run_id}"
        if now - modified(path) > KEEP_SENT:
            files.remove(path)


def forget_old_logs(spool: str, now: float) -> None:
    """Delete target logs that are old or many, oldest first, but none of a run that is not sealed yet."""
    waiting = {run_id for place in ("run", "new") for run_id in ids(spool, place)}
    logs = sorted(((modified(f"{spool}/{TARGETS}/{run_id}"), run_id) for run_id in ids(spool, TARGETS)), reverse=True)
    for number, (moment, run_id) in enumerate(logs):
        if run_id not in waiting and (number >= MOST_LOGS or now - moment > KEEP_LOGS):
            files.remove(f"{spool}/{TARGETS}/{run_id}")


def remove_logs(spool: str) -> None:
    """Delete every target log. A recipe that still runs finds none and writes nothing more."""
    for run_id in ids(spool, TARGETS):
        files.remove(f"{spool}/{TARGETS}/{run_id}")
