"""What may not answer: a home on a network, or behind a file system that runs as a program; a name that is looked up.

Such a system call can hang for minutes, and no signal but a deadly one ends it. So a thread makes it, for which nobody
waits longer than is said: ending or becoming the command ends the thread too. Where a home is not of that kind there is no
thread: a disk of this machine answers, or the command itself would not run.
"""

import _thread

TYPE_CHECKING = False  # `typing` costs a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PATIENCE = 0.25  # s that a command may be held up, before its start and again after its end


class TooLate(TimeoutError):
    """A step took too long, and is left behind."""


def in_time(seconds: float, step: "Callable[..., Any]", *arguments: "Any") -> "Any":
    """Call a step in a thread and return what it returns. Raises TooLate where it takes longer, or what it raises."""
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
    if not done.acquire(timeout=seconds):
        raise TooLate
    if failures:
        raise failures[0]
    return results[0]


class RecordThread:
    """Keeps the record of a run in a thread of its own."""

    def __init__(self, begin: "Callable[[Any], None]", finish: "Callable[[int], bool]") -> None:
        self._begin, self._finish = begin, finish
        self.status = 0
        self.ended = _thread.allocate_lock()
        self.kept = _thread.allocate_lock()
        self.ended.acquire()
        self.kept.acquire()

    def begin(self, started: "Any") -> None:
        """Begin the record while the command runs, and wait for nothing."""
        _thread.start_new_thread(self._work, (started,))

    def _work(self, started: "Any") -> None:
        self._begin(started)
        self.ended.acquire()
        self._finish(self.status)
        self.kept.release()

    def finish(self, status: int) -> bool:
        """Finish the record, in time: what hangs longer is left unfinished (false), and the sender says so later."""
        self.status = status
        self.ended.release()
        return bool(self.kept.acquire(timeout=PATIENCE))
