"""Which releases a period is: a week, or all of a block, a quarter or a year that is published."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from innerloop_collector.errors import UsageError
from innerloop_collector.query.releases.calendar import Unit, block_of, blocks_of, in_time, unit_named, week


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a project's figures."""

    name: str  # `2026-W48`, `2026-B12`, `2026-Q4` or `2026`; of a store that publishes at once: ""
    first: date
    last: date  # of what is published
    units: tuple[str, ...]  # that are published, in the order of time
    complete: bool  # nothing more will be published of it


def period(name: str | None, published: Collection[str]) -> Period | None:
    """A period by its name, or the last block that is wholly published, or the last weeks. None: nothing of it is published. Raises UsageError."""
    units = sorted(map(unit_named, published), key=in_time)
    if name is None:
        if not units:
            return None
        blocks = [unit for unit in units if unit.is_block]
        name = (blocks[-1] if blocks else block_of(units[-1].first)).name
    wanted = _units_of(name)
    found = [unit for unit in units if unit in wanted]
    if not found:
        return None
    return Period(name, found[0].first, found[-1].end - timedelta(days=1), tuple(unit.name for unit in found), wanted[-1] in found)


def every(published: Collection[str]) -> list[Period]:
    """Every period of which something is published: the newest first, and of those that end together the shortest."""
    units = [unit_named(unit) for unit in published]
    blocks = {block_of(unit.first).name for unit in units}
    quarters = {f"{name[:4]}-Q{(int(name[6:]) + 2) // 3}" for name in blocks}
    weeks = {unit.name for unit in units if not unit.is_block}
    found = [made for name in (*weeks, *blocks, *quarters, *{name[:4] for name in blocks}) if (made := period(name, published))]
    return sorted(found, key=lambda one: (one.last, one.first), reverse=True)


def before(of: Period, published: Collection[str]) -> Period | None:
    """The period of the same kind before. None: nothing of it is published."""
    first = _units_of(of.name)[0].first - timedelta(days=1)
    kind = of.name[4:6]
    block = block_of(first)
    year, number = int(block.name[:4]), int(block.name[6:])
    names = {
        "-W": week(first - timedelta(days=first.weekday())).name,
        "-B": block.name,
        "-Q": f"{year}-Q{(number + 2) // 3}",
        "": str(year),
    }
    return period(names[kind], published)


def _units_of(name: str) -> list[Unit]:
    """Everything that is ever published of a period."""
    if "-W" in name:
        unit = unit_named(name)
        if unit.is_block:
            raise UsageError(f"{name!r} is no week")
        return [unit]
    return [unit for block in blocks_of(name) for unit in (*map(week, block.weeks), block)]
