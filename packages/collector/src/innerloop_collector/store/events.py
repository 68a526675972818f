"""Reading and writing events and quarantine.

Every method runs in the calling thread; the caller sees to it that there is one writer.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.integrity import projection
from innerloop_collector.db.mutations import forget_mutations

Row = tuple[Any, ...]  # an event's values in the order of schema.EVENTS
MESSAGE_KEY = list(schema.EVENTS).index("message_key")
INSTALLATION = list(schema.EVENTS).index("installation")
EVENT_TIME = list(schema.EVENTS).index("event_time")
# The projection is read by name: left to itself, the engine scans the whole table where that is fewer granules. Over a cluster it can only be preferred.
_KNOWN = """SELECT message_key FROM mergeTreeProjection(currentDatabase(), 'events', 'ids') WHERE message_key IN {keys:Array(UInt128)}
    SETTINGS max_threads = 1"""
_KNOWN_IN_CLUSTER = """SELECT message_key FROM events WHERE message_key IN {keys:Array(UInt128)}
    SETTINGS preferred_optimize_projection_name = 'ids'"""
_FIXED = 64  # bytes of a row that waits, besides what its sender wrote
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class QuarantineRow(NamedTuple):
    """An event that waits, in the order of schema.QUARANTINE."""

    project: str
    message_key: int
    installation: int
    reason: str
    fields: list[str]  # what breaks the plan, by the plan's names, never a value
    plan: str
    received_day: date
    body: bytes | str


class EventTables:
    """The tables of events."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.committed = 0  # every event with a position up to this one is on the disk, and to be seen
        self._position = 0  # the last one that was given out

    def count_on(self) -> None:
        """Mend what a loss of power may have damaged, and go on counting where the last process stopped."""
        self._mend_lookup("events")
        self.engine.parts_repair.read_again = self._mend_lookup
        self.number_after(self.engine.query("SELECT max(position) FROM events")[0][0])

    def _mend_lookup(self, table: str) -> None:
        if table == "events" and not self.engine.layout.cluster and projection.repair(self.engine):
            forget_mutations(self.engine)

    def number_after(self, position: int) -> None:
        """Give the next event a position after this one: the last rows may be erased by now, and whoever read them has noted how far they were."""
        self._position = self.committed = max(self._position, position)

    def known_events(self, keys: Sequence[int]) -> set[int]:
        """Tell which of the message keys are stored already."""
        return self._known(_KNOWN_IN_CLUSTER if self.engine.layout.cluster else _KNOWN, keys)

    def known_quarantined(self, keys: Sequence[int]) -> set[int]:
        """Tell which of the message keys wait in quarantine."""
        return self._known("SELECT message_key FROM quarantine WHERE message_key IN {keys:Array(UInt128)}", keys)

    def _known(self, sql: str, keys: Sequence[int]) -> set[int]:
        if not keys:
            return set()
        return {row[0] for row in self.engine.query(sql, {"keys": list(keys)})}

    def insert_events(self, rows: Sequence[Row]) -> None:
        """Number and store events, one atomic insert per month. A number whose insert failed is not used again.

        The engine writes down an insert's token before the part is there, and does not take it back where it then fails or is killed.
        So no two inserts have the same token: the second would be taken for a repetition, and its events would be gone.
        """
        numbered = [(*row, position) for position, row in enumerate(rows, self._position + 1)]
        self._position += len(numbered)
        for month in _by_month(numbered):
            self.engine.insert("events", schema.STORED, month, token=uuid.uuid4().hex)
        self.committed = self._position

    def insert_quarantined(self, rows: Sequence[QuarantineRow], kept_out: Sequence[QuarantineRow] = ()) -> None:
        """Store events that wait, then count what was wrong with them; a kill between the two leaves them uncounted, never counted twice.

        Those for which there was no space are counted only.
        """
        if rows:
            self.engine.insert("quarantine", schema.QUARANTINE, rows)
        if rows or kept_out:
            counts = Counter(_wrong(row, field) for row in (*rows, *kept_out) for field in {"", *row.fields})
            taken: Counter[_Wrong] = Counter()
            for row in rows:
                taken[_wrong(row, "")] += size_of(row)
            self.engine.insert("violations", schema.VIOLATIONS, [(*what, events, taken[what]) for what, events in counts.items()])

    def replace_quarantined(self, rows: Sequence[QuarantineRow]) -> None:
        """Store events that wait already in place of what was there."""
        if rows:
            self.engine.insert("quarantine", schema.QUARANTINE, rows)

    def violations(self) -> list[Sequence[Any]]:
        """How many events ever came into quarantine: project, reason, field ("": whatever the field), day, events."""
        return self.engine.query(
            """SELECT project, reason, field, day, sum(events) FROM violations
            GROUP BY project, reason, field, day ORDER BY project, reason, field, day"""
        )

    def quarantined(self, project: str, after: int, limit: int) -> list[QuarantineRow]:
        """The events of a project that wait, by message key, from after a key on."""
        sql = f"""SELECT {", ".join(schema.QUARANTINE)} FROM quarantine FINAL
            WHERE project = {{project:String}} AND message_key > {{after:UInt128}} ORDER BY message_key LIMIT {{limit:UInt32}}"""
        rows = self.engine.query(sql, {"project": project, "after": after, "limit": limit})
        return [QuarantineRow(*row) for row in rows]

    def quarantine_counts(self) -> list[Sequence[Any]]:
        """How many events wait: project, reason, fields, events, first day, last day."""
        return self.engine.query(
            """SELECT project, reason, arraySort(arrayDistinct(fields)) AS what, count(), min(received_day), max(received_day)
            FROM quarantine FINAL GROUP BY project, reason, what ORDER BY project, reason, what"""
        )

    def waiting(self) -> list[Sequence[Any]]:
        """How many events wait, by why: project, reason, events, first day, last day."""
        return self.engine.query(
            """SELECT project, reason, count(), min(received_day), max(received_day)
            FROM quarantine FINAL GROUP BY project, reason ORDER BY project, reason"""
        )

    def leave_quarantine(self, project: str, keys: Sequence[int]) -> None:
        """Remove events from quarantine, from the disk as well."""
        with self.engine.mutating:
            self.engine.command(
                f"""ALTER TABLE {self.engine.layout.altered("quarantine")} DELETE
                WHERE project = {{project:String}} AND message_key IN {{keys:Array(UInt128)}} SETTINGS mutations_sync = 2""",
                {"project": project, "keys": list(keys)},
            )
        forget_mutations(self.engine)

    def probe(self) -> None:
        """Write something harmless as durably as an event. Raises StoreError where that fails."""
        self.engine.insert("probes", schema.PROBES, [(self.engine.query("SELECT today()")[0][0],)])

    def counts(self) -> tuple[int, int]:
        """How many events are stored and how many wait."""
        events = self.engine.query("SELECT count() FROM events")[0][0]
        waiting = self.engine.query("SELECT count() FROM quarantine FINAL")[0][0]
        return events, waiting


_Wrong = tuple[str, str, str, date]


def _wrong(row: QuarantineRow, field: str) -> _Wrong:
    """What is wrong with an event, as violations are counted."""
    return row.project, row.reason, field, row.received_day


def size_of(row: QuarantineRow) -> int:
    """What a row takes, about, in bytes and before it is compressed."""
    texts = (row.body, row.plan, *row.fields)
    return _FIXED + sum(len(text if isinstance(text, bytes) else text.encode()) for text in texts)


def _by_month(rows: Sequence[Row]) -> Iterable[list[Row]]:
    months: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        moment = _EPOCH + timedelta(milliseconds=row[EVENT_TIME])
        months.setdefault((moment.year, moment.month), []).append(row)
    return months.values()
