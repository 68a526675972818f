"""The one writer: collects what waits, commits it as a group, and only then lets anybody say yes."""

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from innerloop_collector.background import BackgroundWorker
from innerloop_collector.config.configuration import Store
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.store.events import INSTALLATION, MESSAGE_KEY, EventTables, QuarantineRow, Row
from innerloop_collector.store.quarantine_limit import QuarantineLimit
from innerloop_collector.store.tombstones import Erasures, Registration, Tombstone, Tombstones

_WORTH_IT = 1_000  # rows that cost as much as a commit of nothing; to wait for more than that gains little
_log = structlog.get_logger()


class Receipt(NamedTuple):
    """What became of a request's events when they had reached the disk."""

    stored: int = 0
    quarantined: int = 0
    repeated: int = 0
    erased: int = 0  # not kept, because their installation was erased
    kept_out: int = 0  # not kept, because there was no space in quarantine
    erased_keys: frozenset[int] = frozenset()  # of those messages
    kept_out_keys: frozenset[int] = frozenset()


@dataclass(slots=True)
class Job:
    """One request's events, and the promise of a receipt."""

    accepted: Sequence[Row]
    quarantined: Sequence[QuarantineRow]
    registrations: Sequence[Registration] = ()
    tombstones: Sequence[Tombstone] = ()
    judged_again: Sequence[QuarantineRow] = ()
    receipt: "Future[Receipt]" = field(default_factory=Future)

    @property
    def events(self) -> int:
        """How many events wait with this job."""
        return len(self.accepted) + len(self.quarantined)

    @property
    def size(self) -> int:
        """How many rows wait with this job."""
        return self.events + len(self.registrations) + len(self.judged_again)


