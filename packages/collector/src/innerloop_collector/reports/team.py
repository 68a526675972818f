"""The team's report of a project: figures from the queries, through the release rules, into views. May import: the rest of reports, registry."""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from innerloop.plan.granularity import three_digits
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.schema import QUARANTINE_DAYS
from innerloop_collector.query import rules
from innerloop_collector.query.queries import COMMANDS, TARGETS, Breakdown, Figures, Spread, TeamQueries
from innerloop_collector.query.windows import Window, monday_of, more_usual, window
from innerloop_collector.reports.views import Command, Count, Report, Span, Target, Total, Waiting
from innerloop_collector.store.projects import Registry

_WHOLE_WEEKS = "whole weeks that are over, with what was received until then"
_THROW_AWAY = "THROW-AWAY STORE, for trying: the running week is shown too, so asking twice can show what one person did in between"
_RULES = (
    f"shown from {rules.K} developers on; more is hidden until the hidden commands have {rules.K} too",
    "hidden: what is over half one developer's, or over three quarters two developers'",
    "counts are rounded to 5, times to 3 digits; no count of developers where all ran it",
    f"a p90 needs {rules.P90_DEVELOPERS} developers; totals are of what is shown",
    "only people: no coding agents, no CI, no tests; no times of suspended runs",
    "targets, by the same rules: of each run those that failed and the slowest, 50 at most",
)


class TeamReports:
    """Makes reports."""

    def __init__(self, engine: Engine, registry: Registry, now: Callable[[], datetime], *, running: bool) -> None:
        """`running`: the week that is not over is in the reports, as in a throw-away store."""
        self._engine = engine
        self._registry = registry
        self._now = now
        self._running = running

    def report(self, project: str, weeks: int | None = None) -> dict[str, Any]:
        """Make the report of a project, as what JSON can say."""
        version = self._registry.catalogue.newest(project)
        today = self._now().date()
        chosen = window(weeks, today, running=self._running)
        kept = self._registry.retention_days(project)
        seen = (today, None) if self._running else (chosen.monday + timedelta(days=6), chosen.monday)
        queries = TeamQueries(self._engine, project, version.min_active_weeks, kept, *seen)
        made = _Making(queries, chosen, version.min_active_weeks, today).make(project, version.document["name"])
        built: dict[str, Any] = msgspec.to_builtins(made)
        return built


class _Making:
    """One report in the making."""

    def __init__(self, queries: TeamQueries, chosen: Window, min_weeks: int, today: date) -> None:
        self._queries = queries
        self._window = chosen
        self._min_weeks = min_weeks
        self._today = today

    def make(self, project: str, name: str) -> Report:
        """Ask, apply the rules, and say how it stands."""
        team = self._queries.team(self._window)
        figures, spreads, gone = self._breakdown(COMMANDS, team)
        shown = [_command(one, spreads[one.name], team) for one in figures if one.name not in gone]
        shown.sort(key=lambda one: (-(one.waited_minutes or 0), -one.runs, one.command))
        made, _, unshown = self._breakdown(TARGETS, team)
        targets = [_target(one, team) for one in made if one.name not in unshown]
        targets.sort(key=lambda one: (-(one.p50_ms or 0), -one.times, one.target))
        state, explanation, first_figures = self._state(team, bool(shown))
        return Report(
            project=project,
            name=name,
            window=_span(self._window),
            min_active_weeks=self._min_weeks,
            k=rules.K,
            state=state,
            explanation=explanation,
            first_figures=first_figures.isoformat() if first_figures else None,
            next_figures=None if self._window.running else self._next.isoformat(),
            developers=_count(team),
            commands=tuple(shown),
            needs_more_developers=tuple(sorted(gone)),
            targets=tuple(targets),
            targets_need_more_developers=len(unshown),
            waiting=tuple(Waiting(reason, _removed_from(day)) for reason, day in self._queries.waiting()),
            total=Total(sum(one.runs for one in shown), round(sum(one.waited_minutes or 0 for one in shown), 4)),
            rules=(
                _THROW_AWAY if self._window.running else f"{_WHOLE_WEEKS}; the next figures come on {self._next}",
                f"developers count from {_weeks(self._min_weeks)} on (min_active_weeks = {self._min_weeks})",
                *_RULES,
            ),
        )

    @property
    def _next(self) -> date:
        return self._window.monday + timedelta(weeks=1)

    def _breakdown(self, of: Breakdown, team: int) -> tuple[list[Figures], dict[str, Spread], frozenset[str]]:
        """The figures of a breakdown, how they are spread, and which must be hidden."""
        figures = self._queries.figures(of, self._window) if team else []
        if not figures:
            return [], {}, frozenset()
        spreads = self._queries.spreads(of, self._window)
        differences = self._queries.differences(of, more_usual(self._window))
        cells = [rules.Cell(one.name, one.developers, _runs(spreads[one.name]), tuple(differences.get(one.name, ()))) for one in figures]
        return figures, spreads, rules.hidden(cells, lambda names: self._queries.developers_in(of, names, self._window))

    def _state(self, team: int, shown: bool) -> tuple[str, str, date | None]:
        """How the report stands, in a word, a sentence, and perhaps the day when figures can appear."""
        if shown:
            return "figures", "", None
        began = self._queries.first_day()
        if began is None:
            until = "" if self._window.running else f"; what came in since {self._window.monday} is seen from {self._next} on"
            return "no events", f"no developer's run was received yet{until}", None
        over = self._min_weeks - 1 if self._window.running else self._min_weeks
        possible = monday_of(began) + timedelta(weeks=over)
        if self._today < possible:
            why = f"figures can appear from {possible} on: developers count after {_weeks(self._min_weeks)}, and the first run came in the week of {monday_of(began)}"
            return "too little history", why, possible
        who = f"{rules.K} developers" if team < rules.K else f"{rules.K} developers for a command"
        return "too few developers", f"figures need {who}, each with {_weeks(self._min_weeks)}; there are fewer (<{rules.K})", None


