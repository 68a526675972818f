"""The last day on which each key and token was used: what nobody uses can be revoked. May import: the store's engine, notes, schema."""

from collections.abc import Callable
from datetime import date

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.store.write_behind import Notes


class Uses:
    """Remembers days, by the hash of what was used."""

    def __init__(self, engine: Engine, notes: Notes, today: Callable[[], date]) -> None:
        self._engine = engine
        self._notes = notes
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
            self._notes.add("uses", schema.USES, (used, today))

    def last(self, used: str) -> date | None:
        """The last day of use. None: never."""
        return self._last.get(used)
