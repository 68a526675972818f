"""Small files that must never be torn, shared or somebody else's; and the one way in which any file is opened that we did not just make.

Whatever stands in a file's place, a pipe, a device, a directory, somebody else's file, opening it neither waits nor reads:
it is said what is there instead.
"""

import errno
import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Optional

from innerloop.core.shared import untrusted

FULL = (errno.ENOSPC, errno.EDQUOT)
ABSENT = (errno.ENOENT, errno.ENOTDIR)
PATIENCE = 2.0  # s that a command waits for another one
LARGEST = 8 << 20  # bytes that we are ready to read of any file
KINDS = {
    stat.S_IFDIR: "a directory", stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
ASIDE = ".odd-"  # and 8 hex digits, behind the name of what was moved out of the way
BEING_WRITTEN = r"(?:\.[0-9]+-[0-9a-f]{8}\.tmp)?"  # behind the name of a file whose writing was cut off
CAREFULLY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class UnusableFile(Exception):
    """A file is there but must not be believed: the message says why."""


def fault(path: str) -> str:
    """Why what is there is no file of ours, or an empty string; also where nothing is there. Opens nothing."""
    try:
        return _fault(os.lstat(path))
    except OSError as error:
        return "" if error.errno in ABSENT else f"it cannot be read: {error.strerror}"


def _fault(status: os.stat_result) -> str:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return f"it is not a regular file but {KINDS.get(kind, 'something else')}"
    if status.st_uid != os.geteuid():
        return "it belongs to somebody else"
    return "it has another name elsewhere (a hard link)" if status.st_nlink > 1 else ""


def open_own(path: str, flags: int) -> int:
    """Open a file of ours that is there. Raises OSError, and UnusableFile for anything else."""
    problem = fault(path)  # before: to open a device may already do something
    if not problem:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | CAREFULLY, 0o600)
        problem = _fault(os.fstat(descriptor))
        if not problem:
            return descriptor
        os.close(descriptor)
    raise UnusableFile(f"{path} cannot be used: {problem}")


def read_own(path: str, largest: int = LARGEST) -> Optional[bytes]:
    """Read a regular file of our own, or return None where there is none. Raises UnusableFile otherwise."""
    try:
        return _read(open_own(path, os.O_RDONLY), path, largest)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise UnusableFile(f"{path} cannot be read: {error.strerror}") from error


def read_shared(path: str, largest: int, owners: "Collection[int]" = ()) -> bytes:
    """Read a regular file of one of some `owners` (of anybody's, where none is named), which links may lead to.

    Raises UnusableFile, and OSError where there is none.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise UnusableFile(f"{path} is not a regular file")
    descriptor = os.open(path, os.O_RDONLY | CAREFULLY)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (owners and status.st_uid not in owners):
        os.close(descriptor)
        raise UnusableFile(f"{path} {'belongs to somebody else' if stat.S_ISREG(status.st_mode) else 'is not a regular file'}")
    return _read(descriptor, path, largest)


def _read(descriptor: int, path: str, largest: int) -> bytes:
    with open(descriptor, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise UnusableFile(f"{path} is larger than {largest} bytes")
    return data


def read_json(path: str, largest: int = LARGEST) -> "Optional[dict[str, Any]]":
    """Read a JSON object of our own, or None where there is no file. Raises UnusableFile otherwise."""
    data = read_own(path, largest)
    if data is None:
        return None
    try:
        return untrusted.parse_object(data)
    except ValueError as error:
        raise UnusableFile(f"{path} is not JSON as we write it: {error}") from error


def read_if_sound(path: str, largest: int = LARGEST) -> bytes:
    """What a file of ours holds: nothing where there is none, or one that must not be believed."""
    try:
        return read_own(path, largest) or b""
    except UnusableFile:
        return b""


def json_if_sound(path: str, largest: int = LARGEST) -> "dict[str, Any]":
    """The JSON object that a file of ours holds, as `read_if_sound`."""
    try:
        return read_json(path, largest) or {}
    except UnusableFile:
        return {}


def private_directory(path: str) -> None:
    """Make a directory that only we can read, under any umask, with its parents. What else is in its place is moved aside.

    In the place of a parent it is not: what is there may be somebody else's, and OSError says so.
    """
    if os.path.lexists(path) and not os.path.isdir(path):
        move_aside(path)
    _make(path)


def _make(path: str) -> None:
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        _make(parent)  # makedirs would give the ones above it whatever the umask leaves
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    os.chmod(path, 0o700)


def within(state: str, name: str) -> str:
    """Make one of the directories of our state directory; returns its path. A link in its place is moved aside: nothing behind it is ours."""
    path = f"{state}/{name}"
    private_directory(state)
    if os.path.islink(path):
        move_aside(path)
    private_directory(path)
    return path


def move_aside(path: str) -> None:
    """Move something out of the way of a file of ours, without opening it."""
    os.rename(path, f"{path}{ASIDE}{os.urandom(4).hex()}")


def is_aside(name: str) -> bool:
    """Whether a name is one that `move_aside` gives."""
    return name[-8 - len(ASIDE) : -8] == ASIDE


def write(path: str, data: bytes, durable: bool = False) -> None:
    """Write a file of mode 0600 by a temporary one and rename, so that nobody ever sees half of it. A directory in its place is moved aside."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(descriptor)
        try:
            os.replace(temporary, path)
        except IsADirectoryError:
            move_aside(path)
            os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise


def write_json(path: str, document: "dict[str, Any]", durable: bool = False) -> None:
    """Write a JSON object, readable by a person."""
    write(path, (json.dumps(document, indent=2) + "\n").encode(), durable)


def append(path: str, data: bytes, durable: bool = False) -> int:
    """Add to a file of ours, which is made where there is none; returns its size then. What is no file of ours is moved aside."""
    if fault(path):
        move_aside(path)
    descriptor = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while data:  # on a nearly full disk a write may be a short one
            data = data[os.write(descriptor, data) :]
        if durable:
            os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def append_line(path: str, line: bytes, most: int) -> None:
    """Add a line to a list of ours; of one that grew beyond `most` bytes its older half is forgotten."""
    if append(path, line + b"\n") > most:
        write(path, newest(read_own(path) or b"", most // 2))  # what somebody adds just now may be lost: it is a note


def newest(lines: bytes, most: int) -> bytes:
    """The last whole lines of a text, at most so many bytes."""
    return lines if len(lines) <= most else lines[-most:].partition(b"\n")[2]


def remove(path: str) -> bool:
    """Delete a file; tell whether it was there. A directory in its place is moved aside."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        if not os.path.isdir(path):
            raise
        move_aside(path)
    return True


def clear(path: str) -> None:
    """Delete whatever is there, a directory with all that is in it; no link is followed."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        remove(path)


@contextmanager
def alone(directory: str) -> "Iterator[None]":
    """Do something while no other command of ours does it: by a lock on a directory, for which nobody waits longer than `PATIENCE`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    until = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break  # a file system without locks
        yield
    finally:
        os.close(descriptor)
