"""Operations on what waits in quarantine. May import: core, access, pipeline, the store's tables."""

from typing import Any

from innerloop_collector.access.roles import Role
from innerloop_collector.core import Core
from innerloop_collector.operations.area import Answer, Area, operation
from innerloop_collector.pipeline import rows
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.steps import run
from innerloop_collector.store.tables import QuarantineRow

_PAGE = 1_000


class Quarantine(Area):
    """Events that were set aside because they do not fit an applied plan."""

    @operation("quarantine.list", Role.ANALYST)
    def list(self) -> Answer:
        """What waits, counted by project, reason and fields. Never a value."""
        names = ("project", "reason", "fields", "events", "first_day", "last_day")
        counts = [dict(zip(names, row, strict=True)) for row in self.core.tables.quarantine_counts()]
        return {"quarantine": [{**row, "first_day": str(row["first_day"]), "last_day": str(row["last_day"])} for row in counts]}


def release(core: Core, project: str) -> tuple[int, int]:
    """Run what waits through the pipeline again. Returns how many events left and how many still wait."""
    released = waiting = 0
    after = 0
    while page := core.tables.quarantined(project, after, _PAGE):
        after = page[-1].message_key
        free = _passing(core, page)
        if free:
            core.writer.submit([row for _, row in free], []).result()
            core.tables.leave_quarantine(project, [row.message_key for row, _ in free])
        released += len(free)
        waiting += len(page) - len(free)
    return released, waiting


def _passing(core: Core, page: list[QuarantineRow]) -> list[tuple[QuarantineRow, tuple[Any, ...]]]:
    now = core.now()
    found = []
    for waiter in page:
        event = run(rows.from_quarantine(waiter, now), core.registry.catalogue)
        if isinstance(event, Event):
            found.append((waiter, rows.event_row(event)))
    return found
