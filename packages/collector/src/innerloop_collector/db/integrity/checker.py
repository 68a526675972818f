"""Looks after the store's parts, often enough that what a merge replaced is still there."""

from innerloop_collector.background import BackgroundWorker
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine

_LOOK_EVERY = schema.KEEP_REPLACED_SECONDS / 4


class PartsChecker:
    """Looks in the background of the service."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._worker = BackgroundWorker(
            "parts checker",
            self._turn,
            first_pause=_LOOK_EVERY,
            failed="the store's parts could not be looked after",
            pause_after_failure=_LOOK_EVERY,
        )

    def start(self) -> None:
        """Begin to look. A server looks after its parts itself."""
        if not self._engine.layout.remote:
            self._worker.start()

    def stop(self) -> None:
        """End soon."""
        self._worker.stop()

    def _turn(self) -> float:
        self._engine.look_after_parts()
        return _LOOK_EVERY
