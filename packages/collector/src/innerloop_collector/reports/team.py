"""The team's report of a project: published figures, in order, and how it stands where there are none."""

from collections.abc import Iterator
from typing import Any

from innerloop_collector.query import STEP, Count, FigureRow, Figures, FigureTable, InPeriod, Published, TeamFigures, Time
from innerloop_collector.reports.views import (
    Actor,
    Command,
    Distribution,
    Hidden,
    Offered,
    Part,
    ProjectName,
    Releases,
    Report,
    Span,
    Target,
    Trend,
    Whole,
)

AT_ONCE = "THROW-AWAY STORE, for trying: figures are of what is there now, so asking twice can show what one person did in between"
PUBLISHED = (
    "a week is published once, two days after its end, and what remains of its block of 4 or 5 weeks once, at the block's end; nothing changes it",
    "longer periods are sums of what was published; a run is in one published number of each table at most",
)
_RULES = (
    "each number (runs, failures, minutes, each part of the durations) needs {k} developers, none with over half of it, no two with over three quarters",
    "what fewer ran is not named: a name of the project's list that is not here was run by fewer than {k} developers, or by nobody",
    "nobody counts for more than twice the median developer of the week; small parts are merged into their neighbours before they are hidden",
    f"counts are rounded to {STEP}, times to 3 digits; p50 and p90 lie within published durations, p90/p50 is of all runs of a command",
    "ranges of rates are what rounding and chance allow: 95 % by Wilson, as if each developer had run once, since one developer's runs are alike",
    "waiting per developer and week is of whole blocks, by those who ran something in them; a wait's minutes by band lie between its ends",
    "sessions (servers, shells) are use: no waiting and no durations; failures of checks are counted apart",
    "people only, where nothing else is said: no coding agents, no CI, no tests; no times of suspended runs",
    "targets follow the same rules; each run sends those that failed and the slowest, 50 at most",
)


def team_report(figures: Figures, project: str, period: str | None = None) -> Report:
    """Make the report of a project."""
    found = figures.of_team(project, period)
    earlier = {one.name: one for one in found.before.rows} if found.before else {}
    commands = [_command(one, earlier.get(one.name), _kind(one.name, found)) for one in found.commands.rows]
    targets = [_target(one) for one in found.targets.rows]
    state, explanation = state_of(found)
    weeks = found.settings.min_weeks
    next_figures = found.first_release or found.next_release
    return Report(
        project=found.project,
        name=found.name,
        period=_span(found),
        min_active_weeks=weeks,
        k=found.settings.k,
        state=state,
        explanation=explanation,
        next_figures=next_figures.isoformat() if next_figures else None,
        developers=found.developers,
        headcount=found.settings.headcount,
        whole=_whole(found),
        commands=tuple(sorted(commands, key=lambda one: (-_value(one.waited_minutes), -_value(one.runs), one.command))),
        hidden_commands=_hidden(found.commands),
        targets=tuple(sorted(targets, key=lambda one: (-_middle(one.p50), -_value(one.times), one.target))),
        hidden_targets=_hidden(found.targets),
        parts=tuple(
            Part(by, one.name, one.runs, one.developers, one.p50, one.failure_rate, one.failure_range)
            for by, table in found.splits
            for one in table.rows
        ),
        notes=tuple(_notes(found)),
        rules=(
            *((AT_ONCE,) if found.immediate else PUBLISHED),
            f"developers count from {_weeks(weeks)} before a block on (min_active_weeks = {weeks})",
            *(rule.format(k=found.settings.k) for rule in _RULES),
        ),
        participation=found.participation,
        actors=tuple(actors(found.agents, found.jobs)),
    )


def projects(figures: Figures) -> tuple[ProjectName, ...]:
    """Every project."""
    return tuple(ProjectName(project, name) for project, name in figures.projects())


def offered(figures: Figures, project: str) -> tuple[Offered, ...]:
    """The periods of which something is published, the newest first."""
    return tuple(Offered(one.name, one.first, one.last, one.complete) for one in figures.periods(project))


def published(figures: Figures, project: str) -> Releases:
    """Everything that was published of a project."""
    return Releases(project, figures.releases(project))


def trend(figures: Figures, project: str, by: str = "", name: str = "", *, weekly: bool = False) -> Trend:
    """The figures of all runs, or of one cell, block by block or week by week."""
    by = by if name else ""
    return Trend(project, by, name, figures.trend(project, by, name, weekly=weekly), figures.old_names(project, by, name))


