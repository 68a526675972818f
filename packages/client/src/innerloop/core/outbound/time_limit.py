"""How long a request may take, and that it is cut off when its developer says no meanwhile."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

LOOK_EVERY = 0.1  # s between two looks at whether a request may still go on


class Withdrawn(Exception):
    """The answer changed while a request was under way: it was cut off."""


@contextmanager
def time_limit(seconds: float, may_go_on: Callable[[], bool]) -> "Iterator[None]":
    """Bound a whole request: a socket's own timeout starts anew with every byte. Has no effect outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.monotonic()

    def look(_number: int, _frame: object) -> None:
        if not may_go_on():
            raise Withdrawn
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s")

    handler = signal.signal(signal.SIGALRM, look)
    left, _ = signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY, LOOK_EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.001))
