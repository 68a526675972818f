"""Background workers of the service: one thread each, with one loop for all of them.

A worker is given one piece of work, its *turn*. A turn says after how many seconds the next one is due; what it raises is counted and
logged, and the thread lives on.
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from innerloop_collector.errors import CollectorError

_log = structlog.get_logger()


class BackgroundWorker:
    """A thread that takes turns until it is stopped."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], float | None],
        *,
        first_pause: float | None = 0.0,
        failed: str = "background work failed",
        pause_after_failure: float = 30.0,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        """`turn` returns the seconds until the next one; None: not before somebody wakes the worker.

        `failed` is what the log says of a turn that raised. `at_end` is called in the thread, after its last turn.
        """
        self.failures = 0  # turns that raised, in a row
        self._turn = turn
        self._first_pause = first_pause
        self._failed = failed
        self._pause_after_failure = pause_after_failure
        self._at_end = at_end
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """Have the next turn begin at once, whatever was waited for. Nothing is lost where a turn is under way: another one follows."""
        self._woken.set()

    def rest(self, seconds: float) -> None:
        """Wait inside a turn. Only the end of the worker cuts that short."""
        self._stopping.wait(seconds)

    def request_stop(self) -> None:
        """Begin no further turn. Does not wait."""
        self._stopping.set()
        self._woken.set()

    def join(self, patience: float | None = None) -> bool:
        """Wait for the end, for some seconds or for as long as it takes. Returns whether the thread has ended, or never began."""
        if self._thread.is_alive():
            self._thread.join(patience)
        return not self._thread.is_alive()

    def stop(self, patience: float | None = None) -> bool:
        """End after the turn that is under way. Waits, and returns, as `join`."""
        self.request_stop()
        return self.join(patience)

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether the worker was asked to end."""
        return self._stopping.is_set()

    def _loop(self) -> None:
        pause = self._first_pause
        while self._goes_on_after(pause):
            pause = self._one_turn()
        if self._at_end is not None:
            self._at_end()

    def _goes_on_after(self, pause: float | None) -> bool:
        if pause is None or pause > 0:
            self._woken.wait(pause)
        self._woken.clear()
        return not self._stopping.is_set()

    def _one_turn(self) -> float | None:
        try:
            pause = self._turn()
        except Exception as error:  # noqa: BLE001 - the thread must live; it comes back to this
            self.failures += 1
            if not self.stopping:  # what is cut off is done after the next start
                _log.error(self._failed, error=describe(error), failures=self.failures)
            return self._pause_after_failure
        self.failures = 0
        return pause


class PatientWorker(Protocol):
    """Works for somebody elsewhere, who may never answer."""

    def ask_to_stop(self) -> None:
        """Begin nothing new."""

    def close(self, patience: float) -> None:
        """Wait for some seconds, and then leave the thread alone."""


def stop_together(workers: Collection[PatientWorker], patience: float) -> None:
    """Have all end, and wait for so many seconds in all."""
    for worker in workers:
        worker.ask_to_stop()
    deadline = time.monotonic() + patience
    for worker in workers:
        worker.close(deadline - time.monotonic())


def describe(error: Exception) -> str:
    """What a log may say of an error: the message where it is ours, else no more than its type."""
    return str(error) if isinstance(error, CollectorError) else type(error).__name__
