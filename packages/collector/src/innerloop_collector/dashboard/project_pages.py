"""Pages of a project that have no filters: its changes, its alerts, what is known of people, and the form that registers a change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from innerloop_collector.access.principal import Principal
from innerloop_collector.dashboard import alert_page, change_page, changes, effects, registration
from innerloop_collector.dashboard.alert_page import Standing
from innerloop_collector.dashboard.effects import Card
from innerloop_collector.dashboard.error_pages import no_such_page
from innerloop_collector.dashboard.forms import Form
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.operating import Ask
from innerloop_collector.dashboard.page import Page
from innerloop_collector.dashboard.privacy import RegisteredPlan, privacy
from innerloop_collector.query import ProjectAlerts

_MOST_WATCHED = 5
_MOST_CHANGES = 20  # the newest, among which the newest verdict is looked for


@dataclass(frozen=True, slots=True)
class Watch:
    """What is worth a look: alerts that stand, and the newest verdict."""

    alerts: tuple[Standing, ...]
    more: int  # alerts that are not named
    looked_at: str
    false_alarms: str
    verdicts: tuple[Card, ...]


class ProjectPages:
    """Makes them."""

    def __init__(self, reader: Reader, plan: Callable[[str], RegisteredPlan], ask: Ask) -> None:
        self._reader = reader
        self._plan = plan
        self._ask = ask

    def of(self, project: str, rest: str, who: Principal) -> Page | None:
        """The page whose address ends like this. None: it is none of these. Raises PageError."""
        kind, _, name = rest.partition("/")
        if rest == "changes":
            return self._changes(project, who)
        if kind == "changes" and name:
            return self._change(project, name, who)
        if rest == "alerts":
            return alert_page.alerts(self._reader.alerts(project, who.projects), self._called(project, who))
        if rest == "privacy":
            return privacy(self._reader, project, self._plan(project))
        if rest == registration.SECTION:
            return registration.opened(project, self._called(project, who), who)
        return None

    def register(self, project: str, form: Form, who: Principal) -> Page:
        """What became of the form that registers a change."""
        return registration.sent(self._ask, project, self._called(project, who), who, form)

    def dated(self, project: str, who: Principal) -> tuple[changes.Dated, ...]:
        """What is marked on charts."""
        return changes.dated(self._marks(project, who))

    def watched(self, project: str, who: Principal) -> Watch:
        """What an overview says is worth a look."""
        found, marks = self._alerts(project, who), self._marks(project, who)
        names = [one["name"] for one in marks if one["project"] == project and one["looks"] and not one["withdrawn"]]
        told = self._reader.changes(project, tuple(names[:_MOST_CHANGES]), hash(repr(marks)), who.projects)
        stand = alert_page.standing(found)
        return Watch(
            stand[:_MOST_WATCHED],
            len(stand[_MOST_WATCHED:]),
            alert_page.looked_at(found),
            alert_page.false_alarms(found),
            effects.cards(told)[:1],
        )

    def standing(self, project: str, by: str, name: str, who: Principal) -> tuple[Standing, ...]:
        """The alerts of one command or target that stand."""
        return alert_page.standing(self._alerts(project, who), by, name)

    def _alerts(self, project: str, who: Principal) -> ProjectAlerts:
        (found,) = self._reader.alerts(project, who.projects).projects
        return found

    def _marks(self, project: str, who: Principal) -> list[dict[str, Any]]:
        """What is registered, the newest first."""
        found: list[dict[str, Any]] = self._ask("changes.marks", {"project": project}, who)["changes"]
        return found

    def _changes(self, project: str, who: Principal) -> Page:
        marks = self._marks(project, who)
        report = self._reader.programme(project, hash(repr(marks)), who.projects)
        registers = registration.may_register(who, project)
        return changes.changes(marks, project, self._called(project, who), report, registers=registers)

    def _change(self, project: str, name: str, who: Principal) -> Page:
        report = self._reader.change(project, name, who.projects)
        if report is None:
            raise no_such_page()
        return change_page.change(report)

    def _called(self, project: str, who: Principal) -> str:
        """The name of a project, for people who may know it."""
        return next(one.name for one in self._reader.projects() if one.project == project) if who.sees(project) else project
