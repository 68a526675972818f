"""Operations that answer questions about a team."""

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.query import Figures, document
from innerloop_collector.reports.team import team_report
from innerloop_collector.reports.views import Totals


class Reports(Area):
    """Published figures of a project."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    @operation("report", Role.VIEWER)
    def report(self, project: str, weeks: int | None = None) -> Answer:
        """The team's report of a project."""
        return document(team_report(self._figures, project, weeks))

    @operation("retention.totals", Role.ANALYST)
    def totals(self, project: str) -> Answer:
        """The weekly totals of a project."""
        return document(Totals(project, self._figures.weekly_totals(project)))
