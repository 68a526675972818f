"""One destination's thread: reads, sends, and moves the cursor when the destination has acknowledged.

The order makes it at least once: what was set aside is noted, then the cursor moves, and only after the destination's answer. A process
that is killed in between sends a batch again, under the same names.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog

from innerloop_collector.background import BackgroundWorker
from innerloop_collector.config.configuration import LARGEST_BATCH, Destination
from innerloop_collector.errors import StoreError
from innerloop_collector.exporters.agreed_fields import RecipientTerms, last_day, passable, record
from innerloop_collector.exporters.delivery import Backoff, Outcome, deliver
from innerloop_collector.exporters.failures import Refusing, SendError, TakesNone
from innerloop_collector.exporters.pseudonyms import Pseudonyms
from innerloop_collector.exporters.record import Record, Sender
from innerloop_collector.exporters.source import Keys, Source
from innerloop_collector.exporters.state import Fate, SetAside, State, States, with_fate
from innerloop_collector.store.catalogue import Catalogue

_PAGE = 5_000  # positions that are read at once
_POLL = 0.5  # seconds between two looks at a number in memory
_NOTE_SKIPPED = 30.0  # seconds after which a cursor is written that moved although nothing was sent
_PATIENCE = 8  # attempts in a row of which every event was rejected, before they are set aside all the same
_log = structlog.get_logger()


class _Closed(Exception):
    """The store must not be touched any more."""


@dataclass(frozen=True, slots=True)
class SharedContext:
    """What all workers share."""

    source: Source
    states: States
    catalogue: Callable[[], Catalogue]
    erased: Callable[[Collection[int]], set[int]]
    committed: Callable[[], int]
    now: Callable[[], datetime]

    def may_have_sent(self, state: State, terms: Keys) -> int:
        """How far a destination may be: a process that was killed may have sent one batch more than it noted, under these terms or others."""
        ends = (self.source.batch_end(state.position, LARGEST_BATCH, keys) for keys in (terms, passable(self.catalogue())))
        return max(state.position, *ends)

    @property
    def today(self) -> date:
        """The day (UTC) by the collector's clock."""
        return self.now().date()


@dataclass(slots=True)
class Progress:
    """What is known while the process lives. Written by the worker, read by anybody."""

    running: bool = False
    attempted: int = 0  # no event above this position was ever handed to the destination
    last_error: str | None = None
    store_error: str | None = None  # why the last turn ended, where the store was at fault: nothing is sent until it works again
    last_delivery: datetime | None = None
    next_try: float = 0.0  # on the monotonic clock; 0: not waiting
    level_since: float = 0.0  # on the monotonic clock, when the cursor was last level with the store


