"""The one eraser: lets installations be forgotten, several requests at a time.

The order makes it safe. First the proof of an id that waits to be let in is registered, so that its owner can ask again. The tombstone
next, through the writer: whatever the writer stored before is there to be found, and nothing of that installation is stored after. Then
the rows, then what is left of them in the engine's files, then the mark that the tombstone is finished. Killed anywhere, the next start
goes on from the tombstones that are not finished.
"""

import contextlib
import queue
import secrets
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog

from innerloop_collector.background import BackgroundWorker, describe
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.lifecycle.erasure_request import Claim, Copies, Erased, State, Verdict, judged
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.store.tombstones import Erasures, Proofs, ReceiptRow, Registration, Tombstone, Tombstones
from innerloop_collector.store.writer import Writer

_AGAIN = 30.0  # seconds until an erasure that failed is tried again, also if nobody asks
_MOST_WAITING = 1_000
NOT_PROVABLE = "not provable"
NOTHING_SENT = "nothing was sent"  # what an operator reads of a destination that the protocol calls erased
BACKUPS = "backups"  # the name under which a receipt speaks of them
_FATES = ("erased", "requested", NOT_PROVABLE)  # the worst last
_log = structlog.get_logger()


@dataclass(slots=True)
class _Job:
    project: str
    claims: Sequence[Claim]
    done: "Future[Erased]" = field(default_factory=Future)


