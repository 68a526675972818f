"""Which ids are new? A committed write key lets anyone make ids up, so that new ones are counted and capped.

Known ids are in memory and, as marks, in the store: a mark stands in no row of an event, so it may stay when the id is erased,
like the registration of its secret. Any thread may ask.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.write_behind import WriteBehind

_EVERY_KEY = ""  # the key of ids that were found among the events


def most_new_ids(configured: int, headcount: int | None) -> int:
    """How many new ids a write key may bring in a day: as many as there are developers, where somebody said so. 0: any number."""
    return headcount or configured if configured else 0


class KnownIds:
    """Knows every id that was let in, and counts those of today by write key."""

    def __init__(
        self,
        engine: Engine,
        hasher: Hasher,
        write_behind: WriteBehind,
        today: Callable[[], date],
        keep_days: Callable[[str], int],
        most: Callable[[str], int],
    ) -> None:
        """`keep_days` says how long a project keeps what it has: an id that was first seen longer ago is new again, once.

        `most` says how many new ids a write key of a project may bring in a day. 0: any number, and nobody counts.
        """
        self._engine = engine
        self._hasher = hasher
        self._write_behind = write_behind
        self._today = today
        self._keep_days = keep_days
        self.most = most
        self._guard = threading.Lock()
        self._seen: set[int] = set()  # installations that this process has met and knows
        self._marks: set[int] = set()
        self._day = date.min
        self._new: dict[tuple[str, str], int] = {}  # project and key -> ids that are new today

    def load(self) -> None:
        """Read what is known. Ids of events that came while nobody counted are found among the events, from the last known day on."""
        rows = self._engine.query("SELECT project, mark, key, first_day FROM known_ids FINAL")
        self._day = self._today()
        newest = date(1970, 1, 1)
        for project, mark, key, first_day in rows:
            self._marks.add(mark)
            newest = max(newest, first_day)
            if first_day == self._day:
                self._count(project, key)
        sql = """SELECT project, installation, min(received_day) FROM events WHERE received_day >= {newest:Date} AND installation != 0
            GROUP BY project, installation"""
        for project, installation, first_day in self._engine.query(sql, {"newest": newest}):
            mark = self._hasher.mark(installation)
            self._seen.add(installation)
            if mark not in self._marks:
                self._add(project, mark, _EVERY_KEY, first_day)

    def beyond(self, project: str, key: str, installations: Iterable[int]) -> set[int]:
        """Let new ids in, as long as the key has not brought too many of them today. Returns those that are not let in."""
        most = self.most(project)
        if not most:
            return set()
        unknown = dict.fromkeys(one for one in installations if one and one not in self._seen)
        with self._guard:
            return {one for one in unknown if not self._let_in(project, key, one, most)}

    def _let_in(self, project: str, key: str, installation: int, most: int) -> bool:
        mark = self._hasher.mark(installation)
        if mark not in self._marks:
            if self.new_today(project, key) >= most:
                return False
            self._add(project, mark, key, self._day)
        self._seen.add(installation)
        return True

    def knows(self, installation: int) -> bool:
        """Tell whether an id was let in."""
        return installation in self._seen or self._hasher.mark(installation) in self._marks

    def know(self, project: str, installation: int) -> None:
        """Let an id in that somebody has looked at."""
        mark = self._hasher.mark(installation)
        with self._guard:
            if mark not in self._marks:
                self._marks.add(mark)
                self._write(project, mark, _EVERY_KEY, self._today())

    def forget(self, today: date) -> None:
        """Remove the marks that are past their time from the store. In memory they stay until the next start."""
        self._engine.delete("known_ids", "keep_until < {today:Date}", {"today": today})

    def new_today(self, project: str, key: str) -> int:
        """How many ids a key has brought today."""
        today = self._today()
        if today != self._day:
            self._day = today
            self._new.clear()
        return self._new.get((project, key), 0) + self._new.get((project, _EVERY_KEY), 0)

    def _add(self, project: str, mark: int, key: str, first_day: date) -> None:
        self._marks.add(mark)
        if first_day == self._day:
            self._count(project, key)
        self._write(project, mark, key, first_day)

    def _write(self, project: str, mark: int, key: str, first_day: date) -> None:
        keep_until = first_day + timedelta(days=self._keep_days(project))
        self._write_behind.add("known_ids", schema.KNOWN_IDS, (project, mark, key, first_day, keep_until))

    def _count(self, project: str, key: str) -> None:
        self._new[project, key] = self._new.get((project, key), 0) + 1
