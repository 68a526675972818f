"""One process per data directory, and how others find it.

The lock is flock(2) on DIR/lock, so it ends with its process, however that ends. The file holds the pid and,
when a service listens, its address. Only who made it and holds it removes it, with its directory: whoever takes it looks whether it is still there.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from innerloop_collector.config.paths import Paths, prepare, unusable
from innerloop_collector.errors import DataInUse


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a data directory."""

    pid: int
    url: str | None


class DataLock:
    """Exclusive use of a data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self) -> bool:
        """Take the lock without waiting. False: another process has it. Raises UsageError where the directory cannot be written."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(self._path.parent, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if not _is(descriptor, self._path):  # whoever had it took the directory away meanwhile
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self.announce(None)
        return True

    def announce(self, url: str | None) -> None:
        """Write down who holds the lock and where it listens."""
        text = json.dumps({"pid": os.getpid(), "url": url}).encode() + b"\n"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


@contextmanager
def held_or_undone(data: Path) -> Iterator[Paths]:
    """Make and hold a data directory. Where what is done with it fails, what was made for it is taken away again. Raises DataInUse and UsageError."""
    own = Paths(data)
    made = [one for one in (own.scratch, own.lock, data, *data.parents) if not os.path.lexists(one)]
    paths = prepare(data)
    held = acquire(paths.lock)
    if isinstance(held, Holder):
        raise in_use(data, held)
    with held:
        try:
            yield paths
        except BaseException:
            with suppress(OSError):  # somebody else put something there
                for one in made:
                    _remove(one)
            raise


def _remove(path: Path) -> None:
    """Remove a file, or a directory where nothing but files of the driver is left."""
    if not path.is_dir():
        path.unlink()
        return
    if path.name == Paths(path.parent).scratch.name:
        for left_over in path.iterdir():
            left_over.unlink()
    path.rmdir()


def _is(descriptor: int, path: Path) -> bool:
    """Tell whether an open file is the one that a path leads to."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def holder(path: Path) -> Holder | None:
    """Read who says to hold the lock. None: nobody, or it is just being written."""
    try:
        document = json.loads(path.read_bytes())
        return Holder(int(document["pid"]), document["url"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def acquire(path: Path, patience: float = 0.0) -> DataLock | Holder:
    """Take the lock, or name the running service that has it.

    A command that only opens the store for a moment is waited for. Raises DataInUse when it takes too long.
    """
    lock = DataLock(path)
    deadline = time.monotonic() + patience
    while not lock.take():
        other = holder(path)
        if other is not None and other.url is not None:
            return other
        if time.monotonic() >= deadline:
            raise in_use(path.parent, other)
        time.sleep(0.05)
    return lock


def in_use(data: Path, other: Holder | None) -> DataInUse:
    """Say who is in the way."""
    who = f"process {other.pid}" if other else "another process"
    where = f" (it listens on {other.url})" if other and other.url else ""
    return DataInUse(f"{data} is in use by {who}{where}; stop that process, or choose another directory with --data DIR")
