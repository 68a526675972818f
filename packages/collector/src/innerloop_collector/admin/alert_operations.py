"""The operation on alerts."""

from collections.abc import Callable, Iterable

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation, refuse_unseen
from innerloop_collector.query import Alerts, document
from innerloop_collector.reports.alert_report import alert_report


class AlertArea(Area):
    """What became slower or fails more."""

    def __init__(self, alerts: Alerts, projects: Callable[[], Iterable[str]]) -> None:
        self._alerts = alerts
        self._projects = projects

    @operation("alerts", Role.VIEWER)
    def alerts(self, project: str | None = None, visible: frozenset[str] | None = None) -> Answer:
        """The alerts of the last quarter, of one project or of all that somebody may see, each with what became of it."""
        seen = sorted(one for one in self._projects() if visible is None or one in visible)
        if project is not None:
            refuse_unseen(project, seen, visible)
        return document(alert_report(self._alerts, tuple(seen) if project is None else (project,), visible))
