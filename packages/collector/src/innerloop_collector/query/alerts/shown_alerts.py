"""Alerts as values that may be shown: each with what became of it."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_documents import Day, Fate, Told
from innerloop_collector.query.alerts.known_projects import Expected
from innerloop_collector.query.published import People, Rate, View, seal
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.verdicts.registered import ELSEWHERE
from innerloop_collector.store.change_record import Change

_SHOWN = timedelta(days=91)
_NEAR = timedelta(days=7)  # as exactly as the beginning of most rises is told


class Appeared(View, frozen=True):
    """What came about then: a value of runs' classes that k developers or more have by now. It may have nothing to do with it."""

    what: str  # "version", "os", "arch", "cores" or "memory"
    name: str
    day: date  # the Monday of the week in which k had it


class Alert(View, frozen=True):
    """A command or target that became slower or fails more."""

    project: str
    by: str  # "command" or "target"
    name: str
    measure: str  # "duration" or "failures"
    fate: str  # "open", "confirmed", "gone", or "creep": it rose little by little
    since: date  # about
    seen: date  # the last day of the look that found it
    told: date  # published
    decided: date | None  # the last day that was looked at for whether it is confirmed or gone
    size: Rate  # by so much slower, or so many more runs in a hundred that fail; about. Of a confirmed one by the days that confirmed it
    at_least: Rate  # the ends of a 95 % interval
    at_most: Rate
    developers: People
    appeared: tuple[Appeared, ...]
    explained_by: tuple[str, ...]  # registered changes that affect it and came within a week of its beginning
    published: date | None = None  # when its fate was


class ProjectAlerts(View, frozen=True):
    """The alerts of a project, the newest first."""

    project: str
    expected: float  # false alarms in a month that are accepted
    expected_pages: float  # of which are confirmed all the same
    looked_at: date | None  # the last day that was
    alerts: tuple[Alert, ...]


class Alerts:
    """What can be asked of alerts."""

    def __init__(
        self, archive: AlertArchive, now: Callable[[], datetime], expected: Expected, changes: Callable[[], Iterable[Change]]
    ) -> None:
        self._archive = archive
        self._changes = changes
        self._now = now
        self._expected = expected

    def of_project(self, project: str, visible: frozenset[str] | None = None) -> ProjectAlerts:
        """The alerts of the last quarter, for somebody who may see some projects (None: all). A change that names another one is not named."""
        first = self._now().date() - _SHOWN
        changes = [one for one in self._changes() if project in one.projects]
        alerts = (_alert(project, said, changes, visible) for said in self._archive.told(project, first))
        shown = sorted(alerts, key=lambda one: (one.seen, one.name), reverse=True)
        return ProjectAlerts(project, self._expected.told, self._expected.paged, self._archive.last(project), tuple(shown))


def _alert(project: str, said: list[tuple[Day, Told]], changes: Iterable[Change], visible: frozenset[str] | None) -> Alert:
    (first_day, first), (last_day, last) = said[0], said[-1]
    explaining = [one for one in changes if first.fate is not Fate.CREEP and _may_explain(one, last)]
    decided = last.fate in (Fate.CONFIRMED, Fate.GONE)
    return Alert(
        project=project,
        by=first.subject.breakdown,
        name=first.subject.name,
        measure=first.subject.measure,
        fate=str(last.fate),
        since=last.since,
        seen=first.seen,
        told=first_day.made,
        decided=last_day.day if decided else None,
        size=seal(Rate, last.size.value / 100),
        at_least=seal(Rate, last.size.low / 100),
        at_most=seal(Rate, last.size.high / 100),
        developers=seal(People, (last.people, last.people + STEP - 1)),
        appeared=tuple(Appeared(one.what, one.name, one.day) for one in (last if last.fate is Fate.CONFIRMED else first).appeared),
        explained_by=tuple(
            dict.fromkeys(one.name if visible is None or visible.issuperset(one.everywhere) else ELSEWHERE for one in explaining)
        ),
        published=last_day.made,
    )


def _may_explain(change: Change, told: Told) -> bool:
    affects = not change.affects or told.subject.name in change.affects
    return affects and abs(change.day - told.since) <= _NEAR
