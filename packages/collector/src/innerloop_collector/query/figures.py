"""The figures of a project: what reports and pages ask for. Every number that comes out of here passed the rules."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from innerloop_collector.config.configuration import QUARANTINE_DAYS
from innerloop_collector.query.contributions import COMMANDS, QUANTILES, TARGETS, Breakdown, Rows, Span, Store, seen, waiting
from innerloop_collector.query.pipeline import passed
from innerloop_collector.query.published import Count, View
from innerloop_collector.query.rules import K
from innerloop_collector.query.totals import WeeklyTotals
from innerloop_collector.query.values import FigureTable, WeeklyTotal, figures, team_size
from innerloop_collector.query.windows import Window, monday_of, more_usual, window

if TYPE_CHECKING:  # a terminal that reads what was published back needs no engine
    from innerloop_collector.store.projects import Registry


class Waiting(View, frozen=True):
    """Events that the collector holds back for a reason; they are in no figure. How many is for whoever operates it."""

    reason: str
    removed_from: date  # the Monday of the week in which the first of them are removed


class TeamFigures(View, frozen=True):
    """The figures of a project in a window."""

    project: str
    name: str
    window: Window
    today: date
    min_active_weeks: int
    developers: Count  # that take part and are active long enough
    enough_developers: bool  # for any figure
    commands: FigureTable
    targets: FigureTable
    began: date | None  # where there are no figures: the Monday of the week in which the first run was received
    waiting: tuple[Waiting, ...]


class Figures:
    """What can be asked."""

    def __init__(self, store: Store, registry: "Registry", now: Callable[[], datetime], *, running: bool) -> None:
        """`running`: the week that is not over is in the figures, as in a throw-away store."""
        self._store = store
        self._registry = registry
        self._now = now
        self._running = running
        self.totals = WeeklyTotals(store)

    def of_team(self, project: str, weeks: int | None = None) -> TeamFigures:
        """The figures of a project's developers in a number of whole weeks."""
        version = self._registry.catalogue.newest(project)
        today = self._now().date()
        chosen = window(weeks, today, running=self._running)
        days = self._registry.retention_days(project)
        kept = (today, None) if self._running else (chosen.monday + timedelta(days=6), chosen.monday)
        rows = seen(self._store, project, version.min_active_weeks, days, *kept)
        team = rows.developers(COMMANDS, Span(chosen.first, chosen.end))
        commands = _table(rows, COMMANDS, chosen, team)
        began = None if commands.rows else rows.began()
        return TeamFigures(
            project=project,
            name=version.document["name"],
            window=chosen,
            today=today,
            min_active_weeks=version.min_active_weeks,
            developers=team_size(team),
            enough_developers=team >= K,
            commands=commands,
            targets=_table(rows, TARGETS, chosen, team),
            began=monday_of(began) if began else None,
            waiting=tuple(
                Waiting(reason, monday_of(day + timedelta(days=QUARANTINE_DAYS))) for reason, day in waiting(self._store, project)
            ),
        )

    def weekly_totals(self, project: str) -> tuple[WeeklyTotal, ...]:
        """The weekly totals of a project, the oldest week first, of weeks that are over."""
        self._registry.catalogue.newest(project)
        running = monday_of(self._now().date())  # its rows may go before it is over, where a project keeps them for few days
        return tuple(one for one in self.totals.read(project) if one.week < running or self._running)


def _table(rows: Rows, of: Breakdown, chosen: Window, team: int) -> FigureTable:
    if not team:
        return FigureTable((), ())
    others = [Span(first, end) for first, end in more_usual(chosen)]
    return figures(passed(rows, of, Span(chosen.first, chosen.end), QUANTILES, others), team)
