"""Small files that must never be torn, shared or somebody else's. May import: the standard library."""

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

FULL = (errno.ENOSPC, errno.EDQUOT)
LARGEST = 8 << 20  # bytes that we are ready to read of any file


class UnusableFile(Exception):
    """A file is there but must not be believed: the message says why."""


def read_own(path: str, largest: int = LARGEST) -> Optional[bytes]:
    """Read a regular file of our own, or return None where there is none. Raises UnusableFile otherwise."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnusableFile(f"{path} cannot be read: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        os.close(descriptor)
        raise UnusableFile(f"{path} {'belongs to somebody else' if stat.S_ISREG(status.st_mode) else 'is not a regular file'}")
    with open(descriptor, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise UnusableFile(f"{path} is larger than {largest} bytes")
    return data


def read_json(path: str) -> "Optional[dict[str, Any]]":
    """Read a JSON object of our own, or None where there is no file. Raises UnusableFile otherwise."""
    data = read_own(path)
    if data is None:
        return None
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnusableFile(f"{path} is not JSON") from error
    if not isinstance(document, dict):
        raise UnusableFile(f"{path} is not a JSON object")
    return document


def private_directory(path: str) -> None:
    """Make a directory that only we can read, under any umask, with its parents."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        private_directory(parent)  # makedirs would give the ones above it whatever the umask leaves
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    os.chmod(path, 0o700)


def write(path: str, data: bytes, durable: bool = False) -> None:
    """Write a file of mode 0600 by a temporary one and rename, so that nobody ever sees half of it."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise


def write_json(path: str, document: "dict[str, Any]", durable: bool = False) -> None:
    """Write a JSON object, readable by a person."""
    write(path, (json.dumps(document, indent=2) + "\n").encode(), durable)


def remove(path: str) -> bool:
    """Delete a file; tell whether it was there."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def alone(directory: str, patience: float = 2.0) -> "Iterator[None]":
    """Do something while no other command of ours does it: by a lock on a directory, for which nobody waits longer than `patience` (s)."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    until = time.monotonic() + patience
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
