"""A spool as a directory: make it, say when its delivery is due, hold its locks."""

import fcntl
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from innerloop.core.shared import files
from innerloop.core.spool import entries, facts

PAGE, BALLAST = 4096, 8192  # bytes


def prepare(spool: str, project_file: str, now: float) -> None:
    """Make a spool's directories and reserves, and note where its project file is."""
    files.private_directory(os.path.dirname(os.path.dirname(spool)))
    files.private_directory(os.path.dirname(spool))
    files.private_directory(spool)
    _refuse_links(spool)
    entries.heal(spool)
    for name, size in (("unrecorded", PAGE), ("ballast", BALLAST)):
        if not os.path.exists(f"{spool}/{name}"):
            files.write(f"{spool}/{name}", bytes(size))
    if not os.path.exists(f"{spool}/next"):
        files.write(f"{spool}/next", b"")
        set_next(spool, now + random.uniform(600, 3600))  # noqa: S311
    known = roots(spool)
    if project_file not in known:
        files.write(f"{spool}/roots", "\0".join([*known[-20:], project_file, ""]).encode("utf-8", "surrogateescape"))


def roots(spool: str) -> "list[str]":
    """The project files that this spool was used with, oldest first. A path that is not plain means another file to everybody: it is none."""
    return [
        path for path in files.read_if_sound(f"{spool}/roots").decode("utf-8", "surrogateescape").split("\0")[:-1] if facts.is_plain(path)
    ]


def set_next(spool: str, moment: float) -> None:
    """Say when delivery is due (s since 1970): the launcher looks at this file's time alone."""
    os.utime(f"{spool}/next", (moment, moment))


def links(spool: str) -> "list[str]":
    """Which directories above a spool's own lead elsewhere: a container that shares it may have made them, and we write in here only."""
    return [path for path in (os.path.dirname(spool), spool) if os.path.islink(path)]


def _refuse_links(spool: str) -> None:
    for path in links(spool):
        raise files.UnusableFile(f"{path} is a symbolic link")


@contextmanager
def locked(spool: str, name: str, wait: bool = True) -> "Iterator[bool]":
    """Hold one of the spool's locks; yields whether it was got.

    Raises files.UnusableFile where the spool leads elsewhere, or where its file system has no locks.
    """
    _refuse_links(spool)
    entries.heal(spool)
    descriptor = files.open_own(f"{spool}/{name}", os.O_RDWR | os.O_CREAT)
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
