# ruff: noqa: S608 - names of tables and columns are ours; every value is a parameter
"""Where each destination stands: its cursor, its counts and what it set aside.

All of it lies in the store, so that a restart goes on where the last one ended. What was set aside is known by its position alone:
when the row is erased or expires nothing of it is left here.
"""

import json
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.exporters.record import Record

LOST = "1970-01-01"


@dataclass(frozen=True, slots=True)
class State:
    """One destination, as it is on the disk."""

    destination: str
    position: int  # everything up to here is settled: delivered, set aside, or not for this recipient
    started_position: int
    started_day: date
    paused: bool = False
    sent: dict[str, int] = field(default_factory=dict)  # project -> events that were acknowledged
    ends: dict[str, str] = field(default_factory=dict)  # project -> the last day of the first row of those that goes; LOST: any may be gone
    declined: int = 0  # events that the destination took and then declined by itself
    version: int = 0


class Fate(StrEnum):
    """What becomes of an event that was set aside."""

    WAITING = "waiting"
    AGAIN = "again"  # to be tried once more
    SENT = "sent"
    GONE = "gone"  # erased or expired meanwhile, or no longer for this recipient


class SetAside(NamedTuple):
    """An event that its destination does not take, in the order of schema.SET_ASIDE."""

    destination: str
    position: int
    project: str
    kind: str
    reason: str
    day: date
    fate: str
    version: int


class States:
    """The states of all destinations. Any thread may ask and change."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._states: dict[str, State] = {}

    def load(self) -> None:
        """Read everything from the store."""
        columns = ", ".join(schema.DESTINATION_STATE)
        rows = self._engine.query(f"SELECT {columns} FROM destination_state FINAL")
        self._states = {row[0]: _state(row) for row in rows}

    def get(self, destination: str) -> State | None:
        """Say where a destination stands. None: it never ran."""
        return self._states.get(destination)

    def all(self) -> list[State]:
        """Every destination that ever ran, also those that are configured no more."""
        return list(self._states.values())

    def highest(self) -> int:
        """The highest position that any destination has settled: the writer must not give it out again."""
        return max((state.position for state in self._states.values()), default=0)

    def begin(self, destination: str, position: int, day: date) -> State:
        """Start a destination that never ran."""
        with self._guard:
            return self._put(State(destination, position, position, day))

    def change(self, destination: str, **changes: Any) -> State:
        """Make a change durable."""
        with self._guard:
            return self._put(replace(self._states[destination], **changes))

    def doubt(self, projects: Collection[str]) -> None:
        """Make durable that every destination may have more of some projects than is known here."""
        for state in self.all():
            self.change(state.destination, ends={**state.ends, **dict.fromkeys(projects, LOST)})

    def advance(self, destination: str, position: int, accepted: Sequence[Record] = (), declined: int = 0) -> State:
        """Move a cursor, and count what was acknowledged."""
        with self._guard:
            old = self._states[destination]
            sent, ends = dict(old.sent), dict(old.ends)
            for record in accepted:
                sent[record.project] = sent.get(record.project, 0) + 1
                end = record.keep_until.isoformat()
                ends[record.project] = min(end, ends.get(record.project, end))
            furthest = max(position, old.position)
            return self._put(replace(old, position=furthest, sent=sent, ends=ends, declined=old.declined + declined))

    def _put(self, state: State) -> State:
        state = replace(state, version=state.version + 1)
        self._engine.insert("destination_state", schema.DESTINATION_STATE, [_row(state)])
        self._states[state.destination] = state
        return state

    def put_aside(self, events: Sequence[SetAside]) -> None:
        """Make durable that events were set aside, or what became of them."""
        if events:
            self._engine.insert("set_aside", schema.SET_ASIDE, events)

    def set_aside(self, destination: str, fates: Collection[Fate], limit: int = 10_000) -> list[SetAside]:
        """What a destination set aside, oldest first."""
        sql = f"""SELECT {", ".join(schema.SET_ASIDE)} FROM set_aside FINAL
            WHERE destination = {{destination:String}} AND fate IN {{fates:Array(String)}} ORDER BY position LIMIT {{limit:UInt32}}"""
        parameters = {"destination": destination, "fates": [str(fate) for fate in fates], "limit": limit}
        return [SetAside(*row) for row in self._engine.query(sql, parameters)]

    def ever_set_aside(self, destination: str, project: str) -> bool:
        """Tell whether a destination ever set an event of a project aside."""
        sql = "SELECT count() FROM set_aside WHERE destination = {destination:String} AND project = {project:String}"
        return bool(self._engine.query(sql, {"destination": destination, "project": project})[0][0])

    def count_set_aside(self, destination: str) -> int:
        """How many events a destination set aside and has not got since."""
        sql = """SELECT count() FROM set_aside FINAL WHERE destination = {destination:String} AND fate IN ('waiting', 'again')"""
        return int(self._engine.query(sql, {"destination": destination})[0][0])


def with_fate(event: SetAside, fate: Fate, reason: str | None = None) -> SetAside:
    """Say what became of an event that was set aside."""
    return event._replace(fate=str(fate), reason=event.reason if reason is None else reason, version=event.version + 1)


def _row(state: State) -> tuple[Any, ...]:
    sent, ends = json.dumps(state.sent, sort_keys=True), json.dumps(state.ends, sort_keys=True)
    start = state.destination, state.position, state.started_position, state.started_day
    return (*start, state.paused, sent, ends, state.declined, state.version)


def _state(row: Sequence[Any]) -> State:
    destination, position, started_position, started_day, paused, sent, ends, declined, version = row
    counts = json.loads(sent), json.loads(ends), declined
    return State(destination, position, started_position, started_day, bool(paused), *counts, version)