class Eraser:
    """A thread that erases, and finishes what an earlier process began."""

    def __init__(
        self, erasures: Erasures, tombstones: Tombstones, writer: Writer, purger: Purger, copies: Copies, judging: Callable[[], datetime]
    ) -> None:
        """`judging` is the instant by which something is past its time: in the backups that are rewritten."""
        self._erasures = erasures
        self._purger = purger
        self._tombstones = tombstones
        self._writer = writer
        self._journal, self._backups, self._elsewhere = copies
        self._judging = judging
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._worker = BackgroundWorker("eraser", self._turn, failed="the eraser failed", pause_after_failure=_AGAIN)
        self._next_try = 0.0  # at what is not finished, on the monotonic clock
        self._unfinished: dict[int, str] = {}  # mark -> project
        self._untold: dict[int, int] = {}  # mark -> rows that went, until an answer says so
        self._fates: dict[int, dict[str, str]] = {}  # mark -> what became of it at the destinations, until an answer says so
        self._reached: dict[int, str] = {}  # mark -> what became of it in the backups, until an answer says so

    def load(self) -> None:
        """Read the tombstones, and let store and journal have each other's: either may be older. To be called before the writer starts."""
        there = self._erasures.tombstones()
        known = {row.mark for row in there}
        missed = [row for row in self._journal.read() if row.mark not in known]
        self._erasures.add_tombstones(missed)
        rows = [*there, *missed]
        self._journal.add(rows, self._today())
        self._tombstones.add(row.mark for row in rows)
        self._unfinished = {row.mark: row.project for row in rows if not row.finished}

    def tell_the_journals(self) -> None:
        """Add to the journal, and to the copies that are within reach again, what they miss. Raises StoreError."""
        self._journal.add(self._erasures.tombstones(), self._today())

    def _today(self) -> date:
        return self._judging().date()

    def start(self) -> None:
        """Begin to work."""
        self._worker.start()

    @property
    def working(self) -> bool:
        """Whether the eraser's thread works off what is asked for."""
        return self._worker.alive

    def work_off(self) -> None:
        """Serve what waits in this thread, where no other does."""
        self._serve(self._collect())

    def submit(self, project: str, claims: Sequence[Claim]) -> "Future[Erased]":
        """Ask for an erasure. Who cancels the future may ask again; what was begun goes on, and the numbers are kept for the next answer."""
        job = _Job(project, claims)
        with self._guard:
            if self._worker.stopping:
                raise StoreError("the store is closing")
            if self._jobs.qsize() >= _MOST_WAITING:
                raise QueueFull("too many erasures wait")
            self._jobs.put(job)
        self._worker.wake()
        return job.done

    def finish(self) -> None:
        """Finish what is not finished, now and in this thread; not while the eraser's own works. Raises StoreError."""
        if self._unfinished:
            marks = set(self._unfinished)
            self._purge(self._erasures.installations(marks), marks)
            self._finish(marks)

    def stop(self) -> None:
        """End soon. What is not finished is finished after the next start."""
        self._purger.stopping.set()
        with self._guard:
            self._worker.request_stop()
        self._worker.join()
        for job in self._collect():
            _fail(job, StoreError("the store is closing"))

    def _turn(self) -> float | None:
        """Try again what is not finished, where it is time, and first what an earlier process left. Then serve what waits."""
        if time.monotonic() >= self._next_try:
            self._resume()
        if group := self._collect():
            self._serve(group)
        self._next_try = time.monotonic() + _AGAIN
        return _AGAIN if self._unfinished else None

    def _collect(self) -> list[_Job]:
        """Take all that wait."""
        group: list[_Job] = []
        with contextlib.suppress(queue.Empty):
            while True:
                group.append(self._jobs.get_nowait())
        return group

    def _resume(self) -> None:
        """Finish what is not finished. All that is known of it is marks, so its installations are looked for."""
        try:
            self.finish()
        except Exception as error:  # noqa: BLE001 - the thread must live; it comes back to this
            _log.error("erasure not finished", error=describe(error), ids=len(self._unfinished))

    def _serve(self, group: list[_Job]) -> None:
        try:
            answers = self._erase(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
            _log.error("erasure failed", error=describe(error), requests=len(group))
            for job in group:
                _fail(job, error if isinstance(error, StoreError) else StoreError(f"the store failed: {type(error).__name__}"))
            return
        for job, answer in answers:
            job.done.set_result(answer)

    def _erase(self, group: list[_Job]) -> list[tuple[_Job, Erased]]:
        proofs = self._erasures.known_by({claim.mark: claim.installation for job in group for claim in job.claims})
        granted = {claim.mark: (job.project, claim) for job in group for claim in job.claims if judged(claim, proofs) is State.ERASED}
        self._register(granted, proofs)
        self._add_tombstones({mark: project for mark, (project, _) in granted.items()})
        todo = {claim.installation: mark for mark, (_, claim) in granted.items() if mark in self._unfinished}
        self._look_elsewhere(granted)
        if todo:
            self._purge(todo, todo.values())
            self._finish(todo.values())
        untold, fates, reached = dict(self._untold), dict(self._fates), dict(self._reached)
        answers = [(job, self._answer(job, proofs)) for job in group if job.done.set_running_or_notify_cancel()]
        try:
            self._erasures.add_receipts([self._receipt(job.project, answer) for job, answer in answers])
        except Exception:
            self._untold, self._fates, self._reached = untold, fates, reached
            raise
        return answers

    def _register(self, granted: dict[int, tuple[str, Claim]], proofs: Proofs) -> None:
        """Register the proofs that only wait in rows which are about to go."""
        waiting = [
            Registration(project, mark, claim.proof)
            for mark, (project, claim) in granted.items()
            if mark in proofs.waiting and claim.proof is not None
        ]
        if waiting:
            self._writer.submit([], [], waiting).result()

    def _add_tombstones(self, wanted: dict[int, str]) -> None:
        """Make tombstones for those that have none."""
        new = {mark: project for mark, project in wanted.items() if mark not in self._tombstones}
        if new:
            tombstones = [Tombstone(project, mark, finished=False) for mark, project in new.items()]
            self._journal.add(tombstones, self._today())
            self._writer.submit([], [], tombstones=tombstones).result()
            self._unfinished |= new

    def _look_elsewhere(self, granted: dict[int, tuple[str, Claim]]) -> None:
        """Note what an erasure means at each destination. Once the rows are gone, nothing can be proven any more."""
        for mark, (project, claim) in granted.items():
            here = mark in self._unfinished
            if here or mark not in self._fates:
                found = self._elsewhere(project, claim.installation)
                self._fates[mark] = {name: state if here else NOT_PROVABLE for name, state in found}

    def _purge(self, installations: Collection[int], marks: Collection[int]) -> None:
        """Delete rows, and wait until their bytes have left the engine's files. Of some marks there may be rows in backups only."""
        with self._purger.alone:
            for mark, rows in self._erasures.rows(installations).items():
                self._untold[mark] = max(rows, self._untold.get(mark, 0))  # this attempt may be the second
            self._purger.purge(self._erasures.rows_to_delete(installations))
            reach = self._backups.erase(
                lambda held: self._tombstones.erased(held) | (set(installations) & set(held)), self._erasures.tombstones(), self._today()
            )
        if reach is not None:
            self._reached |= dict.fromkeys(marks, str(reach))

    def _finish(self, marks: Collection[int]) -> None:
        self._erasures.add_tombstones([Tombstone(self._unfinished[mark], mark, finished=True) for mark in marks])
        for mark in marks:
            self._unfinished.pop(mark)

    def _answer(self, job: _Job, proofs: Proofs) -> Erased:
        verdicts = []
        destinations: dict[str, str] = {}
        for claim in job.claims:
            state = judged(claim, proofs)
            verdicts.append(Verdict(state, self._untold.pop(claim.mark, 0) if state is State.ERASED else 0))
            for name, fate in self._elsewhere_of(claim.mark) if state is State.ERASED else ():
                destinations[name] = max(fate, destinations.get(name, fate), key=_FATES.index)
        return Erased(secrets.token_hex(16), verdicts, destinations)

    def _elsewhere_of(self, mark: int) -> list[tuple[str, str]]:
        """What became of an id elsewhere, for the answer that says so."""
        reach = self._reached.pop(mark, None)
        return [*self._fates.pop(mark, {}).items(), *([(BACKUPS, reach)] if reach is not None else [])]

    def _receipt(self, project: str, answer: Erased) -> ReceiptRow:
        erased = [verdict for verdict in answer.verdicts if verdict.state is State.ERASED]
        return ReceiptRow(
            answer.receipt, project, self._today(), len(erased), sum(verdict.events for verdict in erased), answer.destinations
        )


def _fail(job: _Job, error: StoreError) -> None:
    if job.done.running() or job.done.set_running_or_notify_cancel():
        job.done.set_exception(error)
