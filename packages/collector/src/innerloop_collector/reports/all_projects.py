"""The report of all projects: sums of published figures, and one line of each."""

from collections.abc import Collection

from innerloop_collector.query import AllFigures, Figures, InPeriod
from innerloop_collector.reports.team import AT_ONCE, PUBLISHED, actors, state_of
from innerloop_collector.reports.views import AllProjects, InAll, Whole

_RULES = (
    "sums are of what is published of each project, by its own rules; what is hidden there is in no sum",
    "developers are not added up: one may work on several projects. The range of a rate is taken as if there were only those of the largest project",
)


def all_projects(figures: Figures, visible: Collection[str] | None, period: str | None = None) -> AllProjects:
    """Make the report of the projects that somebody may see (None: all)."""
    found = figures.of_all(visible, period)
    return AllProjects(
        period=found.period or None,
        next_figures=found.next_release.isoformat() if found.next_release else None,
        projects=tuple(map(_line, found.teams)),
        whole=_whole(found),
        actors=tuple(actors(found.agents, found.jobs)),
        rules=(*((AT_ONCE,) if found.immediate else PUBLISHED), *_RULES),
    )


def _line(of: InPeriod) -> InAll:
    whole = of.whole
    return InAll(
        project=of.project,
        name=of.name,
        state=state_of(of)[0],
        runs=whole.runs if whole else None,
        developers=of.developers,
        failure_rate=of.failure_rate,
        waited_minutes=whole.waited if whole else None,
        waited_per_developer_week=whole.waited_per_developer_week if whole else None,
    )


def _whole(found: AllFigures) -> Whole | None:
    whole, before = found.whole, found.whole_before
    if whole is None:
        return None
    return Whole(
        runs=whole.runs,
        waited_minutes=whole.waited,
        failure_rate=found.failure_rate,
        failure_rate_of_checks=None,
        failure_range=found.failure_range,
        bands=whole.bands,
        runs_before=before.runs if before else None,
        waited_minutes_before=before.waited if before else None,
    )