class DestinationWorker:
    """Delivers to one destination."""

    def __init__(
        self, name: str, settings: Destination, names: Pseudonyms, around: SharedContext, open_sender: Callable[[], Sender]
    ) -> None:
        self.name = name
        self.settings = settings
        self.release = RecipientTerms(settings.recipient, settings.projects)
        self.progress = Progress()
        self.backoff = Backoff(settings.first_pause_seconds, settings.longest_pause_seconds)
        self._store_backoff = Backoff(settings.first_pause_seconds, settings.longest_pause_seconds)
        self._names = names
        self._context = around
        self._open_sender = open_sender
        self._sender: Sender | None = None
        self._position = 0
        self._rejections = 0  # attempts in a row, until now, of which every event was rejected
        self._noted = 0.0
        self._look_again = True  # for events that were set aside and are to be tried once more
        self._guard = threading.Lock()
        self._closed = False
        self._worker = BackgroundWorker(f"destination {name}", self._turn, at_end=self._end)

    @property
    def position(self) -> int:
        """How far it is, also where that is not on the disk yet."""
        return self._position

    @property
    def state(self) -> State:
        """Where the destination stands on the disk."""
        state = self._context.states.get(self.name)
        assert state is not None
        return state

    def load(self) -> None:
        """Find the cursor, or begin one. Nothing is sent before `start`."""
        committed = self._context.committed()
        state = self._context.states.get(self.name)
        if state is None:
            first = 0 if self.settings.start == "beginning" else committed
            state = self._context.states.begin(self.name, first, self._context.today)
        self._position = state.position
        self.progress.attempted = self._context.may_have_sent(state, self.release.terms(self._context.catalogue()))
        self.progress.level_since = time.monotonic()

    def start(self) -> None:
        """Begin to work."""
        self.progress.running = True
        self._worker.start()

    def ask_to_stop(self) -> None:
        """Begin nothing new."""
        self._worker.request_stop()

    def close(self, patience: float) -> None:
        """Wait for some seconds. A thread that still waits for its destination then is left alone, and cannot touch the store."""
        self._worker.join(max(patience, 0.0))
        with self._guard:
            self._closed = True
        self.progress.running = False

    def wake(self) -> None:
        """Look at once, whatever was waited for."""
        self._look_again = True
        self._worker.wake()

    def _turn(self) -> float:
        self.progress.next_try = 0.0
        try:
            return 0.0 if self._deliver_more() else _POLL
        except _Closed:
            self._worker.request_stop()
            return 0.0
        except StoreError as error:
            return self._store_failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the destination is tried again later and later
            self._store_works()
            return self._failed(error)

    def _end(self) -> None:
        with contextlib.suppress(_Closed, StoreError):
            self._note_position()
        self._drop_sender()

    @contextlib.contextmanager
    def _store(self) -> Iterator[None]:
        """Hold the store open."""
        with self._guard:
            if self._closed:
                raise _Closed
            yield

    def _deliver_more(self) -> bool:
        """Do one piece of work. Returns whether there may be more."""
        if self.state.paused:
            return False
        if self.progress.store_error:
            with self._store():  # written before anything is sent: what could not be noted would be sent again and again
                self._context.states.change(self.name)
        more = self._work_once()
        self._store_works()
        return more

    def _work_once(self) -> bool:
        if self._look_again and self._try_again():
            return True
        if time.monotonic() - self._noted > _NOTE_SKIPPED:
            self._note_position()
        committed = self._context.committed()
        if self._position >= committed:
            self.progress.level_since = time.monotonic()
            return False
        self._page(committed)
        return True

    def _page(self, committed: int) -> None:
        terms = self.release.terms(self._context.catalogue())
        until = min(self._position + _PAGE, committed) if terms else committed
        with self._store():
            rows = self._context.source.window(self._position, until, terms)
            if not rows and until < committed:
                until = max(until, self._context.source.next_after(until) - 1)
        for first in range(0, len(rows), self.settings.batch):
            if self._worker.stopping or self.state.paused:
                return
            self._batch(rows[first : first + self.settings.batch])
        self._position = until

    def _batch(self, rows: Sequence[Sequence[Any]]) -> None:
        batch = self._records(rows)
        if batch:
            outcome = deliver(self._connected(), batch)
            self._note_outcome(outcome)
        self._position = rows[-1][0]

    def _records(self, rows: Sequence[Sequence[Any]]) -> list[Record]:
        """Make what may be sent of rows, at this moment: what was erased or expired since they were read is left out."""
        if rows:
            self.progress.attempted = max(self.progress.attempted, rows[-1][0])  # first, so that an erasure that comes now counts it
        catalogue = self._context.catalogue()
        terms = self.release.terms(catalogue)
        erased = self._context.erased({row[3] for row in rows})
        today = self._context.today
        return [
            record(row, found, self._names, end)
            for row in rows
            if row[3] not in erased and (end := last_day(row, catalogue)) >= today and (found := terms.get((row[1], row[5])))
        ]

    def _note_outcome(self, outcome: Outcome) -> None:
        """Make durable what became of a batch. Raises what ended it early."""
        failure = outcome.failure
        if isinstance(failure, TakesNone) and self._rejections < _PATIENCE:
            raise failure
        self._succeeded(outcome)
        if outcome.settled:
            with self._store():
                self._context.states.put_aside([self._aside(record, reason) for record, reason in outcome.rejected])
                self._context.states.advance(self.name, outcome.settled, outcome.accepted, outcome.declined)
            self._position = outcome.settled
            self._noted = time.monotonic()
        if failure is not None:
            raise failure

    def _aside(self, record: Record, reason: str) -> SetAside:
        day = self._context.today
        return SetAside(self.name, record.position, record.project, record.kind, reason, day, str(Fate.WAITING), 1)

    def _try_again(self) -> bool:
        """Send what was set aside and shall be tried once more. Returns whether there was any."""
        with self._store():
            states = self._context.states
            events = {event.position: event for event in states.set_aside(self.name, [Fate.AGAIN], self.settings.batch)}
            rows = self._context.source.at(list(events), self.release.terms(self._context.catalogue()))
        if not events:
            self._look_again = False
            return False
        batch = self._records(rows)
        outcome = deliver(self._connected(), batch) if batch else Outcome()
        self._succeeded(outcome)
        there = {record.position for record in batch}
        fates = [with_fate(event, Fate.GONE) for position, event in events.items() if position not in there]
        fates += [with_fate(events[record.position], Fate.SENT) for record in outcome.accepted]
        fates += [with_fate(events[record.position], Fate.WAITING, reason) for record, reason in outcome.rejected]
        with self._store():
            states.put_aside(fates)
            states.advance(self.name, 0, outcome.accepted, outcome.declined)
        if outcome.failure is not None and not isinstance(outcome.failure, TakesNone):
            raise outcome.failure
        return True

    def _note_position(self) -> None:
        with self._store():
            if self._position > self.state.position:
                self._context.states.advance(self.name, self._position)
        self._noted = time.monotonic()

    def _connected(self) -> Sender:
        if self._sender is None:
            self._sender = self._open_sender()
        return self._sender

    def _drop_sender(self) -> None:
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def _succeeded(self, outcome: Outcome) -> None:
        if not outcome.accepted:
            return
        if self.progress.last_error:
            _log.info("destination works again", destination=self.name)
        self.progress.last_delivery = self._context.now()
        self.progress.last_error = None
        self.backoff.reset()
        self._rejections = 0

    def _store_works(self) -> None:
        """Note that the store did, reading and writing, what a whole turn asked of it."""
        if self.progress.store_error:
            _log.info("destination goes on, as the store works again", destination=self.name)
        self.progress.store_error = None
        self._store_backoff.reset()

    def _store_failed(self, error: StoreError) -> float:
        """Note that the store fails, which is no fault of the destination. Returns for how long to wait."""
        pause = self._store_backoff.next()
        if not self.progress.store_error:
            _log.warning("destination waits for the store", destination=self.name, error=str(error))
        self.progress.store_error = str(error)
        self.progress.next_try = time.monotonic() + pause
        return pause

    def _failed(self, error: Exception) -> float:
        """Note a failure of the destination, or of ours in dealing with it. Returns for how long to wait."""
        reason = error.reason if isinstance(error, SendError) else "the exporter failed; with log_level = debug the log says where"
        if not isinstance(error, SendError):
            _log.debug("exporter failed", destination=self.name, exc_info=error)
        self._rejections = self._rejections + 1 if isinstance(error, TakesNone) else 0
        pause = self.backoff.next(error.wait if isinstance(error, SendError) else 0.0)
        count = self.backoff.failures
        if reason != self.progress.last_error or count & (count - 1) == 0:
            _log.warning("destination failed", destination=self.name, error=reason, failures=count, next_try_seconds=round(pause, 1))
        self.progress.last_error = reason
        self.progress.next_try = time.monotonic() + pause
        if not isinstance(error, SendError) or isinstance(error, Refusing):
            self._drop_sender()  # the next attempt reads the key anew
        return pause
