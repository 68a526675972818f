"""All destinations together: what the service starts and stops, and what an operator asks of them.

None of the three kinds can be asked to delete with the key that sends: what was passed on cannot be shown to be gone. What was never
passed on can. What was so when it was sent counts: a destination that was configured otherwise then, or is configured no more, has what it has.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from innerloop_collector.background import stop_together
from innerloop_collector.config.configuration import Destination
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.address import check
from innerloop_collector.exporters.agreed_fields import passable
from innerloop_collector.exporters.pseudonyms import load_pseudonyms
from innerloop_collector.exporters.record import Taken
from innerloop_collector.exporters.senders import open_sender
from innerloop_collector.exporters.source import Source
from innerloop_collector.exporters.state import Fate, State, States, with_fate
from innerloop_collector.exporters.worker import DestinationWorker, SharedContext
from innerloop_collector.store.events import EventTables
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.tombstones import Tombstones

_PATIENCE = 5.0  # seconds that all destinations together have to end
Answer = dict[str, Any]

ERASED = "erased"  # nothing of it was passed on, and nothing will be
REQUESTED = "requested"  # the destination was asked to delete it; no kind can be asked yet
NOT_PROVABLE = "not provable"  # something was passed on, or may have been


class Passed(NamedTuple):
    """What is known of a destination."""

    terms: Collection[tuple[str, str]]  # the plans of which rows may pass, by today's configuration
    passable: Collection[tuple[str, str]]  # those of which rows may pass to anybody
    state: State
    attempted: int  # no event above this position was ever handed to it
    refused: bool  # whether it was ever handed an event of the project that it did not take


def fate(project: str, installation: int, passed: Passed, source: Source, today: date) -> str:
    """Say what an erasure here means at one destination. Ask while the rows are still there, and after their tombstone was made."""
    state = passed.state
    # What is no longer here may have been passed on, once a row that was passed on has expired.
    if project in state.ends and state.ends[project] < today.isoformat():
        return NOT_PROVABLE
    touched = state.sent.get(project) or state.declined or passed.refused
    might_have_passed = passed.passable if touched else passed.terms
    settled = source.plans_of(project, installation, state.started_position, state.position)
    under_way = source.plans_of(project, installation, state.position, passed.attempted)
    if any((project, plan) in might_have_passed for plan in settled) or any((project, plan) in passed.passable for plan in under_way):
        return NOT_PROVABLE
    return ERASED


class Exporters:
    """The destinations of an open collector."""

    def __init__(
        self,
        destinations: Mapping[str, Destination],
        directory: Path,
        store: tuple[Engine, EventTables, Registry, Tombstones],
        now: Callable[[], datetime],
    ) -> None:
        engine, tables, registry, tombstones = store
        self._tables = tables
        self._states = States(engine)
        self._context = SharedContext(
            Source(engine), self._states, lambda: registry.catalogue, tombstones.erased, lambda: tables.committed, now
        )
        self._directory = directory
        self._settings = dict(destinations)
        self._addresses = {name: check(name, settings) for name, settings in self._settings.items()}
        self._workers: dict[str, DestinationWorker] = {}
        self._retired: dict[str, int] = {}  # destinations that are configured no more -> how far each may have come

    def load(self) -> None:
        """Read where each destination is. To be called before the writer starts: it must not give out a position twice."""
        self._states.load()
        self._tables.number_after(self._states.highest())
        for name, settings in self._settings.items():
            way = partial(open_sender, settings, self._addresses[name], Taken(), self._context.now)
            self._workers[name] = DestinationWorker(name, settings, load_pseudonyms(self._directory, name), self._context, way)
            self._workers[name].load()
        retired = [state for state in self._states.all() if state.destination not in self._workers]
        self._retired = {state.destination: self._context.may_have_sent(state, ()) for state in retired}

    def start(self) -> None:
        """Begin to deliver."""
        for worker in self._workers.values():
            worker.start()

    def stop(self) -> None:
        """End soon. Whoever waits for a destination is left alone, and what it was sent is sent again after the next start."""
        stop_together(self._workers.values(), _PATIENCE)

    def status(self) -> list[Answer]:
        """How each destination is doing."""
        return [self._status(worker) for worker in self._workers.values()]

    def _status(self, worker: DestinationWorker) -> Answer:
        state, progress = worker.state, worker.progress
        behind = max(self._context.committed() - worker.position, 0)
        now = time.monotonic()
        delivery = progress.last_delivery
        return {
            "destination": worker.name,
            "kind": worker.settings.kind,
            "recipient": worker.settings.recipient,
            "projects": worker.release.by_project(self._context.catalogue()),
            "state": _condition(worker, behind),
            "position": worker.position,
            "behind_events": behind,
            "behind_seconds": round(now - progress.level_since, 1) if behind and progress.running else 0.0,
            "sent": sum(state.sent.values()),
            "set_aside": self._states.count_set_aside(worker.name),
            "declined": state.declined,
            "failures": worker.backoff.failures,
            "last_error": progress.store_error or progress.last_error,
            "last_delivery": delivery.isoformat(timespec="seconds") if delivery else None,
            "next_try_seconds": round(max(progress.next_try - now, 0.0), 1),
        }

    def set_aside(self, destination: str) -> list[Answer]:
        """What a destination does not take, and why."""
        self._worker(destination)
        events = self._states.set_aside(destination, [Fate.WAITING, Fate.AGAIN])
        names = ("position", "project", "kind", "reason")
        return [{**{name: getattr(event, name) for name in names}, "day": str(event.day), "state": event.fate} for event in events]

    def pause(self, destination: str) -> Answer:
        """Send nothing more to a destination, also after a restart."""
        worker = self._worker(destination)
        self._states.change(destination, paused=True)
        return self._status(worker)

    def resume(self, destination: str) -> Answer:
        """Go on where a destination was paused; one that waits after a failure tries at once."""
        worker = self._worker(destination)
        if worker.state.paused:
            self._states.change(destination, paused=False)
        worker.wake()
        return self._status(worker)

    def retry(self, destination: str) -> Answer:
        """Try everything once more that a destination did not take."""
        worker = self._worker(destination)
        count = 0
        while events := self._states.set_aside(destination, [Fate.WAITING]):
            self._states.put_aside([with_fate(event, Fate.AGAIN) for event in events])
            count += len(events)
        worker.wake()
        return {"destination": destination, "events": count}

    def erasure_states(self, project: str, installation: int) -> list[tuple[str, str]]:
        """What an erasure here means at each destination: erased or not provable. See `erasure` for when to ask."""
        found = []
        for name in (*self._workers, *self._retired):
            passed = self._passed(name, project)
            found.append((name, fate(project, installation, passed, self._context.source, self._context.today)))
        return found

    def _passed(self, name: str, project: str) -> Passed:
        catalogue, state, worker = self._context.catalogue(), self._states.get(name), self._workers.get(name)
        assert state is not None
        terms = worker.release.terms(catalogue) if worker else ()
        attempted = worker.progress.attempted if worker else self._retired[name]
        return Passed(terms, passable(catalogue), state, attempted, self._states.ever_set_aside(name, project))

    def restored(self) -> None:
        """Say that the store is an older copy: destinations may have more than it knows. To be called once it is open; it stays true."""
        self._states.doubt(list(self._context.catalogue().versions))

    def _worker(self, destination: str) -> DestinationWorker:
        if destination not in self._workers:
            known = ", ".join(self._workers) or "none"
            raise UsageError(f"no destination {destination!r} is configured; there are: {known}")
        return self._workers[destination]


def _condition(worker: DestinationWorker, behind: int) -> str:
    if worker.state.paused:
        return "paused"
    if not worker.progress.running:
        return "not running"
    if worker.progress.store_error:
        return "waiting"
    if worker.progress.last_error:
        return "failing"
    return "delivering" if behind else "level"