def _command(one: Figures, spread: Spread, team: int) -> Command:
    """The figures of a command that may be shown. Each figure needs enough developers of its own."""
    return Command(
        command=one.name,
        runs=rules.rounded(one.runs) or 0,
        developers=rules.shown_developers(one.developers, team),
        p50_ms=_p50(one),
        p90_ms=_p90(one),
        failure_rate=_failure_rate(one),
        interrupted=_count(one.interrupted),
        unknown=_count(one.unknown),
        waited_minutes=_minutes(spread),
    )


def _target(one: Figures, team: int) -> Target:
    """The figures of a target that may be shown."""
    return Target(
        target=one.name,
        times=rules.rounded(one.runs) or 0,
        developers=rules.shown_developers(one.developers, team),
        p50_ms=_p50(one),
        p90_ms=_p90(one),
        failure_rate=_failure_rate(one),
    )


def _p50(one: Figures) -> int | None:
    return _quantile(one.quantiles[0]) if one.timed_developers >= rules.K else None


def _p90(one: Figures) -> int | None:
    return _quantile(one.quantiles[1]) if one.timed_developers >= rules.P90_DEVELOPERS else None


def _failure_rate(one: Figures) -> float | None:
    return round(one.failed / one.ended, 2) if one.ended_developers >= rules.K else None


def _minutes(spread: Spread) -> float | None:
    share = rules.Share(spread.waited, spread.waited_largest, spread.waited_largest_two)
    if spread.waiting_developers < rules.K or share.dominated:
        return None
    return round(three_digits(spread.waited) / 60_000, 4)


def _runs(spread: Spread) -> rules.Share:
    return rules.Share(spread.runs, spread.runs_largest, spread.runs_largest_two)


def _quantile(value: float) -> int | None:
    return None if math.isnan(value) else three_digits(round(value))


def _count(value: int) -> Count:
    about = rules.rounded(value)
    return Count(about, f"<{rules.STEP}" if about is None else str(about))


def _span(chosen: Window) -> Span:
    first, last = chosen.labels
    last_day = chosen.end - timedelta(days=1)
    return Span(first, last, chosen.first.isoformat(), last_day.isoformat(), chosen.weeks, last if chosen.running else None)


def _removed_from(received: date) -> str:
    return monday_of(received + timedelta(days=QUARANTINE_DAYS)).isoformat()


def _weeks(count: int) -> str:
    return "1 active week" if count == 1 else f"{count} active weeks"