def distribution(figures: Figures, project: str, by: str, name: str, period: str | None = None) -> Distribution:
    """The runs of one cell by how long they took."""
    return Distribution(project, by, name, period, figures.distribution(project, by, name, period))


def _notes(found: TeamFigures) -> Iterator[str]:
    if found.beyond_headcount:
        yield (
            f"more developers are there than the headcount of {found.settings.headcount}, and no more of them count; "
            "whoever operates the collector can say how many there are: projects apply FILE --headcount N"
        )
    if found.unlisted:
        names, one = ", ".join(found.unlisted), len(found.unlisted) == 1
        yield (
            f"the project file lists {names} no more: {'its' if one else 'their'} figures are of runs until then, and "
            f"what runs under {'this name' if one else 'these names'} now is in `other`"
        )


def state_of(found: InPeriod) -> tuple[str, str]:
    """How the report stands, in a word and a sentence."""
    if found.told:
        return "figures", ""
    if found.first_release:
        since = (
            f"developers count from {_weeks(found.settings.min_weeks)} before a block on, and the project was applied on {found.applied}"
        )
        return "not published yet", f"the first figures can come on {found.first_release} at the earliest: {since}"
    if found.immediate and not found.received:
        return "no events", "no developer's run was received yet"
    if not found.first:
        return "not published yet", f"nothing of {found.period or 'it'} is published yet; the next figures come on {found.next_release}"
    enough, k = _weeks(found.settings.min_weeks), found.settings.k
    when = "" if found.immediate else " before the block began"
    return "too few developers", f"figures need {k} developers, each with {enough}{when}, and none with most of the runs"


def _span(found: InPeriod) -> Span:
    first, last = (day.isoformat() if day else None for day in (found.first, found.last))
    return Span(found.period or None, first, last, found.complete)


def _whole(found: TeamFigures) -> Whole | None:
    whole, before = found.whole, found.whole_before
    if whole is None:
        return None
    return Whole(
        runs=whole.runs,
        waited_minutes=whole.waited,
        failure_rate=found.failure_rate,
        failure_rate_of_checks=found.failure_rate_of_checks,
        failure_range=found.failure_range,
        failure_range_of_checks=found.failure_range_of_checks,
        waited_per_developer_week=whole.waited_per_developer_week,
        bands=whole.bands,
        tries=whole.tries,
        runs_before=before.runs if before else None,
        developers_before=before.developers if before else None,
        waited_minutes_before=before.waited if before else None,
        waited_per_developer_week_before=before.waited_per_developer_week if before else None,
        failure_rate_before=found.failure_rate_before,
    )


def actors(agents: FigureRow | None, jobs: Count | None) -> Iterator[Actor]:
    """Who else ran something."""
    if agents is not None:
        yield Actor("agent", agents.runs, agents.developers, agents.p50, agents.failure_rate, agents.waited)
    if jobs is not None and jobs.value:
        yield Actor("ci", jobs)


def _kind(command: str, found: TeamFigures) -> str:
    return "session" if command in found.sessions else "check" if command in found.checks else ""


def _command(one: FigureRow, earlier: FigureRow | None, kind: str) -> Command:
    return Command(
        command=one.name,
        kind=kind,
        runs=one.runs,
        developers=one.developers,
        p50=one.p50,
        p90=one.p90,
        failure_rate=one.failure_rate,
        waited_minutes=one.waited,
        runs_before=earlier.runs if earlier else None,
        p50_before=earlier.p50.about if earlier and earlier.p50 else None,
        failure_rate_before=earlier.failure_rate if earlier else None,
        failure_range=one.failure_range,
        spread=one.spread,
        waited_per_developer_week=one.waited_per_developer_week,
        bands=one.bands,
        tries=one.tries,
    )


def _target(one: FigureRow) -> Target:
    return Target(
        target=one.name,
        times=one.runs,
        developers=one.developers,
        p50=one.p50,
        p90=one.p90,
        failure_rate=one.failure_rate,
        failure_range=one.failure_range,
        spread=one.spread,
        critical_minutes=one.critical,
    )


def _hidden(table: FigureTable) -> tuple[Hidden, ...]:
    return tuple(Hidden(name, why) for name, why in table.hidden)


def _value(shown: Published[Any] | None) -> float:
    """For putting in order: what is not shown is the least."""
    return 0 if shown is None else float(shown.value or 0)


def _middle(time: Time | None) -> float:
    return 0 if time is None else _value(time.about or time.at_least)


def _weeks(count: int) -> str:
    return "1 active week" if count == 1 else f"{count} active weeks"
