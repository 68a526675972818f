"""Operations on what is kept for a while. May import: core, access, retention."""

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.core import Core
from innerloop_collector.lifecycle.retention import Sweep
from innerloop_collector.query.windows import monday_of


class Retention(Area):
    """What goes, and what stays of it."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._sweep = Sweep(core)

    @operation("retention.sweep", Role.ADMIN)
    def sweep(self, dry_run: bool = False) -> Answer:
        """Take away what is due, or say what would go. Whoever has it done says by that that the clock is right."""
        doubt = self.core.clock.doubt()
        if not dry_run:
            self.core.clock.believe()
        found = self._sweep.due() if dry_run else self._sweep.run()
        return {
            "doubt": doubt,
            "today": found.today.isoformat(),
            "dry_run": dry_run,
            "gone": [
                {
                    "project": one.project,
                    "what": one.what,
                    "day": one.day.isoformat(),
                    "kept_until": one.last_day.isoformat(),
                    "rows": one.rows,
                }
                for one in found.gone
            ],
            "totals_made": [{"project": project, "week": week.isoformat()} for project, week in found.weeks],
        }

    @operation("retention.totals", Role.ANALYST)
    def totals(self, project: str) -> Answer:
        """The weekly totals of a project."""
        self.core.registry.catalogue.newest(project)
        running = monday_of(self.core.now().date())  # its rows may go before it is over, where a project keeps them for few days
        rows = [row for row in self._sweep.totals.read(project) if row["week"] < running or self.core.throw_away]
        return {
            "project": project,
            "totals": [{**row, "week": row["week"].isoformat(), "made_day": row["made_day"].isoformat()} for row in rows],
        }
