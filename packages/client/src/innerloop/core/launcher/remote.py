"""Files that may not answer: a home on a network, or behind a file system that runs as a program.

A system call on such a file can hang for minutes, and no signal but a deadly one ends it. So where a home is of that
kind its files are touched by a thread, for which nobody waits longer than `PATIENCE`: ending or becoming the command
ends the thread too. Elsewhere there is no thread: a disk of this machine answers, or the command itself would not run.

`main` imports it only where some file system of this machine is of that kind. May import: posix, _thread and places.
"""

import _thread
import posix

from innerloop.core.shared import paths

TYPE_CHECKING = False  # `typing` costs a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from innerloop.core.launcher.measure import Moment, Run

MOST_LINKS = 40  # as path_resolution(7)
PATIENCE = 0.25  # s that a command may be held up, before its start and again after its end


def far(env: "dict[bytes, bytes]", mounts: bytes, kinds: "tuple[bytes, ...]") -> bool:
    """Tell whether our files are on one of these kinds of file system. Nothing on such a system is looked at.

    `mounts` is what proc(5) says in `mountinfo`.
    """
    own = (env.get(b"HOME", b""), paths.state(env), paths.config(env), paths.MOUNT + b"/state", paths.MOUNT + b"/config")
    for path in own:
        if path.startswith(b"/") and leads_far(path, mounts, kinds):
            return True
    return False


def leads_far(path: bytes, mounts: bytes, kinds: "tuple[bytes, ...]") -> bool:
    """Follow a path from the front, links too, and stop at the first part that is on such a file system."""
    at, parts, links = b"", path.split(b"/"), 0
    while parts:
        part = parts.pop(0)
        if part in (b"", b"."):
            continue
        if part == b"..":
            at = at.rpartition(b"/")[0]
            continue
        if kind_of(at + b"/" + part, mounts).startswith(kinds):
            return True
        try:
            target = posix.readlink(at + b"/" + part)
        except OSError:
            at += b"/" + part
            continue
        links += 1
        if links > MOST_LINKS:
            return False
        at = b"" if target.startswith(b"/") else at
        parts = target.split(b"/") + parts
    return False


def kind_of(path: bytes, mounts: bytes) -> bytes:
    """Name the kind of file system that a path is on: that of the longest mount point above it, the last one if several are."""
    longest, kind = 0, b""
    for line in mounts.split(b"\n"):
        before, _, after = line.partition(b" - ")
        words = before.split(b" ")
        if len(words) < 5:
            continue
        point = words[4].replace(b"\\040", b" ").rstrip(b"/")
        if len(point) >= longest and (path + b"/").startswith(point + b"/"):
            longest, kind = len(point), after.partition(b" ")[0]
    return kind


def in_time(step: "Callable[..., Any]", *arguments: "Any") -> "Any":
    """Call a step in a thread and return what it returns. Raises TimeoutError where it takes too long, or what it raises."""
    done = _thread.allocate_lock()
    done.acquire()
    results: "list[Any]" = []
    failures: "list[BaseException]" = []

    def work() -> None:
        try:
            results.append(step(*arguments))
        except BaseException as error:  # noqa: BLE001 (it is raised again where somebody waits for it)
            failures.append(error)
        done.release()

    _thread.start_new_thread(work, ())
    if not done.acquire(timeout=PATIENCE):
        raise TimeoutError
    if failures:
        raise failures[0]
    return results[0]


class Aside:
    """A run whose record is kept by a thread of its own."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.status = 0
        self.ended = _thread.allocate_lock()
        self.kept = _thread.allocate_lock()
        self.ended.acquire()
        self.kept.acquire()

    def begin(self, started: "Moment") -> None:
        """Begin the record while the command runs, and wait for nothing."""
        _thread.start_new_thread(self._work, (started,))

    def _work(self, started: "Moment") -> None:
        self.run.begin(started)
        self.ended.acquire()
        self.run.finish(self.status)
        self.kept.release()

    def finish(self, status: int) -> None:
        """Finish the record, in time: what hangs longer is left unfinished, and the sender says so later."""
        self.status = status
        self.ended.release()
        if not self.kept.acquire(timeout=PATIENCE):
            self.run.silent = True
