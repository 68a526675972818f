"""Operations that answer questions about a team."""

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.query import Figures, document
from innerloop_collector.reports.team import published, team_report


class Reports(Area):
    """Published figures of a project."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    @operation("report", Role.VIEWER)
    def report(self, project: str, period: str | None = None) -> Answer:
        """The team's report of a project."""
        return document(team_report(self._figures, project, period))

    @operation("releases", Role.VIEWER)
    def releases(self, project: str) -> Answer:
        """Everything that was published of a project."""
        return document(published(self._figures, project))
