"""How many weeks of how many developers are behind the published numbers of a cell. People are counted by the block, so it is known of whole blocks only."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from innerloop_collector.query.releases.calendar import unit_named, week
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.releases.document import NOW, Atom, Release, has_whole
from innerloop_collector.query.releases.shown import Key


class DeveloperWeeks(NamedTuple):
    """At least and at most so many weeks of a developer, and the numbers of the blocks of which that is known."""

    low: int
    high: int
    atoms: list[Atom]


def developer_weeks(releases: Sequence[Release], key: Key) -> DeveloperWeeks | None:
    """Those of a cell in a period. None: nothing of it is known, as while its block runs."""
    blocks = [one for one in releases if key[1] in one.people.get(key[0], {}) and one.unit != NOW]
    by_unit = {one.unit: one for one in releases}
    found = [_in_block(block, by_unit, key) for block in blocks]
    if not found:
        return None
    return DeveloperWeeks(sum(one.low for one in found), sum(one.high for one in found), [atom for one in found for atom in one.atoms])


def _in_block(block: Release, by_unit: Mapping[str, Release], key: Key) -> DeveloperWeeks:
    people, weeks = block.people[key[0]][key[1]], _weeks_of(block.unit)
    by_week = {name: by_unit[name] for name in weeks if name in by_unit}
    told = {name for name, one in by_week.items() if has_whole(one)}
    covered = set(told if block.weeks is None else block.weeks) | {name for name, one in by_week.items() if key in one.cells}
    if has_whole(block):
        covered |= set(weeks) - told
    atoms = [atom for one in (*by_week.values(), block) for atom in one.cells.get(key, ())]
    return DeveloperWeeks(people * len(covered), (people + STEP - 1) * len(covered), atoms)


@lru_cache(maxsize=256)
def _weeks_of(block: str) -> tuple[str, ...]:
    return tuple(week(monday).name for monday in unit_named(block).weeks)
