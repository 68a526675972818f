"""The figures of a project: what reports and pages ask for. Every number that comes out of here was published.

A store that is made to try things also shows what is there now: that passes the same rules, and is kept nowhere.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from innerloop_collector.errors import UsageError
from innerloop_collector.query import periods, values
from innerloop_collector.query.figure_tables import Bin, FigureRow, FigureTable, RateRange, Unit
from innerloop_collector.query.open_data import THROW_AWAY, OpenData, opened
from innerloop_collector.query.periods import Period
from innerloop_collector.query.population import Population, Settings, Store
from innerloop_collector.query.published import Count, People, Rate, View
from innerloop_collector.query.releases.archive import Archive
from innerloop_collector.query.releases.calendar import block_of, in_time, next_block_due, next_due, unit_named, week
from innerloop_collector.query.releases.document import Release
from innerloop_collector.query.releases.immediate import at_once
from innerloop_collector.query.releases.renaming import renamed
from innerloop_collector.query.releases.rows import Rows, left_out
from innerloop_collector.query.releases.shown import WHOLE, Key

if TYPE_CHECKING:  # a terminal that reads what was published back needs no engine
    from innerloop_collector.store.catalogue import Version
    from innerloop_collector.store.projects import Registry

_WEEKS_AT_ONCE = 13
_RENAMED = ("command", "target")  # breakdowns whose names a project file gives


class InPeriod(View, frozen=True):
    """A project in a period, and the figures of all its runs."""

    project: str
    name: str
    period: str
    first: date | None  # None: nothing is published
    last: date | None
    complete: bool
    immediate: bool
    settings: Settings
    developers: People | None
    whole: FigureRow | None
    told: bool  # whether anything is, of all runs or of a target
    failure_rate: Rate | None  # of all commands that are neither sessions nor checks
    failure_range: RateRange | None
    applied: date  # since when the project is known here
    received: bool  # of a store that publishes at once: whether any run is there. What others hold back moves nothing in a report
    first_release: date | None  # while there are no figures, and cannot be any yet: the first day on which there can
    next_release: date | None


class TeamFigures(InPeriod, frozen=True):
    """All figures of a project in a period."""

    commands: FigureTable
    sessions: frozenset[str]  # commands that nobody waits for
    checks: frozenset[str]  # commands whose failure is information
    failure_rate_of_checks: Rate | None
    failure_range_of_checks: RateRange | None
    targets: FigureTable
    before: FigureTable | None  # the commands in the period before
    whole_before: FigureRow | None
    failure_rate_before: Rate | None
    participation: RateRange | None  # how many of those who are there take part
    agents: FigureRow | None  # coding agents, by the people they work for
    jobs: Count | None  # runs in CI, which are nobody's
    unlisted: tuple[str, ...]  # commands and targets that the newest project file lists no more
    beyond_headcount: bool  # more developers were there than the headcount says, and not all of them count
    splits: tuple[tuple[str, FigureTable], ...]


class AllFigures(View, frozen=True):
    """The figures of some projects, and the sums of what is published of each."""

    period: str
    immediate: bool
    teams: tuple[InPeriod, ...]
    whole: FigureRow | None
    failure_rate: Rate | None  # of commands that are neither sessions nor checks
    failure_range: RateRange | None
    whole_before: FigureRow | None
    agents: FigureRow | None
    jobs: Count | None
    next_release: date | None


class Point(View, frozen=True):
    """The figures of one block. None: nothing of the cell is published."""

    period: str
    first: date
    last: date
    complete: bool
    figures: FigureRow | None
    agents: FigureRow | None = None  # of all runs only, as the next
    jobs: Count | None = None


class _Published(NamedTuple):
    """The releases of a project in a period, and in the one before."""

    project: str
    version: "Version"
    settings: Settings
    name: str  # of the period, or what was asked for
    period: Period | None
    releases: list[Release]
    before: list[Release]
    sessions: frozenset[str]
    checks: frozenset[str]
    others: frozenset[str]  # commands that are neither
    now: bool  # of what is there, which is published nowhere


class Figures:
    """What can be asked."""

    def __init__(self, store: Store, registry: "Registry", archive: Archive, now: Callable[[], datetime], *, immediate: bool) -> None:
        """`immediate`: figures are of what is there now, as in a throw-away store."""
        self._rows = Rows(store)
        self._registry = registry
        self._archive = archive
        self._now = now
        self._immediate = immediate

    def of_team(self, project: str, name: str | None = None) -> TeamFigures:
        """The figures of a project's developers in a period; by default the last block that is published."""
        of = self._published(project, name)
        releases, before = of.releases, of.before
        alone = self._in_period(of)
        commands, targets = values.table(releases, "command"), values.table(releases, "target")
        rate_of_checks, between_of_checks = values.failure_rate(releases, of.checks)
        return TeamFigures(
            **{field: getattr(alone, field) for field in InPeriod.__struct_fields__},
            commands=commands,
            sessions=of.sessions,
            checks=of.checks,
            failure_rate_of_checks=rate_of_checks,
            failure_range_of_checks=between_of_checks,
            targets=targets,
            before=values.table(before, "command") if before else None,
            whole_before=values.whole(before),
            failure_rate_before=values.failure_rate(before, of.others)[0],
            participation=values.part_of(alone.developers, of.settings.headcount),
            agents=values.agents(releases),
            jobs=values.jobs(releases),
            unlisted=_unlisted(of.version, (commands, targets)),
            beyond_headcount=any(one.left_out for one in releases),
            splits=tuple((one, values.table(releases, one)) for one in ("os", "arch", "version", "cohort")),
        )

    def of_all(self, visible: Collection[str] | None, name: str | None = None) -> AllFigures:
        """The figures of the projects that somebody may see (None: all) in one period, and their sums; by default the last block that any has published."""
        projects = [project for project, _ in self.projects() if visible is None or project in visible]
        if name is None and not self._immediate:
            last = periods.period(None, {unit for project in projects for unit in self._archive.units(project)})
            name = last.name if last else None
        found = [self._published(project, name) for project in projects]
        whole, rate, between = values.across([(one.releases, one.others) for one in found])
        releases = [release for one in found for release in one.releases]
        return AllFigures(
            period=name or "",
            immediate=self._immediate and name is None,
            teams=tuple(map(self._in_period, found)),
            whole=whole,
            failure_rate=rate,
            failure_range=between,
            whole_before=values.across([(one.before, one.others) for one in found])[0],
            agents=values.agents(releases),
            jobs=values.jobs(releases),
            next_release=None if self._immediate and name is None else next_due(self._now().date()),
        )

    def _published(self, project: str, name: str | None) -> "_Published":
        """What was published of a project in a period, and what its file says of that."""
        settings = settings_of(self._registry, project)
        chosen, releases, before = self._chosen(project, name, settings, self._now().date())
        catalogue = self._registry.catalogue
        commands = values.names(releases, "command")
        marked = catalogue.marked(project, commands)
        return _Published(
            project=project,
            version=catalogue.newest(project),
            settings=settings,
            name=chosen.name if chosen else name or "",
            period=chosen,
            releases=releases,
            before=before,
            sessions=marked.sessions,
            checks=marked.checks,
            others=frozenset(commands) - marked.sessions - marked.checks,
            now=self._immediate and name is None,
        )

    def _in_period(self, of: "_Published") -> InPeriod:
        """The figures of all runs."""
        today = self._now().date()
        whole = values.whole(of.releases)
        applied = self._registry.catalogue.versions[of.project][0].applied
        first = None if whole or self._immediate else _first_release(applied, of.settings.min_weeks)
        rate, between = values.failure_rate(of.releases, of.others)
        return InPeriod(
            project=of.project,
            name=of.version.document["name"],
            period=of.name,
            first=of.period.first if of.period else None,
            last=of.period.last if of.period else None,
            complete=bool(of.period and of.period.complete),
            immediate=of.now,
            settings=of.settings,
            developers=whole.developers if whole else None,
            whole=whole,
            told=bool(whole or values.names(of.releases, "target")),
            failure_rate=rate,
            failure_range=between,
            applied=applied,
            received=of.now and self._rows.first_day(of.project) is not None,
            first_release=first if first and first > today else None,
            next_release=None if of.now else next_due(today),
        )

    def next_block(self) -> date:
        """The next day on which a block is published."""
        return next_block_due(self._now().date())

    def projects(self) -> tuple[tuple[str, str], ...]:
        """Every project, with its name."""
        versions = self._registry.catalogue.versions
        return tuple((project, str(all_of[-1].document["name"])) for project, all_of in sorted(versions.items()))

    def periods(self, project: str) -> tuple[Period, ...]:
        """Every period of which something is published, the newest first. No release is read for it."""
        self._registry.catalogue.newest(project)
        return periods.every(self._archive.units(project))

    def releases(self, project: str) -> tuple[Unit, ...]:
        """Everything that was published of a project, the oldest first."""
        self._registry.catalogue.newest(project)
        names = sorted(self._archive.units(project), key=lambda name: in_time(unit_named(name)))
        found = self._archive.read(project, names)
        return tuple(
            Unit(
                name,
                found[name].made,
                values.whole([found[name]]),
                values.names([found[name]], "command"),
                values.names([found[name]], "target"),
            )
            for name in names
            if name in found
        )

    def trend(self, project: str, breakdown: str = "", name: str = "", *, weekly: bool = False) -> tuple[Point, ...]:
        """The figures of a cell, block by block, as far back as anything was published; of the whole where no cell is named.

        `weekly`: week by week. A week lacks what is published with its block only.
        """
        self._registry.catalogue.newest(project)
        published = self._archive.units(project)
        units = map(unit_named, published)
        wanted = sorted({unit for unit in units if not unit.is_block} if weekly else {block_of(unit.first) for unit in units}, key=in_time)
        releases = self._archive.read(project, published)
        found = [one for unit in wanted if (one := periods.period(unit.name, published))]
        old = dict.fromkeys(self.old_names(project, breakdown, name), name)
        return tuple(_point(one, renamed([releases[unit] for unit in one.units], old), (breakdown, name)) for one in found)

    def distribution(self, project: str, breakdown: str, name: str, period: str | None = None) -> tuple[Bin, ...]:
        """A cell's runs in a period by how long they took; by default in the last block that is published. Empty: not published, or not told apart."""
        settings = settings_of(self._registry, project)
        _, releases, _ = self._chosen(project, period, settings, self._now().date())
        return values.distribution(releases, (breakdown, name))

    def cells(self, project: str) -> frozenset[Key]:
        """Of what anything was published of a project, ever: by the names of then, and by those that they have now."""
        version = self._registry.catalogue.newest(project)
        releases = self._archive.read(project, self._archive.units(project)).values()
        found = {key for release in releases for key in release.cells}
        now = {(by, new) for by in _RENAMED for new, old in version.renamed_from.items() if any((by, one) in found for one in old)}
        return frozenset(found | now)

    def old_names(self, project: str, breakdown: str, name: str) -> tuple[str, ...]:
        """What a command or target was called before, by the newest project file."""
        version = self._registry.catalogue.newest(project)
        return version.renamed_from.get(name, ()) if breakdown in _RENAMED else ()

    def beyond_headcount(self, project: str) -> bool:
        """Whether more developers could count in the block that runs than the project's headcount says there are. For whoever operates it."""
        settings, today = settings_of(self._registry, project), self._now().date()
        return bool(settings.headcount) and left_out(self._rows, Population.of(project, settings, block_of(today).first, today))

    def open_data(self, wanted: str | None = None, visible: Collection[str] | None = None, *, throw_away: bool = False) -> OpenData:
        """Everything that is open to everybody: of one project, or of all that somebody may see. Raises UsageError where nothing is.

        `throw_away`: whoever asks knows that a store that is made to try things holds no figures of a real team.
        """
        if self._immediate and not throw_away:
            raise UsageError(
                "this is a throw-away store, whose figures may be simulated or made up; say --throw-away, and every file says so as well"
            )
        catalogue = self._registry.catalogue
        for project in [wanted] if wanted else []:
            catalogue.newest(project)
        seen = [wanted] if wanted else [one for one in catalogue.versions if visible is None or one in visible]
        return opened(
            [(one, str(catalogue.newest(one).document["name"])) for one in sorted(seen) if catalogue.public_plans(one) is not None],
            lambda project: self._archive.read(project, self._archive.units(project)).values(),
            next_due(self._now().date()),
            label=THROW_AWAY if self._immediate else "",
        )

    def opens(self, project: str) -> bool:
        """Tell whether a project's newest file opens figures to everybody. Nothing is read for it."""
        catalogue = self._registry.catalogue
        return project in catalogue.versions and catalogue.public_plans(project) is not None

    def is_open(self, project: str, name: str) -> bool:
        """Tell whether everything that is published of a project's period is open to everybody, and something is."""
        if not self.opens(project):
            return False
        published = self._archive.units(project)
        found = periods.period(name, published) if name else None
        units = found.units if found else ()
        return bool(units) and all(one.public for one in self._archive.read(project, units).values())

    def _chosen(
        self, project: str, name: str | None, settings: Settings, today: date
    ) -> tuple[Period | None, list[Release], list[Release]]:
        """The period that is asked for, its releases, and those of the period before."""
        if self._immediate and name is None:
            return *self._at_once(project, settings, today), []
        published = self._archive.units(project)
        chosen = periods.period(name, published)
        if chosen is None:
            return None, [], []
        return chosen, self._read(project, chosen), self._read(project, periods.before(chosen, published))

    def _read(self, project: str, chosen: Period | None) -> list[Release]:
        if chosen is None:
            return []
        found = self._archive.read(project, chosen.units)
        return [found[name] for name in chosen.units if name in found]

    def _at_once(self, project: str, settings: Settings, today: date) -> tuple[Period, list[Release]]:
        monday = _monday(today)
        first, end = monday - timedelta(weeks=_WEEKS_AT_ONCE - 1), monday + timedelta(weeks=1)
        release = at_once(self._rows, project, settings, (first, end), today)
        return Period("", first, end - timedelta(days=1), (), complete=False), [release]


