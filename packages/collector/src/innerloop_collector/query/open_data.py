"""Open data: what was published of projects whose files open their figures to everybody, as tables.

Each table is a view, and each of its fields says what it is: the data dictionary that goes with them is made of that.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta

from innerloop_collector.errors import UsageError
from innerloop_collector.query.published import Count, Minutes, People, View
from innerloop_collector.query.releases.calendar import in_time, unit_named
from innerloop_collector.query.releases.contribution import EDGES_MS
from innerloop_collector.query.releases.document import Atom, Release, Splits
from innerloop_collector.query.releases.habits import CLASSES, UNDONE, UNSAID
from innerloop_collector.query.values import AGENT, count, minutes, people

THROW_AWAY = "THROW-AWAY STORE: for trying, perhaps simulated; these are the figures of no real team"

ALL = "all"
Project = Annotated[str, Meta(description="The project's id.")]
InRelease = Annotated[str, Meta(description="The release that says so.")]
Breakdown = Annotated[
    str, Meta(description="What the name is of: command, target, os, arch, version, cohort, actor (coding agents), or all.")
]
Name = Annotated[str, Meta(description="The command, target, system, architecture, version or cohort; of all runs: all.")]


class OpenProject(View, frozen=True):
    """Projects whose files open their figures to everybody."""

    project: Project
    title: Annotated[str, Meta(description="The project's name for people.")]


class OpenRelease(View, frozen=True):
    """What was published at once: a week, or what remained of a block of four or five weeks at its end. Nothing changes it."""

    project: Project
    release: Annotated[str, Meta(description="An ISO week such as 2026-W48, or a block of weeks such as 2026-B12.")]
    first_day: Annotated[date, Meta(description="Its first day (UTC).")]
    last_day: Annotated[date, Meta(description="Its last day (UTC).")]
    published: Annotated[date, Meta(description="The day on which it was published.")]
    k: Annotated[int, Meta(description="How many developers are behind each number, at least.")]
    min_active_weeks: Annotated[int, Meta(description="In how many weeks before the block a developer must have been active to count.")]
    weeks: Annotated[
        str | None, Meta(description="Of a block: the weeks that its cells cover, parted by blanks, or none. Empty: all of its weeks.")
    ]
    ci_runs: Annotated[Count | None, Meta(description="Of a block: runs in CI, which are nobody's, rounded to 5.")]


class OpenCell(View, frozen=True):
    """Published numbers. In each breakdown a run is in one of them at most, ever: numbers of a cell add up over releases."""

    project: Project
    release: InRelease
    breakdown: Breakdown
    name: Name
    runs: Annotated[
        Count, Meta(description="Runs, rounded to 5. Nobody counts for more than twice the median developer. Empty: fewer than 5.")
    ]
    developers: Annotated[People | None, Meta(description="How many developers are behind the cell in the block, as a range.")]
    waited_minutes: Annotated[Minutes | None, Meta(description="Minutes that were waited, to three digits. Empty: may not be published.")]


class OpenOutcome(View, frozen=True):
    """A cell's runs by how they ended. Ways that may not be told apart are one number."""

    project: Project
    release: InRelease
    breakdown: Breakdown
    name: Name
    outcomes: Annotated[
        str, Meta(description="succeeded, failed, unfinished (interrupted, or nobody saw how it ended); several of them are joined by +.")
    ]
    runs: Annotated[Count, Meta(description="Runs that ended so, rounded to 5. Empty: fewer than 5.")]


class OpenDuration(View, frozen=True):
    """A cell's runs by how long they took. Durations that may not be told apart are one number."""

    project: Project
    release: InRelease
    breakdown: Breakdown
    name: Name
    from_ms: Annotated[int | None, Meta(description="Longer than so many milliseconds. Empty: runs without a duration only.")]
    to_ms: Annotated[int | None, Meta(description="At most so many milliseconds. Empty: any number, or runs without a duration only.")]
    untimed: Annotated[
        bool, Meta(description="Runs without a duration are in it: sessions, interrupted runs, and those during which the machine slept.")
    ]
    runs: Annotated[Count, Meta(description="Runs that took so long, rounded to 5. Empty: fewer than 5.")]


class OpenHidden(View, frozen=True):
    """Cells that enough developers are behind and that are not published all the same. What fewer ran is not named."""

    project: Project
    release: InRelease
    breakdown: Breakdown
    name: Name
    rule: Annotated[str, Meta(description="The rule that hides it, in words.")]


class OpenSplit(View, frozen=True):
    """Of a block: how a cell's published runs, of its weeks and of what remained of it, are split by what developers' machines said. Classes that may not be told apart are one number."""

    project: Project
    release: InRelease
    breakdown: Breakdown
    name: Name
    split: Annotated[
        str,
        Meta(
            description="What is split: solved (successes, by the failures before them), failed (failures, by those before them: 0 begins a chain), "
            "stopped (what did not finish, by how long it had run), green (successes after failures, by the time since the first)."
        ),
    ]
    classes: Annotated[
        str,
        Meta(description="The class; several are joined by or. not said: of runs that said none. unfinished: of runs that did not finish."),
    ]
    runs: Annotated[Count, Meta(description="Runs of the class, rounded to 5. Empty: fewer than 5.")]


