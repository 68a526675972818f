"""How many weeks of how many developers are behind the published numbers of a cell. People are counted by the block, so it is known of whole blocks only."""

from collections.abc import Sequence
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
    found = [_in_block(block, releases, key) for block in releases if key[1] in block.people.get(key[0], {}) and block.unit != NOW]
    if not found:
        return None
    return DeveloperWeeks(sum(one.low for one in found), sum(one.high for one in found), [atom for one in found for atom in one.atoms])


def _in_block(block: Release, releases: Sequence[Release], key: Key) -> DeveloperWeeks:
    people = block.people[key[0]][key[1]]
    weeks = {week(monday).name for monday in unit_named(block.unit).weeks}
    by_week = {one.unit: one for one in releases if one.unit in weeks}
    told = {name for name, one in by_week.items() if has_whole(one)}
    covered = set(told if block.weeks is None else block.weeks) | {name for name, one in by_week.items() if _atoms(one, key)}
    if has_whole(block):
        covered |= weeks - told
    atoms = [atom for one in (*by_week.values(), block) for atom in _atoms(one, key)]
    return DeveloperWeeks(people * len(covered), (people + STEP - 1) * len(covered), atoms)


def _atoms(of: Release, key: Key) -> list[Atom]:
    return [one for one in of.atoms if (one.breakdown, one.name) == key]
