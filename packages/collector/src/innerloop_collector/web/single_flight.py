"""A question to the store whose answer many share.

It is asked in a reader's thread, at most once at a time and not more often than every few seconds, so that neither many who ask nor a
store that hangs takes the readers away from everybody else.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Generic, NamedTuple, TypeVar

from innerloop_collector.errors import StoreError

_Answer = TypeVar("_Answer")


class Latest(NamedTuple, Generic[_Answer]):
    """What was answered last. None: nothing yet."""

    answer: _Answer | None
    in_time: bool  # the question that is open now was answered while one waited


class SingleFlight(Generic[_Answer]):
    """Asks again where the last answer is old."""

    def __init__(self, ask: Callable[[], _Answer], readers: Executor, fresh: float) -> None:
        self._ask = ask
        self._readers = readers
        self._fresh = fresh  # seconds for which an answer is told again
        self._last: _Answer | None = None
        self._asked = float("-inf")
        self._pending: Future[_Answer | None] | None = None

    async def get(self, patience: float) -> Latest[_Answer]:
        """The answer, waited for at most so many seconds."""
        if self._pending is None and time.monotonic() - self._asked < self._fresh:
            return Latest(self._last, in_time=True)
        if self._pending is None:
            self._asked = time.monotonic()
            self._pending = self._readers.submit(self._answer)
        pending, in_time = self._pending, True
        try:
            found = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(pending)), patience)
            self._last = self._last if found is None else found
        except TimeoutError:
            in_time = False
        if pending.done() and self._pending is pending:
            self._pending = None
        return Latest(self._last, in_time)

    def _answer(self) -> _Answer | None:
        try:
            return self._ask()
        except StoreError:
            return None
