"""Which looks at a change there are, when each is due, and which of them must not be published. Pure functions.

A change is looked at in whole weeks: those before the one in which it came, and those after. Two looks with a name in common, affected or a control, lie in different blocks and four
weeks apart, so that what differs between them is at least four weeks of the whole team, and never one person.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from innerloop_collector.query.releases.calendar import GRACE, block_of, next_due

BEFORE = 8  # weeks
APART = timedelta(weeks=4)
MOST_WEEKS = 52  # after a change, at which it is looked at
_WEEK = timedelta(weeks=1)


class Name(NamedTuple):
    """A command or target of a project."""

    project: str
    name: str  # empty: everything that is run there


@dataclass(frozen=True, slots=True)
class Change:
    """A registered change, as far as verdicts ask for it."""

    project: str  # whose record it is
    name: str
    title: str
    day: date
    affected: tuple[Name, ...]
    controls: tuple[Name, ...]
    looks: tuple[int, ...]  # after so many whole weeks, in order; none: it is drawn on charts only
    metric: str = "duration"
    expected: float | None = None  # percent, as its author wrote
    in_checkout: bool = False  # it reaches each developer with their checkout
    scan: bool = False  # at each look everything else in its project is asked about as well
    looked: bool = False  # its record is closed

    @property
    def week(self) -> date:
        """The Monday of the first whole week after it."""
        return self.day if self.day.weekday() == 0 else self.day - timedelta(days=self.day.weekday()) + _WEEK

    @property
    def first(self) -> date:
        """The Monday of the first week that is looked at."""
        return self.day - timedelta(days=self.day.weekday()) - BEFORE * _WEEK

    @property
    def projects(self) -> tuple[str, ...]:
        """Whose people are looked at."""
        return tuple(dict.fromkeys(one.project for one in (*self.affected, *self.controls)))


class Look(NamedTuple):
    """One look at a change."""

    number: int
    weeks: int  # after the change
    end: date  # the Monday after the last of them

    @property
    def due(self) -> date:
        """The day on which it is published."""
        return self.end + GRACE


def looks_at(change: Change) -> tuple[Look, ...]:
    """Every look that is registered."""
    return tuple(Look(number, weeks, change.week + weeks * _WEEK) for number, weeks in enumerate(change.looks, 1))


def due(change: Change, published: Collection[int], today: date) -> Look | None:
    """The look that is to be published now. Of several that are due the last one: an earlier one would say less of the same weeks."""
    last = max(published, default=0)
    return next((one for one in reversed(looks_at(change)) if one.number > last and one.due <= today), None)


def coming(change: Change, published: Collection[int], today: date) -> Look | None:
    """The next look that is not due yet."""
    last = max(published, default=0)
    return next((one for one in looks_at(change) if one.number > last and one.due > today), None)


class Told(Protocol):
    """A verdict that was published."""

    @property
    def affected(self) -> tuple[tuple[str, str], ...]:
        """What it is about."""

    @property
    def controls(self) -> tuple[tuple[str, str], ...]:
        """What it was compared with."""

    @property
    def made(self) -> date:
        """When it was published."""


def too_near(change: Change, made: date, told: Iterable[Told]) -> Told | None:
    """The newest verdict with a name in common, controls too, that a look must keep away from. None: there is none."""
    near = (one for one in told if meet(one, change) and not _apart(one.made, made))
    return max(near, key=lambda one: one.made, default=None)


def names_told(project: str, made: date, told: Iterable[Told]) -> frozenset[str]:
    """The names of a project that a scan must keep away from, whether or not anybody ran them. One that is empty is everything."""
    near = (one for one in told if not _apart(one.made, made))
    return frozenset(name for one in near for of, name in (*one.affected, *one.controls) if of == project)


class Clash(NamedTuple):
    """A look that will be published as refused, because another one, or a scan, is told of a name in common too near before it."""

    change: Change
    look: Look
    near: Change
    before: Look
    of_scan: bool = False  # the scan beside that look; it depends on who runs what whether it tells of the name


def clashes(change: Change, others: Iterable[Change]) -> Iterator[Clash]:
    """Which registered looks will be refused for one of this change, or these for one of others or its scan, if each is made on its day and gives a number."""
    others = tuple(others)
    told: list[tuple[Change, Look]] = []
    planned = [(one, look) for one in (change, *others) if one is change or meet(one, change) for look in looks_at(one)]
    for one, look in sorted(planned, key=lambda each: (each[1].due, each[0].project, each[0].name)):
        near = next((before for before in reversed(told) if meet(before[0], one) and not _apart(before[1].due, look.due)), None)
        if near is None:
            told.append((one, look))
            if one is change and (scan := _scan_before(change, look, others)):
                yield Clash(one, look, *scan, of_scan=True)
        elif change in (one, near[0]):
            yield Clash(one, look, *near)


def _scan_before(change: Change, look: Look, others: Iterable[Change]) -> tuple[Change, Look] | None:
    """The newest scan of another change too near before a look. On one day the look comes first, and the scan leaves its names out."""
    scanning = (one for one in others if one.scan and one.project in change.projects)
    near = [(one, before) for one in scanning for before in looks_at(one) if before.due < look.due and not _apart(before.due, look.due)]
    return max(near, key=lambda one: one[1].due, default=None)


def weeks_apart(change: Change, look: Look, before: Look) -> int | None:
    """The fewest weeks after a change, not fewer than a look has, after which it could be looked at again. None: too many."""
    later = range(look.weeks, MOST_WEEKS + 1)
    return next((weeks for weeks in later if _apart(before.due, change.week + weeks * _WEEK + GRACE)), None)


def free_from(made: date) -> date:
    """The first day on which a name can be looked at again after a verdict."""
    return next_due(max(block_of(made).end, made + APART) - timedelta(days=1))


def meet(one: Told | Change, other: Told | Change) -> bool:
    """Whether two comparisons have a command or target of a project in common, on whichever side: if so, what they have apart may be one person's."""
    theirs = {*other.affected, *other.controls}
    return any(
        (project, name) in theirs or any(of == project and "" in (name, some) for of, some in theirs)
        for project, name in (*one.affected, *one.controls)
    )


def _apart(earlier: date, later: date) -> bool:
    return block_of(earlier) != block_of(later) and abs(later - earlier) >= APART
