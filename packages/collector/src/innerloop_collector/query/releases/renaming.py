"""A name that was another before: what was published under both is one series. Pure: releases go in, and come out with the new name.

Only published numbers are added up. How many people are behind the two together nobody can say, where both ran in one block.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from innerloop_collector.query.releases.document import Atom, Release

_NAMED = ("command", "target")  # breakdowns whose names a project file gives


def renamed(releases: Iterable[Release], old: Mapping[str, str]) -> list[Release]:
    """Releases with each old name as the new one."""
    return [_renamed(one, old) for one in releases] if old else list(releases)


def _renamed(release: Release, old: Mapping[str, str]) -> Release:
    people = {by: _people(there, old) if by in _NAMED else there for by, there in release.people.items()}
    return replace(release, atoms=tuple(_atom(one, old) for one in release.atoms), people=people)


def _atom(one: Atom, old: Mapping[str, str]) -> Atom:
    return replace(one, name=old[one.name]) if one.breakdown in _NAMED and one.name in old else one


def _people(there: Mapping[str, int], old: Mapping[str, str]) -> dict[str, int]:
    """How many are behind a cell, where one name of it ran."""
    names: dict[str, list[int]] = {}
    for name, number in there.items():
        names.setdefault(old.get(name, name), []).append(number)
    return {name: numbers[0] for name, numbers in names.items() if len(numbers) == 1}
