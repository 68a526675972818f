"""Operations on what waits in quarantine. May import: core, access, pipeline, the store's tables."""

import structlog

from innerloop_collector.access.roles import Role
from innerloop_collector.core import Core
from innerloop_collector.operations.area import Answer, Area, operation
from innerloop_collector.pipeline import rows
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.outcome import DropReason, Quarantined, Reason
from innerloop_collector.pipeline.steps import Outcome, run
from innerloop_collector.store.schema import QUARANTINE_DAYS
from innerloop_collector.store.tables import QuarantineRow

_PAGE = 1_000
_log = structlog.get_logger()


class Quarantine(Area):
    """Events that were set aside because they do not fit an applied plan."""

    @operation("quarantine.list", Role.ANALYST)
    def list(self, visible: frozenset[str] | None = None) -> Answer:
        """What waits, counted by project, reason and fields. Never a value."""
        names = ("project", "reason", "fields", "events", "first_day", "last_day")
        counts = [dict(zip(names, row, strict=True)) for row in self.core.tables.quarantine_counts()]
        return {
            "quarantine": [
                {**row, "first_day": str(row["first_day"]), "last_day": str(row["last_day"])}
                for row in counts
                if visible is None or row["project"] in visible
            ],
            "keep_days": QUARANTINE_DAYS,
        }

    @operation("quarantine.violations", Role.ANALYST)
    def violations(self, visible: frozenset[str] | None = None) -> Answer:
        """How many events ever came into quarantine, by project, reason, field and day. The counts stay when the events go."""
        names = ("project", "reason", "field", "day", "events")
        counts = [dict(zip(names, row, strict=True)) for row in self.core.tables.violations()]
        return {"violations": [{**row, "day": str(row["day"])} for row in counts if visible is None or row["project"] in visible]}


def release(core: Core, project: str, *, new_ids: bool = False) -> tuple[int, int]:
    """Run what waits through the pipeline again. Returns how many events were released and how many still wait.

    Either what does not fit an applied plan, or what brought too many new ids, which a person has to let in.
    What is past its retention by now leaves as well, and is kept nowhere.
    """
    released = waiting = expired = 0
    after = 0
    while page := core.tables.quarantined(project, after, _PAGE):
        after = page[-1].message_key
        page = [row for row in page if (row.reason == Reason.NEW_ID) == new_ids]
        for row in page if new_ids else ():
            core.ids.know(project, row.installation)
        outcomes = [(row.message_key, _again(core, row)) for row in page]
        free = [rows.event_row(event) for _, event in outcomes if isinstance(event, Event)]
        leaving = [key for key, outcome in outcomes if not isinstance(outcome, Quarantined)]
        if free:
            core.writer.submit(free, []).result()
        if leaving:
            core.tables.leave_quarantine(project, leaving)
        released += len(free)
        waiting += len(page) - len(leaving)
        expired += len(leaving) - len(free)
    if expired:
        _log.info("events dropped", reason=str(DropReason.PAST_RETENTION), events=expired)
    return released, waiting


def _again(core: Core, row: QuarantineRow) -> Outcome:
    return run(rows.from_quarantine(row, core.now()), core.registry.catalogue)
