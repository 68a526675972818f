"""The rules that each published number passes. Pure functions; the only place that decides.

1. It has K contributors at least; a project may ask for more.
2. Dominance: one of them has not more than half of it, and two not more than three quarters.
3. Two who know their own part cannot tell another's to within a quarter: what is left without the largest three is at least a quarter of the largest.

A partition of a cell's runs (by outcome, by duration) is merged until each part passes. Nothing and too little are treated alike: a part that is
empty is merged too, and so its absence says nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from innerloop_collector.query.releases.contribution import UNTIMED, Vector, amounts

K = 5
K_TWO_DIMENSIONS = 10
_PROTECTED = 0.25  # of a contribution: nobody's may be told more closely

Part = tuple[int, ...]  # columns of a vector that are one number
Partition = tuple[Part, ...]


class Rule(StrEnum):
    """Why a number is hidden, in words. `{k}` is how many developers the project asks for."""

    FEW = "fewer than {k} developers"
    ONE = "one developer has over half of it"
    TWO = "two developers have over three quarters of it"
    THREE = "three developers have nearly all of it"
    COMPLEMENT = "hidden because others could be worked out from it"


def broken_rule(values: Iterable[float], k: int) -> Rule | None:
    """The rule that keeps a sum from being shown, by what each person adds to it. None: it may be shown."""
    largest = sorted((value for value in values if value > 0), reverse=True)
    whole = sum(largest)
    if len(largest) < k:
        return Rule.FEW
    if largest[0] > 0.5 * whole:
        return Rule.ONE
    if largest[0] + largest[1] > 0.75 * whole:
        return Rule.TWO
    return Rule.THREE if whole - sum(largest[:3]) < _PROTECTED * largest[0] else None


def passes(people: Mapping[int, Vector], columns: Iterable[int], k: int) -> bool:
    """Tell whether the sum of some numbers over people may be shown."""
    return broken_rule(amounts(people, columns), k) is None


def reveals(left: Mapping[int, Vector], columns: Iterable[int], k: int) -> bool:
    """Tell whether what is left, where shown parts are taken from a shown whole, says too much. Where nothing is left nothing is said."""
    values = list(amounts(left, columns))
    return any(value > 0 for value in values) and broken_rule(values, k) is not None


def merged(people: Mapping[int, Vector], partition: Partition, k: int) -> Partition:
    """A partition whose parts pass, or one part: the whole."""
    parts = list(partition)
    while len(parts) > 1:
        failing = [part for part in parts if not passes(people, part, k)]
        if not failing:
            break
        _join(parts, min(failing, key=lambda part: (sum(amounts(people, part)), part)), people)
    return tuple(parts)


def _join(parts: list[Part], small: Part, people: Mapping[int, Vector]) -> None:
    """Merge a part with the smaller of its neighbours. What has no duration has none, and goes where it changes the least: to the largest."""
    others = [part for part in parts if part is not small]
    size = {part: sum(amounts(people, part)) for part in others}
    if small == (UNTIMED,):
        other = max(others, key=lambda part: (size[part], part))
    else:
        there = parts.index(small)
        beside = [part for part in parts[max(there - 1, 0) : there + 2] if part is not small]
        timed = [part for part in beside if part != (UNTIMED,)] or beside
        other = min(timed, key=lambda part: (size[part], part))
    joined = tuple(sorted((*small, *other)))
    parts[:] = sorted([joined, *(part for part in others if part is not other)])


def common(partitions: Sequence[Partition]) -> Partition:
    """The finest partition of which each part is a union of parts of every one: what can be told of all of them together."""
    left = {column for partition in partitions for part in partition for column in part}
    out = []
    while left:
        part = {min(left)}
        while True:
            more = {column for partition in partitions for one in partition if part & set(one) for column in one}
            if more <= part:
                break
            part |= more
        left -= part
        out.append(tuple(sorted(part)))
    return tuple(sorted(out))