class OpenCritical(View, frozen=True):
    """Of a block: how much of the critical path each target took by itself, over all runs in which it was on it."""

    project: Project
    release: InRelease
    target: Annotated[str, Meta(description="The target.")]
    critical_minutes: Annotated[
        Minutes, Meta(description="Minutes of its own on the critical path, without those of targets inside of it, to three digits.")
    ]


class OpenData(View, frozen=True):
    """Everything that is open to everybody."""

    label: str  # what is to be known before anything else; empty: nothing
    projects: tuple[OpenProject, ...]
    releases: tuple[OpenRelease, ...]
    cells: tuple[OpenCell, ...]
    outcomes: tuple[OpenOutcome, ...]
    durations: tuple[OpenDuration, ...]
    splits: tuple[OpenSplit, ...]
    critical: tuple[OpenCritical, ...]
    hidden: tuple[OpenHidden, ...]


def opened(projects: Sequence[tuple[str, str]], read: Callable[[str], Iterable[Release]], next_due: date, label: str) -> OpenData:
    """What is open of some projects (ids and names). Raises UsageError where nothing is."""
    if not projects:
        raise UsageError(
            "no figures here are open to everybody: a project's innerloop.toml opens them with `figures = true` in [public], "
            "and its developers are asked whether they agree"
        )
    found = [one for project, _ in projects for one in sorted(read(project), key=_in_time) if one.public]
    if not found:
        names = ", ".join(project for project, _ in projects)
        raise UsageError(f"nothing of {names} was published since its figures are open to everybody; the next figures come on {next_due}")
    cells = [(release, one) for release in found for one in (*release.atoms, *((release.agents,) if release.agents else ()))]
    return OpenData(
        label,
        tuple(OpenProject(*one) for one in projects),
        tuple(map(_release, found)),
        tuple(_cell(*one) for one in cells),
        tuple(_outcome for one in cells for _outcome in _outcomes(*one)),
        tuple(_duration for one in cells for _duration in _durations(*one)),
        tuple(split for release in found for one in release.splits for split in _splits(release, one)),
        tuple(
            OpenCritical(release.project, release.unit, target, minutes(own_ms))
            for release in found
            for target, own_ms in sorted(release.critical.items())
        ),
        tuple(
            OpenHidden(release.project, release.unit, one.breakdown or ALL, one.name or ALL, one.rule.format(k=release.k))
            for release in found
            for one in release.hidden
        ),
    )


def _in_time(release: Release) -> tuple[date, bool]:
    return in_time(unit_named(release.unit))


def _release(one: Release) -> OpenRelease:
    unit = unit_named(one.unit)
    return OpenRelease(
        project=one.project,
        release=one.unit,
        first_day=unit.first,
        last_day=unit.end - timedelta(days=1),
        published=one.made,
        k=one.k,
        min_active_weeks=one.min_active_weeks,
        weeks=None if one.weeks is None else " ".join(one.weeks) or "none",
        ci_runs=None if one.jobs is None else count(one.jobs),
    )


def _cell(release: Release, one: Atom) -> OpenCell:
    behind = release.people.get(one.breakdown, {}).get(one.name)
    return OpenCell(
        *_key(release, one),
        runs=count(one.runs),
        developers=None if behind is None or (one.breakdown, one.name) == AGENT else people(behind),
        waited_minutes=None if one.waited_ms is None else minutes(one.waited_ms),
    )


def _outcomes(release: Release, one: Atom) -> list[OpenOutcome]:
    return [OpenOutcome(*_key(release, one), "+".join(part.ways), count(part.runs)) for part in one.outcomes]


def _durations(release: Release, one: Atom) -> list[OpenDuration]:
    out = []
    for part in one.durations:
        timed = [place for place in part.bins if place <= len(EDGES_MS)]
        low = (EDGES_MS[timed[0] - 1] if timed[0] else 0) if timed else None
        high = EDGES_MS[timed[-1]] if timed and timed[-1] < len(EDGES_MS) else None
        out.append(OpenDuration(*_key(release, one), low, high, len(timed) < len(part.bins), count(part.runs)))
    return out


def _splits(release: Release, one: Splits) -> list[OpenSplit]:
    told = [(split, part) for split in CLASSES for part in getattr(one, split)]
    return [OpenSplit(*_key(release, one), split, _classes(part.names), count(part.runs)) for split, part in told]


def _classes(names: Iterable[str]) -> str:
    return " or ".join({UNSAID: "not said", UNDONE: "unfinished"}.get(name, name) for name in names)


def _key(release: Release, one: Atom | Splits) -> tuple[str, str, str, str]:
    return release.project, release.unit, one.breakdown or ALL, one.name or ALL
