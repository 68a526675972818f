"""Which releases a period is: a week, or all of a block, a quarter or a year that is published."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

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


@lru_cache(maxsize=256)  # what was published grows once a week, and every page asks
def every(published: frozenset[str]) -> tuple[Period, ...]:
    """Every period of which something is published: the newest first, and of those that end together the shortest."""
    found: dict[str, list[Unit]] = {}
    for unit in sorted(map(unit_named, published), key=in_time):
        block = block_of(unit.first).name
        for name in {unit.name, block, _quarter_of(block), block[:4]}:
            found.setdefault(name, []).append(unit)
    made = [
        Period(name, units[0].first, units[-1].end - timedelta(days=1), tuple(unit.name for unit in units), _last_of(name) in published)
        for name, units in found.items()
    ]
    return tuple(sorted(made, key=lambda one: (one.last, one.first), reverse=True))


def _quarter_of(block: str) -> str:
    return f"{block[:4]}-Q{(int(block[6:]) + 2) // 3}"


def _last_of(name: str) -> str:
    """What is published last of a period."""
    if "-Q" in name:
        return f"{name[:4]}-B{int(name[6:]) * 3:02d}"
    return name if "-" in name else f"{name}-B12"


def is_period(name: str) -> bool:
    """Tell whether anything can be published under a name."""
    try:
        return bool(_units_of(name))
    except UsageError:
        return False


def before(of: Period, published: Collection[str]) -> Period | None:
    """The period of the same kind before. None: nothing of it is published."""
    first = _units_of(of.name)[0].first - timedelta(days=1)
    kind = of.name[4:6]
    block = block_of(first)
    names = {
        "-W": week(first - timedelta(days=first.weekday())).name,
        "-B": block.name,
        "-Q": _quarter_of(block.name),
        "": block.name[:4],
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
