"""Operations that answer questions about a team."""

from typing import Literal

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
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

    @operation("releases", Role.VIEWER)
    def releases(self, project: str) -> Answer:
        """Everything that was published of a project."""
        return document(published(self._figures, project))