def settings_of(registry: "Registry", project: str) -> Settings:
    """What a project says of its figures. Raises UsageError for an unknown project."""
    version = registry.catalogue.newest(project)

    def sessions(names: Iterable[str]) -> Iterable[str]:
        return registry.catalogue.marked(project, names).sessions

    public = registry.catalogue.public_plans(project)
    return Settings(version.min_active_weeks, version.k, version.headcount, registry.retention_days(project), sessions, public)


def _unlisted(version: "Version", tables: Iterable[FigureTable]) -> tuple[str, ...]:
    """Names in some tables that a project file lists no more, but for those that it says are called otherwise now."""
    shown = {name for table in tables for name in (*(one.name for one in table.rows), *(name for name, _ in table.hidden))}
    renamed_away = {name for old in version.renamed_from.values() for name in old}
    return tuple(sorted(name for name in shown - renamed_away if not version.names.holds(name)))


def _point(of: Period, releases: list[Release], key: Key) -> Point:
    """A block, with what is nobody's and what agents did where all runs are asked for."""
    others = (values.agents(releases), values.jobs(releases)) if key == WHOLE else (None, None)
    return Point(of.name, of.first, of.last, of.complete, values.cell(releases, key), *others)


def _first_release(applied: date, min_weeks: int) -> date:
    """The first day on which figures can be published: people count from the first block on that begins after enough active weeks.

    By the day on which the project was applied, and not by that of its first run: a report tells of nobody's run.
    """
    known = _monday(applied) + timedelta(weeks=min_weeks)
    block = block_of(known)
    return week(known if block.first == known else block.end).due


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
