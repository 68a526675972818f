"""One collector per store on a server: a lease that its holder renews.

The embedded engine has the lock of its directory; a server lets anybody in. ClickHouse cannot compare and set, so this is the protocol
that needs time instead: who wants the store says so, waits, and has it if nobody else holds it or asked with a smaller number. A
claim that took longer to write than the wait begins again, so no two can miss each other. Times are the server's.

A holder that could not renew in time refuses to write from then on. A write that was on its way at that moment may still arrive;
events are stored once nevertheless, by their key.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from innerloop_collector.background import BackgroundWorker
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import DataInUse, StoreError

_WAITS, _HOLDS, _ENDED = "waits", "holds", "ended"
_TRIES = 5
_log = structlog.get_logger()


class Lease:
    """The right to use a server's store."""

    def __init__(self, engine: Engine, holder: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._holder = holder
        self._seconds = seconds
        self._claim_wait = seconds / 30
        self._clock = clock
        self._until = 0.0
        self._fence = 0
        self._worker = BackgroundWorker(
            "lease", self._turn, first_pause=seconds / 3, failed="lease not renewed", pause_after_failure=seconds / 3
        )

    def take(self) -> None:
        """Take the lease and go on renewing it. Raises DataInUse where another collector has it."""
        self._claim()
        self._engine.fence = self.check
        self._worker.start()

    def check(self) -> None:
        """Raise StoreError where another collector may have the store by now."""
        if self._clock() >= self._until:
            raise StoreError(
                "the lease of the ClickHouse store ran out, so another collector may use it; nothing is written until it is renewed"
            )

    def release(self) -> None:
        """Let others in at once."""
        self._worker.stop()
        if self._clock() < self._until:
            self._until = 0.0
            try:
                self._write(_ENDED)
            except StoreError:
                _log.warning("lease not given back", seconds=self._seconds)

    def _claim(self) -> None:
        for _ in range(_TRIES):
            began = self._clock()
            mine, newest, others = self._look()
            if others:
                raise _in_use(others)
            self._fence = newest + 1
            if not mine:
                self._write(_WAITS)
                if self._clock() - began > self._claim_wait:
                    continue
                self._worker.rest(self._claim_wait)
                self._yield_to(self._look()[2])
            began = self._clock()
            self._write(_HOLDS)
            self._until = began + self._seconds
            return
        raise StoreError("the ClickHouse server is too slow to say who uses the store; try again")

    def _yield_to(self, others: list[tuple[str, int, str, float]]) -> None:
        """Give up where somebody else was first."""
        if first := [other for other in others if other[2] == _HOLDS or (other[1], other[0]) < (self._fence, self._holder)]:
            self._write(_ENDED)
            raise _in_use(first)

    def _turn(self) -> float:
        self._renew()
        return self._seconds / 3

    def _renew(self) -> None:
        if self._clock() >= self._until:
            self._claim()
            return
        began = self._clock()
        self._write(_HOLDS)
        self._until = began + self._seconds

    def _look(self) -> tuple[bool, int, list[tuple[str, int, str, float]]]:
        """Whether this collector's own lease still runs, the largest number so far, and the others that are alive: holder, number, state, age."""
        rows = self._engine.query(
            "SELECT holder, fence, state, toFloat64(now64(3, 'UTC')) - toFloat64(renewed) AS age FROM leases FINAL ORDER BY fence"
        )
        alive = [(holder, fence, state, age) for holder, fence, state, age in rows if state != _ENDED and age < self._seconds]
        mine = any(holder == self._holder and state == _HOLDS for holder, _, state, _ in alive)
        return mine, max((row[1] for row in rows), default=0), [one for one in alive if one[0] != self._holder]

    def _write(self, state: str) -> None:
        self._engine.command(
            "INSERT INTO leases (holder, fence, state, renewed) SELECT {holder:String}, {fence:UInt64}, {state:String}, now64(3, 'UTC')",
            {"holder": self._holder, "fence": self._fence, "state": state},
            fenced=False,
        )


def holder_of(data: Path) -> str:
    """Name a data directory: a copy of it, or one on another machine, has another name."""
    where = data.stat()
    try:
        machine = Path("/etc/machine-id").read_bytes()
    except OSError:
        machine = b""
    return hashlib.blake2b(b"%s %d %d" % (machine, where.st_dev, where.st_ino), digest_size=16).hexdigest()


def _in_use(others: list[tuple[str, int, str, float]]) -> DataInUse:
    age = min(other[3] for other in others)
    return DataInUse(
        f"the ClickHouse store is in use by another collector (last seen {age:.0f} s ago); stop that one, or choose another database in store.url"
    )
