"""The thread that sweeps once a day, soon after midnight (UTC), and soon after a start. May import: sweep, core, errors."""

import threading
from collections.abc import Callable
from datetime import date

import structlog

from innerloop_collector.core import Core
from innerloop_collector.errors import StoreError
from innerloop_collector.retention.sweep import Sweep

_LOOK_EVERY = 30.0  # seconds between two looks at the day
_AGAIN = 300.0  # seconds until a sweep that failed is tried again
_log = structlog.get_logger()


class Sweeper:
    """Sweeps in the background of the service."""

    def __init__(self, core: Core, sweep: Sweep | None = None) -> None:
        self._sweep = sweep or Sweep(core)
        self._purger = core.purger
        self._today: Callable[[], date] = lambda: core.now().date()
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

    def _work(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = _LOOK_EVERY
            today = self._today()
            if today != self._swept and not self._swept_well(today):
                pause = _AGAIN

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
