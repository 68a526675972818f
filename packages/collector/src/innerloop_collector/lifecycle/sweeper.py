"""The thread that sweeps once a day, soon after midnight (UTC), and soon after a start.

It believes the clock only as far as the store does: a wrong one would take what was acknowledged. A person's `retain` is not held up.
"""

import contextlib
import threading
from collections.abc import Callable
from datetime import date

import structlog

from innerloop_collector.core import Core
from innerloop_collector.errors import StoreError
from innerloop_collector.lifecycle.retention import Sweep

_LOOK_EVERY = 30.0  # seconds between two looks at the day
_AGAIN = 300.0  # seconds until a sweep that failed is tried again
_log = structlog.get_logger()


class Sweeper:
    """Sweeps in the background of the service."""

    def __init__(self, core: Core, sweep: Sweep | None = None) -> None:
        self._sweep = sweep or Sweep(core)
        self._purger = core.purger
        self._clock = core.clock
        self._today: Callable[[], date] = lambda: core.now().date()
        self._said: str | None = None
        self._swept = date.min
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End soon. What is not finished is finished after the next start."""
        self._stopping.set()
        self._purger.stopping.set()
        if self._thread.is_alive():
            self._thread.join()
            with contextlib.suppress(StoreError):
                self._clock.note_the_end()

    def _work(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = _LOOK_EVERY
            if not self._looked_well():
                pause = _AGAIN

    def _looked_well(self) -> bool:
        try:
            doubt = self._clock.look()
        except StoreError as error:
            _log.error("the clock could not be noted", error=str(error))
            return False
        if (doubt is None) != (self._said is None):
            _log.error("retention paused", why=doubt) if doubt else _log.info("retention goes on")
        self._said = doubt
        today = self._today()
        return doubt is not None or today == self._swept or self._swept_well(today)

    def _swept_well(self, today: date) -> bool:
        try:
            found = self._sweep.run()
        except Exception as error:  # noqa: BLE001 - the thread must live; it comes back to this
            if not self._stopping.is_set():
                _log.error("retention not finished", error=str(error) if isinstance(error, StoreError) else type(error).__name__)
            return False
        if found.gone:
            _log.info("retention", rows=sum(one.rows for one in found.gone), weeks=len(found.weeks))
        self._swept = today
        return True
