"""Sees to it that each closed day is looked at once, and keeps what is told of it. What was looked at is never looked at again.

A day is closed two days after its end, as weeks are. What was missed while nothing ran is made up for, two weeks back at most.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Protocol

import structlog

from innerloop_collector.errors import CollectorError
from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_documents import Day
from innerloop_collector.query.alerts.known_projects import Expected, Figures, KnownProjects
from innerloop_collector.query.population import Settings, Store
from innerloop_collector.query.releases.calendar import GRACE

_ONE_DAY = timedelta(days=1)
_MADE_UP_FOR = 14  # days
_LOOKED_AT = timedelta(days=14)  # they are compared with those before: where there are none, nothing can be told
_log = structlog.get_logger()


class Looking(Protocol):
    """Looks at one day."""

    def look(self, project: str, settings: Settings, day: date, today: date) -> Day:
        """What stands out of a project's commands and targets on a day."""


def looking(store: Store, archive: AlertArchive, figures: Figures, known: KnownProjects, expected: Expected) -> Callable[[], Looking]:
    """Make what looks when it is needed first: a collector that starts need not wait for numpy."""

    def made() -> Looking:
        from innerloop_collector.query.alerts.daily_looks import DailyLooks  # noqa: PLC0415
        from innerloop_collector.query.alerts.daily_rows import DailyRows  # noqa: PLC0415

        return DailyLooks(DailyRows(store), archive, figures, known, expected)

    return made


class AlertPublisher:
    """Publishes alerts."""

    def __init__(
        self, looking: Callable[[], Looking], archive: AlertArchive, known: KnownProjects, first_day: Callable[[str], date | None]
    ) -> None:
        """`first_day` tells when the first run of a project happened that is there."""
        self._looking = looking
        self._first_day = first_day
        self._archive = archive
        self._known = known
        self._with_a_past: set[str] = set()  # projects: once there is a past, there is one
        self.failed: Mapping[str, str] = {}  # projects that the last attempt did not look at, and why

    def due(self, _: date) -> list[tuple[str, str]]:
        """What would be published: nobody knows before they look, and who looks publishes."""
        return []

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Look at what is due. Returns what was published: units of projects. Killed anywhere, the next call goes on.

        Where it fails for one project, the others are looked at, and `failed` says why that one was not.
        """
        done = []
        failed: dict[str, str] = {}
        looked_at: dict[str, date] = {}
        for project, settings in self._known.settings().items():
            try:
                due = self._due(project, today)
                for day in due:
                    if self._has_a_past(project, day):
                        found = self._looking().look(project, settings, day, today)
                        if found.told:
                            self._archive.add(found)
                            done.append((project, found.unit))
                    looked_at[project] = day
                if len(due) > 1:  # what was made up for is not looked at a second time if this is cut off
                    failed |= self._noted({project: looked_at.pop(project)})
            except Exception as error:  # noqa: BLE001 - figures of this project, and everything of others, must not suffer from it
                failed[project] = str(error) if isinstance(error, CollectorError) else type(error).__name__
                _log.error("alerts not looked for", project=project, error=failed[project], exc_info=not isinstance(error, CollectorError))
        self.failed = failed | self._noted(looked_at)
        return done

    def _noted(self, looked_at: Mapping[str, date]) -> dict[str, str]:
        """Note up to which day projects were looked at. Returns of which that is not kept, and why: they are looked at again."""
        try:
            if looked_at:
                self._archive.note(looked_at)
        except OSError as error:
            _log.error("what was looked at for alerts is not kept", error=str(error))
            return dict.fromkeys(looked_at, str(error))
        return {}

    def _has_a_past(self, project: str, day: date) -> bool:
        if project not in self._with_a_past:
            first = self._first_day(project)
            if first is None or first > day - _LOOKED_AT:
                return False
            self._with_a_past.add(project)
        return True

    def _due(self, project: str, today: date) -> list[date]:
        closed = today - GRACE - _ONE_DAY
        last = self._archive.last(project)
        first = closed if last is None else max(last + _ONE_DAY, closed - timedelta(days=_MADE_UP_FOR - 1))
        return [first + timedelta(days=number) for number in range((closed - first).days + 1)]
