"""What pages read: reports, and nothing else. What was published does not change, so it is kept for a while once it was read."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from innerloop_collector.errors import UsageError
from innerloop_collector.query import Alerts, Evidence, Figures
from innerloop_collector.reports.alert_report import AlertReport, alert_report
from innerloop_collector.reports.all_projects import all_projects
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport, impact_of, programme_of
from innerloop_collector.reports.team import distribution, offered, projects, team_report, trend
from innerloop_collector.reports.views import AllProjects, Distribution, Offered, ProjectName, Report, Trend

_KEPT = 512  # answers
_SECONDS = 60.0  # after which a project's settings, and what waits of it, are read again
_T = TypeVar("_T")


class Reader:
    """Reads reports for pages, from any thread."""

    def __init__(
        self, figures: Figures, evidence: Evidence, alerts: Alerts, *, at_once: bool, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`at_once`: the store also shows what is there now."""
        self._figures = figures
        self._evidence = evidence
        self._alerts = alerts
        self.at_once = at_once
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._kept: dict[tuple[Any, ...], tuple[float, Any]] = {}  # what was read longest ago first

    def projects(self) -> tuple[ProjectName, ...]:
        """Every project."""
        return projects(self._figures)

    def periods(self, project: str) -> tuple[Offered, ...]:
        """The periods of which something is published, the newest first."""
        return offered(self._figures, project)

    def newest(self, project: str) -> Offered | None:
        """The block that was published last, or the one that is being published. None: nothing is."""
        blocks = [one for one in self.periods(project) if "-B" in one.period]
        return next((one for one in blocks if one.complete), blocks[0] if blocks else None)

    def report(self, project: str, period: str | None) -> Report:
        """The report of a period. None: what a report is of where nobody says."""
        if period is None:
            return team_report(self._figures, project)
        if all(one.period != period for one in self.periods(project)):
            return team_report(self._figures, project, period)  # of which nothing is there to be read, and which anybody can name
        return self._read(("report", project, period), lambda: team_report(self._figures, project, period))

    def all_projects(self, projects: tuple[ProjectName, ...], period: str | None) -> AllProjects:
        """The report of several projects in one period."""
        seen = frozenset(one.project for one in projects)
        if period is None:
            return all_projects(self._figures, seen)
        published = tuple(self.periods(one.project) for one in projects)
        if all(one.period != period for several in published for one in several):
            return all_projects(self._figures, seen, period)
        return self._kept_for(("all", seen, period, published), lambda: all_projects(self._figures, seen, period))

    def trend(self, project: str, by: str = "", name: str = "", *, weekly: bool = False) -> Trend:
        """The figures of one cell, or of all runs, over time. Of a cell of which nothing was ever published nothing is read or kept: anybody can make up its name."""
        if by and (by, name) not in self._read(("cells", project), lambda: self._figures.cells(project)):
            return Trend(project, by, name, ())
        return self._read(("trend", project, by, name, weekly), lambda: trend(self._figures, project, by, name, weekly=weekly))

    def distribution(self, project: str, period: str | None, by: str, name: str) -> Distribution:
        """How long the runs of one cell took in a period of which it is published. None: in what a report is of where nobody says."""
        if period is None:
            return distribution(self._figures, project, by, name)
        return self._read(("distribution", project, period, by, name), lambda: distribution(self._figures, project, by, name, period))

    def change(self, project: str, name: str, visible: frozenset[str] | None) -> ChangeReport | None:
        """What is told of a change to somebody who may see some projects (None: all). None: it is not one that is looked at and theirs to see."""
        try:
            return impact_of(self._evidence, project, name, visible)
        except UsageError:
            return None

    def programme(self, project: str, registered: int, visible: frozenset[str] | None) -> ProgrammeReport:
        """What is told of all changes to somebody who may see some projects (None: all). `registered`: a hash of what is registered, as it is now."""
        return self._kept_for(("programme", project, registered, visible), lambda: programme_of(self._evidence, project, visible))

    def changes(self, project: str, names: tuple[str, ...], registered: int, visible: frozenset[str] | None) -> tuple[ChangeReport, ...]:
        """What is told of some changes, without what all of them come to, which takes long where it is asked for the first time."""
        key = ("changes", project, names, registered, visible)
        return self._kept_for(key, lambda: tuple(found for one in names if (found := self.change(project, one, visible))))

    def alerts(self, project: str, visible: frozenset[str] | None) -> AlertReport:
        """The alerts of a project, for somebody who may see some projects (None: all)."""
        return alert_report(self._alerts, (project,), visible)

    def _read(self, what: tuple[Any, ...], read: Callable[[], _T]) -> _T:
        """What was asked for of a project, from before unless something was published since."""
        return self._kept_for((*what, self.periods(str(what[1]))), read)

    def _kept_for(self, key: tuple[Any, ...], read: Callable[[], _T]) -> _T:
        with self._guard:
            found = self._kept.get(key)
        if found is not None and self._monotonic() - found[0] < _SECONDS:
            kept: _T = found[1]
            return kept
        answer = read()
        with self._guard:
            self._kept.pop(key, None)
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._monotonic(), answer
        return answer
