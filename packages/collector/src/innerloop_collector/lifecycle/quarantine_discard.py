"""Take away what waits in quarantine before its time: somebody has looked, and nobody will let it in."""

from collections.abc import Callable
from datetime import date

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.mutations import RowsToDelete
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.store.writer import Writer

_WHAT = "discarded"
_WAITING = "project = {project:String} AND reason = {reason:String}"


class QuarantineDiscard:
    """Removes what waits in a project for one reason, and counts it."""

    def __init__(self, engine: Engine, writer: Writer, purger: Purger, today: Callable[[], date]) -> None:
        self._engine = engine
        self._writer = writer
        self._purger = purger
        self._today = today

    def discard(self, project: str, reason: str) -> int:
        """Remove it. Returns how many events went; on return their bytes are in no file of the store. Raises StoreError."""
        parameters = {"project": project, "reason": reason}
        with self._purger.alone:
            self._writer.submit([], []).result()  # what was judged before is stored, and found
            sql = f"SELECT received_day, count() FROM quarantine FINAL WHERE {_WAITING} GROUP BY received_day"
            days: dict[date, int] = {row[0]: row[1] for row in self._engine.query(sql, parameters)}
            if days:
                self._write_down(project, days)
                self._purger.purge([RowsToDelete("quarantine", _WAITING, parameters)])
        return sum(days.values())

    def _write_down(self, project: str, days: dict[date, int]) -> None:
        """Count what goes, with what went on the same day already. Killed and asked for again, it counts what had not gone yet twice."""
        today = self._today()
        sql = "SELECT day, rows FROM expired FINAL WHERE project = {project:String} AND what = {what:String} AND last_day = {today:Date}"
        before = {row[0]: row[1] for row in self._engine.query(sql, {"project": project, "what": _WHAT, "today": today})}
        rows = [(project, _WHAT, day, today, events + before.get(day, 0), today) for day, events in days.items()]
        self._engine.insert("expired", schema.EXPIRED, rows)
