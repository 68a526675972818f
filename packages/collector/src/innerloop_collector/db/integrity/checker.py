"""The thread that looks after the store's parts, often enough that what a merge replaced is still there."""

import threading

import structlog

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError

_LOOK_EVERY = schema.KEEP_REPLACED_SECONDS / 4
_log = structlog.get_logger()


class Watchman:
    """Looks in the background of the service."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin to look. A server looks after its parts itself."""
        if not self._engine.layout.remote:
            self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY):
            try:
                self._engine.look_after_parts()
            except StoreError as error:
                _log.error("the store's parts could not be looked after", error=str(error))
            except Exception as error:  # noqa: BLE001 - the thread must live; it comes back to this
                _log.error("the store's parts could not be looked after", error=type(error).__name__)
