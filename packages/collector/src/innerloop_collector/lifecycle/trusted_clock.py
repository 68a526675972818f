"""Whether this machine's clock can be believed where something goes by it.

A running collector notes in its store what the clock says. A clock that jumps is in doubt: more than 35 days forward from the last note, or
to a day before it. It stays in doubt until a person says that it is right, or until it is back and nothing was stored meanwhile, which
would have a wrong time. Clients' clocks are never asked. Until then everything is judged by the earlier of the clock and the last note.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine

_FORWARD = timedelta(days=35)
_SET_BACK = timedelta(hours=1)  # NTP may set a clock back over midnight
_NOTE_EVERY = timedelta(hours=1)
_STORED = "SELECT (SELECT max(position) FROM events), (SELECT sum(events) FROM violations)"
_NEWEST_ROW = "SELECT greatest((SELECT max(received_day) FROM events), (SELECT max(received_day) FROM quarantine))"


class _Doubt(NamedTuple):
    """What a clock said that was not believed, and how much was stored then."""

    said: datetime
    stored: tuple[int, int]


class TrustedClock:
    """Compares the clock with what the store knows of it. Any thread may ask."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._guard = threading.Lock()
        self._version = 0
        self._noted: datetime | None = None
        self._written: datetime | None = None  # the note that is in the store
        self._doubted: _Doubt | None = None

    def load(self) -> None:
        """Read the last note. A store that was never asked has its newest rows: they were dated by the clock of then."""
        rows = self._engine.query(f"SELECT {', '.join(schema.CLOCK)} FROM clock FINAL ORDER BY version")
        for what, seconds, events, waiting, version in rows:
            self._version = version
            moment = datetime.fromtimestamp(seconds, UTC)
            if what == "noted":
                self._noted = self._written = moment
            else:
                self._doubted = _Doubt(moment, (events, waiting)) if seconds else None
        if self._noted is None:
            newest = self._engine.query(_NEWEST_ROW)[0][0]
            self._noted = datetime(newest.year, newest.month, newest.day, tzinfo=UTC) if newest.year > 1970 else None

    def doubt(self) -> str | None:
        """Say why the clock is not believed. None: it is."""
        now = self._now()
        if self._noted is not None and self._off(now):
            return (
                f"this machine's clock says {now:%Y-%m-%d %H:%M} (UTC), and the store was last used at {self._noted:%Y-%m-%d %H:%M} by it"
            )
        if self._noted is not None and self._doubted is not None:
            return f"events were stored while this machine's clock said {self._doubted.said:%Y-%m-%d %H:%M} (UTC), between {self._noted:%Y-%m-%d %H:%M} and now"
        return None

    def judging(self) -> datetime:
        """The instant by which something is past its time."""
        return min(self._now(), self._noted or self._now()) if self.doubt() else self._now()

    def look(self) -> str | None:
        """Do as `doubt`, and write down what is seen. For the service, again and again. Raises StoreError."""
        with self._guard:
            now = self._now()
            if self._noted is not None and self._off(now):
                if self._doubted is None:
                    self._write_doubt(_Doubt(now, self._stored()))
            elif self._doubted is None or self._stored() == self._doubted.stored:
                self._note(now)
        return self.doubt()

    def believe(self) -> None:
        """Take a person's word that the clock is right. Raises StoreError."""
        with self._guard:
            self._written = None
            self._note(self._now())

    def note_the_end(self) -> None:
        """Note what the clock says when a collector ends, where it is believed. Raises StoreError."""
        with self._guard:
            if self.doubt() is None:
                self._written = None
                self._note(self._now())

    def _off(self, now: datetime) -> bool:
        noted = self._noted or now
        return now - noted > _FORWARD or (now.date() < noted.date() and noted - now > _SET_BACK)

    def _note(self, now: datetime) -> None:
        if self._doubted is not None:
            self._write_doubt(None)
        if self._written is None or abs(now - self._written) >= _NOTE_EVERY:
            self._write("noted", now, (0, 0))
            self._written = now
        self._noted = now

    def _write_doubt(self, doubt: _Doubt | None) -> None:
        self._write("doubted", doubt.said if doubt else datetime.fromtimestamp(0, UTC), doubt.stored if doubt else (0, 0))
        self._doubted = doubt

    def _write(self, what: str, moment: datetime, stored: tuple[int, int]) -> None:
        self._version += 1
        self._engine.insert("clock", schema.CLOCK, [(what, int(moment.timestamp()), *stored, self._version)])

    def _stored(self) -> tuple[int, int]:
        """Numbers that grow with whatever is stored."""
        position, waiting = self._engine.query(_STORED)[0]
        return int(position or 0), int(waiting or 0)
