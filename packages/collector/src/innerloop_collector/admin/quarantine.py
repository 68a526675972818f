"""Operations on what waits in quarantine. May import: access, the store's schema."""

from datetime import timedelta

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.db.schema import QUARANTINE_DAYS


class Quarantine(Area):
    """Events that were set aside because they do not fit an applied plan."""

    @operation("quarantine.list", Role.ANALYST)
    def list(self, visible: frozenset[str] | None = None) -> Answer:
        """What waits, counted by project, reason and fields. Never a value."""
        names = ("project", "reason", "fields", "events", "first_day", "last_day")
        counts = [dict(zip(names, row, strict=True)) for row in self.core.tables.quarantine_counts()]
        return {
            "quarantine": [
                {
                    **row,
                    "first_day": str(row["first_day"]),
                    "last_day": str(row["last_day"]),
                    "removed_on": str(row["first_day"] + timedelta(days=QUARANTINE_DAYS)),
                }
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
