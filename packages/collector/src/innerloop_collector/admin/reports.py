"""Operations that answer questions about a team."""

from typing import Literal

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.errors import Denied
from innerloop_collector.query import Figures, document
from innerloop_collector.reports.team import published, team_report, trend

Breakdown = Literal["command", "target", "os", "arch", "version", "cohort"]


class Reports(Area):
    """Published figures of a project."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    @operation("report", Role.VIEWER)
    def report(self, project: str, period: str | None = None) -> Answer:
        """The team's report of a project."""
        return document(team_report(self._figures, project, period))

    @operation("trends", Role.VIEWER)
    def trends(self, project: str, name: str = "", by: Breakdown = "command") -> Answer:
        """The figures of all runs, or of one command, target, system, architecture, version or cohort, block by block."""
        return document(trend(self._figures, project, by, name))

    @operation("export", Role.VIEWER)
    def export(self, project: str | None = None, throw_away: bool = False, visible: frozenset[str] | None = None) -> Answer:
        """Everything that was published and is open to everybody, of all projects or of one."""
        if project is not None and visible is not None and project not in visible:
            raise Denied("you may not see this project. Ask whoever runs the collector")
        return document(self._figures.open_data(project, visible, throw_away=throw_away))

    @operation("releases", Role.VIEWER)
    def releases(self, project: str) -> Answer:
        """Everything that was published of a project."""
        return document(published(self._figures, project))
