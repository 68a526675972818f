"""What a channel is to be told: each confirmed alert of its projects once, and once a week a digest."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, get_args

import structlog

from innerloop_collector.config.configuration import Channel, Notifications, Weekday
from innerloop_collector.errors import Unreadable
from innerloop_collector.notifications.notice import CONFIRMED, DIGEST, TEST, Notice, Pages, Part, id_of, line, part
from innerloop_collector.notifications.weekly_digest import Days, Sources, weekly_digest
from innerloop_collector.query import Alert, document
from innerloop_collector.reports.alert_report import sentence

OLDEST = timedelta(days=28)  # what was confirmed before is no news any more
_WEEK = timedelta(weeks=1)
_MOST_PROJECTS = 20  # in one digest
_DAYS: tuple[str, ...] = get_args(Weekday)
_log = structlog.get_logger()


class Owed(NamedTuple):
    """A confirmed alert to be told, and the last day of the look that confirmed it."""

    id: str
    alert: Alert
    decided: date


class Confirmed(NamedTuple):
    """Every confirmed alert of the last quarter that is a channel's business, the oldest first."""

    projects: tuple[str, ...]  # of which the channel is told
    alerts: tuple[Owed, ...]
    unreadable: dict[str, str]  # projects of which nothing can be told, and why


class Notices:
    """Makes notices of what was published."""

    def __init__(self, sources: Sources, settings: Notifications, *, throw_away: bool) -> None:
        """`throw_away`: figures are of a store that is made to try things, and every notice says so."""
        self._sources = sources
        self._settings = settings
        self._pages = Pages(settings.dashboard)
        self._prefix = "innerloop (throw-away store): " if throw_away else "innerloop: "

    def confirmed(self, channel: str, settings: Channel) -> Confirmed:
        """What is confirmed of a channel's projects. One that cannot be read holds up no other."""
        projects, visible = self._of(settings)
        found: list[Alert] = []
        unreadable = {}
        for project in projects if "alerts" in settings.sends else ():
            try:
                found += [one for one in self._sources.alerts.of_project(project, visible).alerts if one.fate == "confirmed"]
            except Unreadable as error:
                unreadable[project] = str(error)
        found.sort(key=lambda one: (one.decided or one.seen, one.project, one.name))
        return Confirmed(projects, tuple(_owed(channel, one) for one in found), unreadable)

    def mismatches(self, settings: Channel) -> list[str]:
        """What is wrong with the names in a channel's section, of which there are none."""
        every = {project for project, _ in self._sources.figures.projects()}
        listed = [one for one in settings.projects if one in every] if settings.projects else sorted(every)
        wrong = [f"is to be told of the project {one!r}, and there is none of that name" for one in settings.projects if one not in every]
        if settings.recipient and listed and not self._of(settings)[0]:
            whose = "no project's newest file" if not settings.projects else f"the newest file of none of {', '.join(listed)}"
            wrong.append(f"has the recipient {settings.recipient!r}, which {whose} names, so it is told nothing")
        return wrong

    def of_alert(self, owed: Owed, now: datetime) -> Notice:
        """The notice of a confirmed alert."""
        alert = owed.alert
        told = part("", [sentence(alert)], self._pages.cell(alert.project, alert.by, alert.name))
        return self._notice(owed.id, CONFIRMED, f"confirmed alert in {alert.project}", now, [told], {"alert": document(alert)})

    def due(self, now: datetime) -> date:
        """The day of the last digest that was due."""
        today = now.astimezone(UTC)
        day = today.date() - timedelta(days=(today.weekday() - _DAYS.index(self._settings.digest_day)) % 7)
        moment = datetime.combine(day, time(self._settings.digest_hour), UTC)
        return day if moment <= today else day - _WEEK

    def digest(self, channel: str, settings: Channel, day: date, last: date, now: datetime) -> Notice:
        """A channel's digest of a day: of what came since the last one, four weeks back at most."""
        projects, visible = self._of(settings)
        days = Days(max(last, day - OLDEST) if last < day else day - _WEEK, day)
        made = self.of_week(projects, days, visible, now)
        return made._replace(id=id_of(channel, DIGEST, day.isoformat()))

    def of_week(self, projects: tuple[str, ...], days: Days, visible: frozenset[str] | None, now: datetime) -> Notice:
        """The digest of some projects."""
        told = projects[:_MOST_PROJECTS]
        parts = [self._week(one, days, visible) for one in told]
        if len(told) < len(projects) or not told:
            more = f"{len(projects) - len(told)} more projects are on the pages only." if told else "There is no project to tell of."
            parts.append(part("", [more]))
        last = days.end - timedelta(days=1)
        title = f"digest of {told[0] if len(projects) == 1 else f'{len(projects)} projects'}, {days.first} to {last}"
        data = {"first": days.first.isoformat(), "last": last.isoformat(), "projects": list(told)}
        return self._notice("", DIGEST, title, now, parts, data)

    def _week(self, project: str, days: Days, visible: frozenset[str] | None) -> Part:
        try:
            return weekly_digest(self._sources, project, days, visible, self._pages)
        except Unreadable as error:
            _log.error("a digest lacks a project", project=project, error=str(error))
            return part(
                project, ["What was published of this project cannot be read, so nothing is told of it; the collector's log says why."]
            )

    def test(self, channel: str, now: datetime) -> Notice:
        """A notice that says nothing but that it is a test."""
        said = "This is a test that somebody sent by hand: nothing became slower, and nothing fails more."
        title = f"test of the channel {channel}"
        return self._notice(id_of(channel, TEST, now.isoformat()), TEST, title, now, [part("", [said])], {"channel": channel})

    def _of(self, settings: Channel) -> tuple[tuple[str, ...], frozenset[str] | None]:
        """The projects of which a channel is told, and those that its notices may name (None: all)."""
        every = tuple(project for project, _ in self._sources.figures.projects())
        listed = tuple(one for one in every if not settings.projects or one in settings.projects)
        told = tuple(one for one in listed if not settings.recipient or settings.recipient in self._sources.recipients(one))
        return told, frozenset(told) if settings.projects or settings.recipient else None

    def _notice(self, known_as: str, kind: str, title: str, now: datetime, parts: list[Part], data: dict[str, Any]) -> Notice:
        return Notice(known_as, kind, line(self._prefix + title), now, tuple(parts), data)


def _owed(channel: str, alert: Alert) -> Owed:
    what = (alert.project, alert.by, alert.name, alert.measure, alert.seen.isoformat(), alert.fate)
    return Owed(id_of(channel, CONFIRMED, *what), alert, alert.decided or alert.seen)
