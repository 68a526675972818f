"""Give what waits in quarantine another chance: a plan was applied, somebody let ids in, or an id is known by now."""

from collections.abc import Callable
from datetime import datetime

import structlog

from innerloop_collector.pipeline import event_rows
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.outcome import KEEP_THEIR_BODY, DropReason, Quarantined, Reason
from innerloop_collector.pipeline.steps import Outcome, run
from innerloop_collector.store.events import EventTables, QuarantineRow
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.known_ids import KnownIds
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.tombstones import Registration
from innerloop_collector.store.writer import Writer

_PAGE = 1_000
_BY_RELEASE = "release"  # counts like a write key: what is released may bring as many new ids a day as one
_log = structlog.get_logger()


class QuarantineRelease:
    """Runs what waits through the pipeline again."""

    def __init__(
        self,
        events: EventTables,
        ids: KnownIds,
        writer: Writer,
        registry: Registry,
        hasher: Hasher,
        now: Callable[[], datetime],
        judging: Callable[[], datetime],
    ) -> None:
        """`judging` is the instant by which something is past its time."""
        self._events = events
        self._ids = ids
        self._writer = writer
        self._registry = registry
        self._hasher = hasher
        self._now = now
        self._judging = judging

    def fitting(self, project: str, *, new_ids: bool = False) -> tuple[int, int]:
        """Release what fits an applied plan by now. Returns how many events were released and how many still wait.

        What brought too many new ids is a person's to let in, unless the id is known by now, or somebody just said how many there are (`new_ids`):
        then as many as may come in a day.
        """
        return self._release(project, lambda row: new_ids or row.reason != Reason.NEW_ID or self._ids.knows(row.installation))

    def most_new_ids(self, project: str) -> int:
        """How many new ids a write key of a project may bring in a day. 0: any number."""
        return self._ids.most(project)

    def new_ids(self, project: str) -> tuple[int, int]:
        """Let in what brought too many new ids: somebody has looked. Returns as `fitting`."""
        return self._release(project, lambda row: row.reason == Reason.NEW_ID, let_in=True)

    def known(self, project: str) -> tuple[int, int]:
        """Release what waited for its id, where that is known by now. Returns as `fitting`."""
        return self._release(project, lambda row: row.reason == Reason.NEW_ID and self._ids.knows(row.installation))

    def all_known(self) -> None:
        """Do as `known` in every project in which something waits for its id."""
        for project, reason, *_ in self._events.waiting():
            if reason == Reason.NEW_ID and project in self._registry.catalogue.versions:
                self.known(project)

    def _release(self, project: str, wanted: Callable[[QuarantineRow], bool], *, let_in: bool = False) -> tuple[int, int]:
        """Run what waits through the pipeline again. What is past its retention by now leaves as well, and is kept nowhere."""
        released = waiting = expired = 0
        after = 0
        while page := self._events.quarantined(project, after, _PAGE):
            after = page[-1].message_key
            page = [row for row in page if wanted(row)]
            for row in page if let_in else ():
                self._ids.know(project, row.installation)
            ended = self._judge(project, page)
            stored, leaving = self._keep(project, ended)
            released += stored
            waiting += len(page) - leaving
            expired += sum(not isinstance(outcome, Event | Quarantined) for _, _, outcome in ended)
        if expired:
            _log.info("events dropped", reason=str(DropReason.PAST_RETENTION), events=expired)
        return released, waiting

    def _judge(self, project: str, page: list[QuarantineRow]) -> list[tuple[QuarantineRow, Event, Outcome]]:
        """How each event ends now. Also what is released may not bring any number of new ids: nobody has counted those yet."""
        events = [event_rows.from_quarantine(row, self._now(), self._judging()) for row in page]
        ended = [self._again(row, event) for row, event in zip(page, events, strict=True)]
        passing = [event.installation for event, outcome in zip(events, ended, strict=True) if isinstance(outcome, Event)]
        beyond = self._ids.beyond(project, _BY_RELEASE, passing)
        final = [
            Quarantined(Reason.NEW_ID) if isinstance(end, Event) and event.installation in beyond else end
            for event, end in zip(events, ended, strict=True)
        ]
        return list(zip(page, events, final, strict=True))

    def _again(self, row: QuarantineRow, event: Event) -> Outcome:
        if row.reason not in KEEP_THEIR_BODY:
            return Quarantined(Reason(row.reason), tuple(row.fields))
        return run(event, self._registry.catalogue)

    def _keep(self, project: str, ended: list[tuple[QuarantineRow, Event, Outcome]]) -> tuple[int, int]:
        """Store what passed, and of what waits on why it does. Returns how many events were stored and how many left."""
        free = [event_rows.event_row(outcome) for _, _, outcome in ended if isinstance(outcome, Event)]
        changed = [
            event_rows.judged_again(row, event, outcome)
            for row, event, outcome in ended
            if isinstance(outcome, Quarantined) and (outcome.reason, list(outcome.fields)) != (row.reason, row.fields)
        ]
        registrations = [
            Registration(project, self._hasher.mark(row.installation), proof)
            for row, _, _ in sorted(ended, key=lambda one: one[0].received_day)  # the writer keeps the first of an id
            if (proof := event_rows.waiting_proof(row)) and self._ids.knows(row.installation)
        ]
        stored = 0
        if free or changed or registrations:
            stored = self._writer.submit(free, [], registrations, judged_again=changed).result().stored
        leaving = [row.message_key for row, _, outcome in ended if not isinstance(outcome, Quarantined)]
        if leaving:
            self._events.leave_quarantine(project, leaving)
        return stored, len(leaving)
