"""What a destination gets of an event, before it takes the destination's own form. May import: configuration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from innerloop_collector.configuration import LARGEST_BATCH

Value = str | int | bool | datetime


@dataclass(frozen=True, slots=True)
class Record:
    """An event as far as the recipient may have it."""

    position: int
    keep_until: date  # of the row; it is gone after this day
    project: str
    kind: str  # run, target, opt_in, opt_out
    event: str  # what the project calls it on the wire
    time: datetime  # by the collector's clock, as exact as was agreed
    fields: dict[str, Value]  # by the plan's names; what is absent is not there
    rename: dict[str, str]  # what the project calls a field on the wire
    message: str  # the same for every repetition of this event, different at every destination
    nobody: str  # an id that is used once
    person: str | None  # a pseudonym, where that was agreed
    trace: int  # of the run, 128 bits, never 0
    span: int  # of this run or target, 64 bits, never 0
    parent: int  # of the span above; 0: none


class Counted:
    """The last records that a destination has counted and could not tell from their repetition. It outlives the ways to the destination."""

    def __init__(self, most: int = 2 * LARGEST_BATCH) -> None:
        self._most = most
        self._positions: dict[int, None] = {}

    def __contains__(self, record: Record) -> bool:
        return record.position in self._positions

    def add(self, records: Iterable[Record]) -> None:
        """Remember records; the oldest make room."""
        self._positions |= dict.fromkeys(record.position for record in records)
        for position in list(self._positions)[: -self._most]:
            del self._positions[position]


class Sender(Protocol):
    """A way to one destination. Used by one thread, except for `close`."""

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch; on return the destination has acknowledged it. Raises SendError.

        Returns how many of the events it took and then declined by itself, which must not be sent again.
        """

    def close(self) -> None:
        """Let go of connections; whoever waits for an answer may stop waiting."""
