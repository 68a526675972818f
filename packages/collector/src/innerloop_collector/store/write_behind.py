"""Small rows that may reach the disk a moment later than what they are about.

What ingest notices beside the events (that a key was used, that an id is new) costs it nothing: a thread of its own
stores it about once a second, and whatever a crash loses of it is noticed again.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import structlog

from innerloop_collector.background import BackgroundWorker
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError

_LINGER_SECONDS = 1.0
_PAUSE_SECONDS = 10.0  # after a failure
_MOST = 1_000_000  # rows that may wait while the store fails
Row = tuple[Any, ...]
_log = structlog.get_logger()


class WriteBehind:
    """Stores what is noted. Every note of a table has the same columns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._rows: dict[str, tuple[Mapping[str, str], list[Row]]] = {}
        self._worker = BackgroundWorker("write-behind", self._turn, first_pause=None)

    def add(self, table: str, columns: Mapping[str, str], row: Row) -> None:
        """Have a row stored soon."""
        with self._guard:
            rows = self._rows.setdefault(table, (columns, []))[1]
            if len(rows) < _MOST:
                rows.append(row)
        self._worker.wake()

    def start(self) -> None:
        """Begin to store."""
        self._worker.start()

    def stop(self) -> None:
        """Store what waits, then end."""
        self._worker.stop()
        self._store()

    def _turn(self) -> None:
        self._worker.rest(_LINGER_SECONDS)
        if not self._store():
            self._worker.rest(_PAUSE_SECONDS)  # what is put back has woken the worker

    def _store(self) -> bool:
        with self._guard:
            waiting, self._rows = self._rows, {}
        failed = False
        for table, (columns, rows) in waiting.items():
            try:
                self._engine.insert(table, dict(columns), rows)
            except StoreError as error:
                failed = True
                _log.warning("notes could not be stored yet", table=table, rows=len(rows), error=str(error))
                for row in rows:
                    self.add(table, columns, row)
        return not failed


class LastUsed:
    """Remembers days, by the hash of what was used."""

    def __init__(self, engine: Engine, write_behind: WriteBehind, today: Callable[[], date]) -> None:
        self._engine = engine
        self._write_behind = write_behind
        self._today = today
        self._last: dict[str, date] = {}

    def load(self) -> None:
        """Read them from the store."""
        self._last = dict(self._engine.query("SELECT hash, max(day) FROM uses GROUP BY hash"))  # type: ignore[arg-type]

    def note(self, used: str) -> None:
        """Something is used now. It is written down once a day."""
        today = self._today()
        if self._last.get(used) != today:
            self._last[used] = today
            self._write_behind.add("uses", schema.USES, (used, today))

    def last(self, used: str) -> date | None:
        """The last day of use. None: never."""
        return self._last.get(used)
