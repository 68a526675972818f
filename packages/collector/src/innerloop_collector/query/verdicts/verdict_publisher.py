# ruff: noqa: PLC0415 - who reads what was published need not wait for numpy and scipy to be imported
"""Publishes each registered look at a change once, when it is due. What was published is read, never computed again.

A look that lies too near another one with a command or target in common is published as refused, so that what the two have apart is never one person's.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from innerloop_collector.errors import CollectorError
from innerloop_collector.query.population import Population, Settings, Store
from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.releases.document import Release
from innerloop_collector.query.verdicts import looks
from innerloop_collector.query.verdicts.looks import Change, Look, Name
from innerloop_collector.query.verdicts.registered import ELSEWHERE
from innerloop_collector.query.verdicts.scan_views import Scan
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_views import KIND, VERSION, Verdict

if TYPE_CHECKING:
    from innerloop_collector.query.verdicts.statistics import Exposure, Span, Sums

_log = structlog.get_logger()


class Figures(Protocol):
    """The releases of figures."""

    def read(self, project: str, units: Iterable[str]) -> Mapping[str, Release]:
        """Those of some units that are there, by unit."""


class Source(Protocol):
    """Adds up what the people of some projects ran."""

    def of(
        self,
        populations: Sequence[Population],
        names: Mapping[str, Collection[str]],
        span: "Span",
        exposure: "Exposure",
        *,
        targets: bool = False,
    ) -> "Sums":
        """What the people of some projects add to some of their names; to all of their commands (and `targets`) where a project names none."""


def rows_of(store: Store) -> Callable[[], Source]:
    """Make what reads a store when it is needed first: a collector that starts need not wait for numpy."""

    def made() -> Source:
        from innerloop_collector.query.verdicts.statistics import Statistics

        return Statistics(store)

    return made


class Known(NamedTuple):
    """What is known of projects, and of changes."""

    settings: Callable[[], Mapping[str, Settings]]
    changes: Callable[[], Sequence[Change]]
    checks: Callable[[str, Collection[str]], Collection[str]]  # of a project, which of some names are checks
    telling: Callable[[str], tuple[str, ...]]  # the digests of a project's plans under which events say which changes a checkout holds
    committed: Callable[[], int]  # the position up to which all events are to be seen
    beside: Callable[
        [Change], tuple[str, ...]
    ]  # other changes in the same weeks to the same commands: what one did cannot be told from what another did
    looked: Callable[[str, str], None]  # closes the record of a project's change: somebody looked at what it did


class VerdictPublisher:
    """Makes verdicts."""

    def __init__(self, source: Callable[[], Source], verdicts: Verdicts, figures: Figures, known: Known) -> None:
        self._source = source
        self._verdicts = verdicts
        self._figures = figures
        self._known = known

    def due(self, today: date) -> list[tuple[str, str]]:
        """What is to be published: projects and units."""
        return [(change.project, unit_of(change, look)) for change, look in self._due(today)]

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Publish what is due. Returns which units of which projects. Killed anywhere, the next call goes on.

        Where it fails for one change, the others' verdicts are published, and the next call tries again. Nobody's rows are kept longer for that.
        """
        done = []
        for change, look in self._due(today):
            try:
                self._verdicts.add(self._make(change, look, today))
                done.append((change.project, unit_of(change, look)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this change's
                known = isinstance(error, CollectorError)
                _log.error(
                    "verdict not published",
                    project=change.project,
                    change=change.name,
                    error=str(error) if known else "",
                    exc_info=not known,
                )
        for change in self._known.changes():  # also what a kill left open
            if not change.looked and self._verdicts.looks(change.project, change.name):
                self._known.looked(change.project, change.name)
        return done

    def _due(self, today: date) -> list[tuple[Change, Look]]:
        found = [
            (change, look)
            for change in self._known.changes()
            if (look := looks.due(change, self._verdicts.looks(change.project, change.name), today))
        ]
        return sorted(found, key=lambda one: (one[1].due, one[0].project, one[0].name))

    def _make(self, change: Change, look: Look, today: date) -> Verdict:
        from innerloop_collector.query.verdicts.judgement import judged

        told = [one for project in self._known.settings() for one in self._verdicts.telling(project)]
        near = looks.too_near(change, today, told)
        blank = self._blank(change, look, today, near if isinstance(near, Verdict | Scan) else None)
        if blank.refused:
            return blank
        sums = sums_of(self._source(), self._figures, self._known, change, (change.first, look.end, self._known.committed()), today)
        checks = checks_of(self._known, change, sums)
        weeks = {gap.week for one in told if isinstance(one, Verdict) and looks.meet(one, change) for gap in one.gaps}
        return judged(blank, sums, change, look, checks, weeks)

    def _blank(self, change: Change, look: Look, today: date, near: Verdict | Scan | None) -> Verdict:
        """A verdict that says nothing yet, or why it never will."""
        settings = self._known.settings()
        missing = [project for project in change.projects if project not in settings]
        refused = f"no project {missing[0]!r} here" if missing else ""
        if near is not None:
            refused = _refusal(change, look, near, today)
        return Verdict(
            version=VERSION, project=change.project, unit=unit_of(change, look), change=change.name, title=change.title, day=change.day,
            metric=change.metric, look=look.number, looks=len(change.looks), weeks=look.weeks, first=change.first, end=look.end, made=today,
            k=max((settings[one].k for one in change.projects if one in settings), default=0),
            affected=change.affected, controls=change.controls, refused=refused, expected=change.expected,
            at_once=self._known.beside(change),
        )  # fmt: skip


def unit_of(change: Change, look: Look) -> str:
    """The name under which a look is published."""
    return f"{KIND}/{change.name}/{look.number}"


def sums_of(
    source: Source, figures: Figures, known: Known, change: Change, span: tuple[date, date, int], today: date, *, targets: bool = False
) -> "Sums":
    """What the people of a change's projects add to its names: those who count in the block of the last week. `span` is first day, end and position.

    `targets`: where it names no command of a project, all targets as well as all commands.
    """
    from innerloop_collector.query.verdicts.statistics import Exposure, Span

    settings = known.settings()
    block = block_of(span[1] - timedelta(days=1))
    before = block_of(block.first - timedelta(days=1)).name
    populations = []
    for project in change.projects:
        release = figures.read(project, [before]).get(before)
        populations.append(Population.in_block(project, settings[project], block.first, release, today))
    names = {project: _asked(change, project) for project in change.projects}
    telling = tuple(digest for project in change.projects for digest in known.telling(project)) if change.in_checkout else ()
    exposure = Exposure(change.name if change.in_checkout else "", telling)
    return source.of(populations, names, Span(*span), exposure, targets=targets)


def _asked(change: Change, project: str) -> frozenset[str]:
    """The names of a project that are asked for. None: all."""
    names = {one.name for one in (*change.affected, *change.controls) if one.project == project}
    return frozenset() if "" in names else frozenset(names)


def checks_of(known: Known, change: Change, sums: "Sums") -> list[Name]:
    """Which names are checks: of those that were run, and of those that a change names."""
    names = {*sums.targets, *change.affected, *change.controls}
    return [
        Name(project, name)
        for project in change.projects
        for name in known.checks(project, sorted(one.name for one in names if one.project == project and one.name))
    ]


def _refusal(change: Change, look: Look, near: Verdict | Scan, today: date) -> str:
    """Why a look is not published, and when the next one can be."""
    next_one = looks.coming(change, {look.number}, today)
    after = (
        f"the next look is on {next_one.due:%A} {next_one.due}"
        if next_one
        else f"a new record can be looked at from {looks.free_from(near.made)} on"
    )
    told_of = {project for project, _ in (*near.affected, *near.controls)}
    theirs = near.change if told_of <= set(change.projects) else ELSEWHERE
    kind = "look" if isinstance(near, Verdict) else "the scan of look"
    whose = f"{kind} {near.look}" if (near.project, near.change) == (change.project, change.name) else f"{kind} {near.look} at {theirs}"
    return (
        f"{whose} told of the same command or control on {near.made}, and two looks lie in different blocks and four weeks apart; {after}"
    )
