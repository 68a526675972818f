"""What a channel is to be told: each confirmed alert of its projects once, and once a week a digest."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, get_args

from innerloop_collector.config.configuration import Channel, Notifications, Weekday
from innerloop_collector.notifications.notice import CONFIRMED, DIGEST, TEST, Notice, Pages, Part, id_of, line, part
from innerloop_collector.notifications.weekly_digest import Days, Sources, weekly_digest
from innerloop_collector.query import Alert, document
from innerloop_collector.reports.alert_report import sentence

OLDEST = timedelta(days=28)  # what was confirmed before is no news any more
_WEEK = timedelta(weeks=1)
_MOST_PROJECTS = 20  # in one digest
_DAYS: tuple[str, ...] = get_args(Weekday)


class Owed(NamedTuple):
    """A confirmed alert to be told, and the last day of the look that confirmed it."""

    id: str
    alert: Alert
    decided: date


class Notices:
    """Makes notices of what was published."""

    def __init__(self, sources: Sources, settings: Notifications, *, throw_away: bool) -> None:
        """`throw_away`: figures are of a store that is made to try things, and every notice says so."""
        self._sources = sources
        self._settings = settings
        self._pages = Pages(settings.dashboard)
        self._prefix = "innerloop (throw-away store): " if throw_away else "innerloop: "

    def confirmed(self, channel: str, settings: Channel) -> Iterator[Owed]:
        """Every confirmed alert of the last quarter that is a channel's business, the oldest first."""
        if "alerts" not in settings.sends:
            return
        projects, visible = self._of(settings)
        found = [one for project in projects for one in self._sources.alerts.of_project(project, visible).alerts if one.fate == "confirmed"]
        for one in sorted(found, key=lambda one: (one.decided or one.seen, one.project, one.name)):
            what = (one.project, one.by, one.name, one.measure, one.seen.isoformat(), one.fate)
            yield Owed(id_of(channel, CONFIRMED, *what), one, one.decided or one.seen)

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
        parts = [weekly_digest(self._sources, one, days, visible, self._pages) for one in told]
        if len(told) < len(projects) or not told:
            more = f"{len(projects) - len(told)} more projects are on the pages only." if told else "There is no project to tell of."
            parts.append(part("", [more]))
        last = days.end - timedelta(days=1)
        title = f"digest of {told[0] if len(projects) == 1 else f'{len(projects)} projects'}, {days.first} to {last}"
        data = {"first": days.first.isoformat(), "last": last.isoformat(), "projects": list(told)}
        return self._notice("", DIGEST, title, now, parts, data)

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
