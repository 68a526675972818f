"""The thread that sweeps once a day, soon after midnight (UTC), and soon after a start.

It believes the clock only as far as the store does: a wrong one would take what was acknowledged. A person's `retain` is not held up.
"""

import contextlib
from collections.abc import Callable
from datetime import date, datetime

import structlog

from innerloop_collector.background import BackgroundWorker
from innerloop_collector.errors import StoreError
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.lifecycle.retention import Sweep
from innerloop_collector.lifecycle.trusted_clock import TrustedClock

_LOOK_EVERY = 30.0  # seconds between two looks at the day
_AGAIN = 300.0  # seconds until a sweep that failed is tried again
_log = structlog.get_logger()


class Sweeper:
    """Sweeps in the background of the service."""

    def __init__(self, sweep: Sweep, purger: Purger, clock: TrustedClock, now: Callable[[], datetime]) -> None:
        self._sweep = sweep
        self._purger = purger
        self._clock = clock
        self._now = now
        self._said: str | None = None
        self._swept = date.min
        self._worker = BackgroundWorker("sweeper", self.turn, failed="retention not finished", pause_after_failure=_AGAIN)

    def start(self) -> None:
        """Begin to work."""
        self._worker.start()

    def stop(self) -> None:
        """End soon. What is not finished is finished after the next start."""
        worked = self._worker.alive
        self._worker.request_stop()
        self._purger.stopping.set()
        self._worker.join()
        if worked:
            with contextlib.suppress(StoreError):
                self._clock.note_the_end()

    def turn(self) -> float:
        """Look at the clock, and sweep where a day began. Returns after how many seconds to look again."""
        try:
            doubt = self._clock.look()
        except StoreError as error:
            _log.error("the clock could not be noted", error=str(error))
            return _AGAIN
        if (doubt is None) != (self._said is None):
            _log.error("retention paused", why=doubt) if doubt else _log.info("retention goes on")
        self._said = doubt
        today = self._now().date()
        if doubt is None and today != self._swept:
            found = self._sweep.run()
            if found.gone or found.published:
                _log.info("retention", rows=sum(one.rows for one in found.gone), published=len(found.published))
            if found.unpublished:
                return _AGAIN
            self._swept = today
        return _LOOK_EVERY
