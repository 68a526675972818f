"""Fixed windows of whole ISO weeks, in UTC. May import: errors.

Free ranges would let anybody subtract one report from another, so there are few lengths, and the usual one comes first: where two
windows of the same cell differ by too few developers, the less usual one gives way.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from innerloop_collector.errors import UsageError

USUAL = 8
BY_USE = (8, 4, 13, 1, 26, 2, 52)


@dataclass(frozen=True, slots=True)
class Window:
    """So many whole weeks, up to the last one that is over. A throw-away store's goes on with the running one."""

    weeks: int
    first: date  # a Monday
    monday: date  # of the running week
    running: bool = False  # the running week is in it

    @property
    def end(self) -> date:
        """The Monday after its last week."""
        return self.monday + timedelta(weeks=1) if self.running else self.monday

    @property
    def labels(self) -> tuple[str, str]:
        """The first and the last week, as `2026-W47`."""
        return iso_week(self.first), iso_week(self.end - timedelta(days=7))


def window(weeks: int | None, today: date, *, running: bool = False) -> Window:
    """The window of a length that ends before the running week, or with it."""
    length = USUAL if weeks is None else weeks
    if length not in BY_USE:
        raise UsageError(f"a report covers 1, 2, 4, 8, 13, 26 or 52 whole weeks, not {length}: free ranges would let people be singled out")
    monday = monday_of(today)
    return Window(length, monday - timedelta(weeks=length), monday, running)


def more_usual(chosen: Window) -> list[tuple[date, date]]:
    """The spans of weeks by which a window differs from each more usual one."""
    others = [window(weeks, chosen.monday) for weeks in BY_USE[: BY_USE.index(chosen.weeks)]]
    return [(min(chosen.first, other.first), max(chosen.first, other.first)) for other in others]


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def iso_week(day: date) -> str:
    """Name a day's week: `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
