"""Operations that answer questions about a team."""

from typing import Literal

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation, refuse_unseen
from innerloop_collector.errors import Denied
from innerloop_collector.query import Evidence, Figures, document
from innerloop_collector.reports.all_projects import all_projects
from innerloop_collector.reports.impact import impact_of, programme_of
from innerloop_collector.reports.scan import scan_of
from innerloop_collector.reports.team import published, team_report, trend

Breakdown = Literal["command", "target", "os", "arch", "version", "cohort"]


class Reports(Area):
    """Published figures of a project."""

    def __init__(self, figures: Figures, evidence: Evidence) -> None:
        self._figures = figures
        self._evidence = evidence

    @operation("report", Role.VIEWER)
    def report(self, project: str, period: str | None = None) -> Answer:
        """The team's report of a project."""
        return document(team_report(self._figures, project, period))

    @operation("report.all", Role.VIEWER)
    def report_all(self, period: str | None = None, visible: frozenset[str] | None = None) -> Answer:
        """The sums of what is published of every project that may be seen, and a line of each. Developers are not added up."""
        return document(all_projects(self._figures, visible, period))

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

    @operation("impact", Role.VIEWER)
    def impact(self, project: str, change: str, visible: frozenset[str] | None = None) -> Answer:
        """What was published of a change, and when it is looked at next."""
        return document(impact_of(self._evidence, project, change, visible))

    @operation("impact.scan", Role.VIEWER)
    def scan(self, project: str, change: str, visible: frozenset[str] | None = None) -> Answer:
        """What was published of everything else at a change's looks, where its record asks for it."""
        return document(scan_of(self._evidence, project, change, visible))

    @operation("impact.all", Role.VIEWER)
    def programme(self, project: str, visible: frozenset[str] | None = None) -> Answer:
        """What was published of every change of a project, and what they come to together."""
        refuse_unseen(project, (one for one, _ in self._figures.projects()), visible)
        return document(programme_of(self._evidence, project, visible))
