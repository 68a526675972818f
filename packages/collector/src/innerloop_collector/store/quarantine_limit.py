"""How much that fits no plan may come into quarantine: a committed write key lets anyone send it.

Counted are the bytes that came in on a day, for each project, also of events that left since. The table of violations has them, so that a
restart forgets nothing. Only the writer's thread claims.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import date, timedelta

import structlog

from innerloop_collector.db.engine import Engine
from innerloop_collector.store.events import QuarantineRow, size_of

_NEARLY = 0.9
_log = structlog.get_logger()


class QuarantineLimit:
    """Knows how full each project's quarantine is today."""

    def __init__(self, engine: Engine, most: int, free: Collection[str], today: Callable[[], date]) -> None:
        """`most` is in bytes, of a project and day; 0: any number. `free` are reasons of what fits its plan: that takes no space."""
        self._engine = engine
        self._most = most
        self._free = free
        self._today = today
        self._taken: Counter[tuple[str, date]] = Counter()
        self._claimed: Counter[tuple[str, date]] = Counter()
        self._said: set[tuple[str, date]] = set()

    def load(self) -> None:
        """Read what came today, and yesterday: what came before midnight may be stored after it."""
        sql = "SELECT project, day, sum(bytes) FROM violations WHERE day >= {since:Date} AND reason NOT IN {free:Array(String)} GROUP BY project, day"
        for project, day, taken in self._engine.query(sql, {"since": self._today() - timedelta(days=1), "free": list(self._free)}):
            self._taken[project, day] = taken

    def full(self) -> list[str]:
        """The projects whose quarantine is full today, or nearly. Any thread may ask."""
        nearly = {which for which, taken in self._taken.copy().items() if self._most and taken > _NEARLY * self._most}
        return sorted(project for project, day in nearly | self._said.copy() if day == self._today())

    def begin(self) -> None:
        """A commit begins. What one claimed that failed is free again."""
        self._claimed.clear()

    def claim(self, row: QuarantineRow) -> bool:
        """Claim space for a row. Returns whether there is any."""
        if not self._most or row.reason in self._free:
            return True
        which, size = (row.project, row.received_day), size_of(row)
        if self._taken[which] + self._claimed[which] + size > self._most:
            self._say(*which)
            return False
        self._claimed[which] += size
        return True

    def commit(self) -> None:
        """What was claimed is on the disk."""
        self._taken.update(self._claimed)
        self._claimed.clear()
        for which in [one for one in self._taken if one[1] < self._today() - timedelta(days=1)]:
            del self._taken[which]
            self._said.discard(which)

    def _say(self, project: str, day: date) -> None:
        """Say it once a day and project."""
        if (project, day) not in self._said:
            self._said.add((project, day))
            _log.warning("quarantine is full today; more is counted and not kept", project=project, most_bytes=self._most)
