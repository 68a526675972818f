"""What a destination gets of an event, before it takes the destination's own form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from innerloop_collector.config.configuration import LARGEST_BATCH

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


class Taken:
    """What a destination took last, each signal (spans, metrics) by itself: of a batch that is sent again only the rest is sent.

    It outlives the ways to the destination.
    """

    def __init__(self, most: int = 4 * LARGEST_BATCH) -> None:
        self._most = most  # of each signal of two batches
        self._taken: dict[tuple[str, int], None] = {}
        self._declined = 0

    def lacking(self, signal: str, records: Iterable[Record]) -> list[Record]:
        """Those of some records whose signal was not taken."""
        return [record for record in records if (signal, record.position) not in self._taken]

    def add(self, signal: str, records: Iterable[Record], declined: int) -> None:
        """Remember that a signal was taken, and how many of its items were declined by that; the oldest make room."""
        self._taken |= dict.fromkeys((signal, record.position) for record in records)
        for one in list(self._taken)[: -self._most]:
            del self._taken[one]
        self._declined += declined

    def tell_declined(self) -> int:
        """How much was declined since this was asked last."""
        declined, self._declined = self._declined, 0
        return declined


class Sender(Protocol):
    """A way to one destination. Used by one thread, except for `close`."""

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch; on return the destination has acknowledged it. Raises SendError.

        Returns how many of the events it took and then declined by itself, which must not be sent again.
        """

    def close(self) -> None:
        """Let go of connections; whoever waits for an answer may stop waiting."""
