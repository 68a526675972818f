"""The rules that each published number passes. Pure functions; the only place that decides.

1. It has K contributors at least; a project may ask for more.
2. Dominance: one of them has not more than half of it, and two not more than three quarters.
3. Two who know their own part cannot tell another's to within a quarter: what is left without the largest three is at least a quarter of the largest.

A partition of a cell's runs (by outcome, by duration) is merged until each part passes. Nothing and too little are treated alike: a part that is
empty is merged too, and so its absence says nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache

from innerloop_collector.query.releases.contribution import UNFINISHED, UNTIMED, Vector, amounts

K = 5
STEP = 5  # to which counts are rounded
LARGEST = 3  # contributors without whom something must be left
PROTECTED = 0.25  # of a contribution: nobody's may be told more closely

_APART = ((UNTIMED,), (UNFINISHED,))  # parts that are next to no other
Part = tuple[int, ...]  # columns of a vector that are one number
Partition = tuple[Part, ...]
Neighbour = Callable[[Part, Mapping[Part, float]], Part]


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
    return Rule.THREE if sum(largest[LARGEST:]) < PROTECTED * largest[0] else None


def passes(people: Mapping[int, Vector], columns: Iterable[int], k: int) -> bool:
    """Tell whether the sum of some numbers over people may be shown."""
    return broken_rule(amounts(people, columns), k) is None


def reveals(left: Iterable[float], k: int) -> bool:
    """Tell whether what is left, where shown parts are taken from a shown whole, says too much. Where nothing is left nothing is said."""
    values = [value for value in left if value > 0]
    return bool(values) and broken_rule(values, k) is not None


def separates(left: Iterable[float], k: int) -> bool:  # noqa: ARG001 - asked as `reveals` is
    """Tell whether a difference of two cells, neither of which is the whole, tells one person's part to two who know their own."""
    largest = sorted((value for value in left if value > 0), reverse=True)
    return bool(largest) and sum(largest[LARGEST:]) < PROTECTED * largest[0]


def merged(people: Mapping[int, Vector], partition: Partition, k: int, neighbour: Neighbour | None = None) -> Partition:
    """A partition whose parts pass, or one part: the whole. `neighbour` chooses with what a part is merged, by the size of each."""
    neighbour = neighbour or _neighbour
    values = {part: list(amounts(people, part)) for part in partition}
    while len(values) > 1:
        failing = [part for part in values if broken_rule(values[part], k) is not None]
        if not failing:
            break
        small = min(failing, key=lambda part: (sum(values[part]), part))
        other = neighbour(small, {part: sum(one) for part, one in values.items()})
        joined = [a + b for a, b in zip(values.pop(small), values.pop(other), strict=True)]
        values[tuple(sorted((*small, *other)))] = joined
    return tuple(sorted(values))


def _neighbour(small: Part, sizes: Mapping[Part, float]) -> Part:
    """The smaller neighbour of a part. Two have none: what did not finish goes to what did not fail, and what has no duration to the largest."""
    parts = sorted(sizes)
    if small == (UNFINISHED,):
        return parts[0]
    if small == (UNTIMED,):
        return max((part for part in parts if part != small), key=lambda part: (sizes[part], part))
    there = parts.index(small)
    beside = [part for part in parts[max(there - 1, 0) : there + 2] if part != small]
    timed = [part for part in beside if part not in _APART] or beside
    return min(timed, key=lambda part: (sizes[part], part))


@lru_cache(maxsize=4096)
def common(*partitions: Partition) -> Partition:
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
