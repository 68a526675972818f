"""The team's report of a project: published figures, in order, and how it stands where there are none."""

from datetime import date, timedelta
from typing import Any

from innerloop_collector.query import (
    P90_DEVELOPERS,
    STEP,
    Count,
    FigureRow,
    Figures,
    K,
    Minutes,
    Published,
    TeamFigures,
    Window,
    total,
)
from innerloop_collector.reports.views import About, Command, Report, Span, Target, Total, Waiting

_WHOLE_WEEKS = "whole weeks that are over, with what was received by then"
_THROW_AWAY = "THROW-AWAY STORE, for trying: the running week is shown too, so asking twice can show what one person did in between"
_RULES = (
    f"a command is shown from {K} developers on; more are hidden until the hidden ones have {K} together",
    "hidden: what one developer ran more than half of, or two more than three quarters",
    f"counts are rounded to {STEP}, times to 3 digits; developers are not counted where all ran it",
    f"a p90 needs {P90_DEVELOPERS} developers; totals cover what is shown",
    "people only: no coding agents, no CI, no tests; no times of suspended runs",
    "targets follow the same rules; each run sends those that failed and the slowest, 50 at most",
)


def team_report(figures: Figures, project: str, weeks: int | None = None) -> Report:
    """Make the report of a project."""
    found = figures.of_team(project, weeks)
    commands = sorted(map(_command, found.commands.rows), key=lambda one: (-_value(one.waited_minutes), -_value(one.runs), one.command))
    targets = sorted(map(_target, found.targets.rows), key=lambda one: (-_value(one.p50_ms), -_value(one.times), one.target))
    state, explanation, first_figures = _state(found)
    next_figures = _next(found.window)
    return Report(
        project=found.project,
        name=found.name,
        window=_span(found.window),
        min_active_weeks=found.min_active_weeks,
        k=K,
        state=state,
        explanation=explanation,
        first_figures=first_figures.isoformat() if first_figures else None,
        next_figures=None if found.window.running else next_figures.isoformat(),
        developers=_about(found.developers),
        commands=tuple(commands),
        needs_more_developers=found.commands.hidden,
        targets=tuple(targets),
        targets_need_more_developers=len(found.targets.hidden),
        waiting=tuple(Waiting(one.reason, one.removed_from.isoformat()) for one in found.waiting),
        total=Total(total(Count, (one.runs for one in commands)), total(Minutes, (one.waited_minutes for one in commands))),
        rules=(
            _THROW_AWAY if found.window.running else f"{_WHOLE_WEEKS}; the next figures come on {next_figures}",
            f"developers count with {_weeks(found.min_active_weeks)} or more (min_active_weeks = {found.min_active_weeks})",
            *_RULES,
        ),
    )


def _state(found: TeamFigures) -> tuple[str, str, date | None]:
    """How the report stands, in a word, a sentence, and perhaps the day when figures can appear."""
    if found.commands.rows:
        return "figures", "", None
    chosen, began = found.window, found.began
    if began is None:
        until = "" if chosen.running else f"; what came since {chosen.monday} appears from {_next(chosen)} on"
        return "no events", f"no developer's run was received yet{until}", None
    over = found.min_active_weeks - 1 if chosen.running else found.min_active_weeks
    possible = began + timedelta(weeks=over)
    enough = _weeks(found.min_active_weeks)
    if found.today < possible:
        why = f"figures can appear from {possible} on: developers count after {enough}, and the first run came in the week of {began}"
        return "too little history", why, possible
    who = f"{K} developers for a command" if found.enough_developers else f"{K} developers"
    return "too few developers", f"figures need {who}, each with {enough}; there are fewer (<{K})", None


def _command(one: FigureRow) -> Command:
    return Command(
        command=one.name,
        runs=one.runs,
        developers=one.developers,
        p50_ms=one.p50,
        p90_ms=one.p90,
        failure_rate=one.failure_rate,
        interrupted=_about(one.interrupted),
        unknown=_about(one.unknown),
        waited_minutes=one.waited,
    )


def _target(one: FigureRow) -> Target:
    return Target(target=one.name, times=one.runs, developers=one.developers, p50_ms=one.p50, p90_ms=one.p90, failure_rate=one.failure_rate)


def _about(count: Count) -> About:
    return About(count, str(count))


def _value(shown: Published[Any] | None) -> float:
    """For putting in order: what is not shown is the least."""
    return 0 if shown is None else float(shown.value or 0)


def _next(chosen: Window) -> date:
    return chosen.monday + timedelta(weeks=1)


def _span(chosen: Window) -> Span:
    first, last = chosen.labels
    last_day = chosen.end - timedelta(days=1)
    return Span(first, last, chosen.first.isoformat(), last_day.isoformat(), chosen.weeks, last if chosen.running else None)


def _weeks(count: int) -> str:
    return "1 active week" if count == 1 else f"{count} active weeks"
