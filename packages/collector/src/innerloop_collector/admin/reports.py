"""Operations that answer questions about a team. May import: core, access, reports."""

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.core import Core
from innerloop_collector.reports.team import TeamReports


class Reports(Area):
    """Figures of a project, through the query layer."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._team = TeamReports(core.engine, core.registry, core.now, running=core.throw_away)

    @operation("report", Role.VIEWER)
    def report(self, project: str, weeks: int | None = None) -> Answer:
        """The team's report of a project."""
        return self._team.report(project, weeks)