class Writer:
    """A thread that makes durable what is handed to it, many requests per commit."""

    def __init__(
        self, tables: EventTables, erasures: Erasures, tombstones: Tombstones, quarantine_limit: QuarantineLimit, settings: Store
    ) -> None:
        self._tables = tables
        self._erasures = erasures
        self._tombstones = tombstones
        self._quarantine_limit = quarantine_limit
        self._settings = settings
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._guard = threading.Lock()
        self._closed = False
        self._ended = self._took = 0.0  # of the last commit, s
        self._worker = BackgroundWorker("writer", self._turn, failed="the writer failed", pause_after_failure=0.0)
        self.last_failure: str | None = None

    def start(self) -> None:
        """Begin to work."""
        self._worker.start()

    def submit(
        self,
        accepted: Sequence[Row],
        quarantined: Sequence[QuarantineRow],
        registrations: Sequence[Registration] = (),
        tombstones: Sequence[Tombstone] = (),
        judged_again: Sequence[QuarantineRow] = (),
    ) -> "Future[Receipt]":
        """Hand events over, and what concerns their erasure. The future has a receipt once they are on the disk, else a StoreError.

        `judged_again` takes the place of rows that wait already.

        Raises QueueFull when too much waits already.
        """
        job = Job(accepted, quarantined, registrations, tombstones, judged_again)
        job.receipt.set_running_or_notify_cancel()  # from here on nobody can take it back
        with self._guard:
            if self._closed:
                raise StoreError("the store is closing")
            if self._waiting and self._waiting + job.size > self._settings.waiting_rows:
                raise QueueFull("too many events wait for the store")
            self._waiting += job.size
            self._jobs.put(job)
        return job.receipt

    @property
    def committed(self) -> int:
        """The position up to which every event is on the disk."""
        return self._tables.committed

    @property
    def waiting(self) -> int:
        """How many rows wait to be committed."""
        return self._waiting

    @property
    def alive(self) -> bool:
        """Tell whether the thread is there."""
        return self._worker.alive

    def can_write(self) -> bool:
        """Tell whether commits succeed. After a failure this tries one of its own, so that it heals without traffic."""
        if self.last_failure is None:
            return True
        try:
            self._tables.probe()
        except StoreError:
            return False
        self.last_failure = None
        return True

    def stop(self) -> None:
        """Commit everything that was handed over, then end."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._worker.join()

    def _turn(self) -> float:
        group, open_for_more = self._collect()
        if not open_for_more:
            self._worker.request_stop()
        if group:
            began = time.monotonic()
            self._commit_or_split(group)
            self._ended = time.monotonic()
            self._took = self._ended - began
            with self._guard:
                self._waiting -= sum(job.size for job in group)
        return 0.0

    def _collect(self) -> tuple[list[Job], bool]:
        """Wait for a job, then take what else comes, up to a full group.

        A commit costs about as much for one event as for a thousand. So after one as much time passes as it took, and more can gather;
        where a thousand are there sooner, they wait no longer.
        """
        job = self._jobs.get()
        group: list[Job] = []
        rows = 0
        deadline = self._ended + min(self._took, self._settings.linger_seconds)
        while job is not None:
            group.append(job)
            rows += job.size
            if rows >= self._settings.group_rows:
                return group, True
            patience = deadline - time.monotonic() if rows < _WORTH_IT else 0
            try:
                job = self._jobs.get(timeout=max(patience, 0))
            except queue.Empty:
                return group, True
        return group, False

    def _commit_or_split(self, group: list[Job]) -> None:
        """Commit a group; if that fails, each job alone, so that one cannot hold up its neighbours."""
        try:
            receipts = self._commit(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
            if len(group) > 1 and not isinstance(error, MemoryError):
                for job in group:
                    self._commit_or_split([job])
            else:
                self._fail(group, error)
            return
        self.last_failure = None
        for job, receipt in zip(group, receipts, strict=True):
            job.receipt.set_result(receipt)

    def _fail(self, group: list[Job], error: Exception) -> None:
        self.last_failure = str(error) if isinstance(error, StoreError) else type(error).__name__
        failure = error if isinstance(error, StoreError) else StoreError(f"the store failed: {type(error).__name__}")
        for job in group:
            job.receipt.set_exception(failure)
        _log.error("commit failed", error=self.last_failure, events=sum(job.events for job in group))

    def _commit(self, group: list[Job]) -> list[Receipt]:
        """Store what is new of a group. Tombstones come first, so that no event is stored after the one of its installation."""
        self._register([one for job in group for one in job.registrations])
        self._add_tombstones([one for job in group for one in job.tombstones])
        erased = self._tombstones.erased(_installations(group))
        keys = [row[MESSAGE_KEY] for job in group for row in job.accepted]
        waiting = [row.message_key for job in group for row in job.quarantined]
        stored = self._tables.known_events(keys + waiting)
        held = self._tables.known_quarantined(waiting) | stored
        new_events: list[Row] = []
        new_waiting: list[QuarantineRow] = []
        kept_out: list[QuarantineRow] = []
        self._quarantine_limit.begin()
        receipts = []
        for job in group:
            before = len(new_events), len(new_waiting), len(kept_out)
            gone: list[int] = []
            for row in job.accepted:
                if row[INSTALLATION] in erased:
                    gone.append(row[MESSAGE_KEY])
                elif row[MESSAGE_KEY] not in stored:
                    stored.add(row[MESSAGE_KEY])
                    held.add(row[MESSAGE_KEY])
                    new_events.append(row)
            for waiter in job.quarantined:
                if waiter.installation in erased:
                    gone.append(waiter.message_key)
                elif waiter.message_key not in held:
                    held.add(waiter.message_key)
                    (new_waiting if self._quarantine_limit.claim(waiter) else kept_out).append(waiter)
            fresh = len(new_events) - before[0], len(new_waiting) - before[1]
            beyond = frozenset(waiter.message_key for waiter in kept_out[before[2] :])
            repeated = job.events - sum(fresh) - len(gone) - (len(kept_out) - before[2])
            receipts.append(Receipt(*fresh, repeated, len(gone), len(kept_out) - before[2], frozenset(gone), beyond))
        self._tables.insert_events(new_events)
        self._tables.insert_quarantined(new_waiting, kept_out)
        self._quarantine_limit.commit()
        self._tables.replace_quarantined([row for job in group for row in job.judged_again if row.installation not in erased])
        return receipts

    def _register(self, registrations: list[Registration]) -> None:
        """Keep the first registration of each installation."""
        if not registrations:
            return
        known = self._erasures.proofs({one.mark for one in registrations})
        new: list[Registration] = []
        others = 0
        for one in registrations:
            if one.mark not in known:
                known[one.mark] = one.proof
                new.append(one)
            others += known[one.mark] != one.proof
        if others:
            _log.warning("erasure secrets ignored, since another one came first", secrets=others)
        self._erasures.register(new)

    def _add_tombstones(self, tombstones: list[Tombstone]) -> None:
        """From here on nothing of these installations is kept."""
        self._erasures.add_tombstones(tombstones)
        self._tombstones.add(one.mark for one in tombstones)


def _installations(group: list[Job]) -> set[int]:
    """Whose events a group holds."""
    accepted = {row[INSTALLATION] for job in group for row in job.accepted}
    return accepted | {row.installation for job in group for row in (*job.quarantined, *job.judged_again)}
