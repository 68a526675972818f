"""Numbering what occurs in a column: as numpy's `unique` does, but by a table where numbers lie close together, which is many times faster."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.panel import Codes

_ROOM = 1 << 20  # of a table, beside eight places for each element


def distinct(column: Codes) -> Codes:
    """What occurs, in order."""
    return numbered(column)[0]


def numbered(column: Codes) -> tuple[Codes, Codes]:
    """What occurs, in order, and for each element its place in that."""
    if not len(column):
        return column, column
    least, wide = int(column.min()), int(column.max()) - int(column.min()) + 1
    if wide > 8 * len(column) + _ROOM:
        values, places = np.unique(column, return_inverse=True)
        return values, places.astype(np.int64)
    there = np.zeros(wide, dtype=bool)
    there[column - least] = True
    place = np.cumsum(there) - 1
    return np.flatnonzero(there) + least, place[column - least]


def common(one: Codes, other: Codes) -> Codes:
    """What occurs in both."""
    return np.intersect1d(distinct(one), distinct(other), assume_unique=True).astype(np.int64)


def grouped(keys: Sequence[Codes]) -> tuple[Codes, Codes]:
    """Number the combinations of keys, in their order: the number of each element, and an element of each number."""
    size = len(keys[0])
    if not size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    spans = [(int(key.min()), int(key.max()) - int(key.min()) + 1) for key in keys]
    if math.prod(wide for _, wide in spans) > 8 * size + _ROOM:
        found = [numbered(key) for key in keys]
        keys, spans = [places for _, places in found], [(0, len(values)) for values, _ in found]
    code, most = keys[0] - spans[0][0], spans[0][1]
    for key, (least, wide) in zip(keys[1:], spans[1:], strict=True):
        if most * wide >= 1 << 62:
            values, code = numbered(code)
            most = len(values)
        code, most = code * wide + (key - least), most * wide
    values, places = numbered(code)
    elements = np.empty(len(values), dtype=np.int64)
    elements[places[::-1]] = np.arange(size)[::-1]
    return places, elements


def within(column: Codes, chosen: Sequence[int]) -> NDArray[np.bool_]:
    """Tell of each element whether it is chosen."""
    if not len(column) or not len(chosen):
        return np.zeros(len(column), dtype=bool)
    least, most = int(column.min()), int(column.max())
    if most - least > 8 * len(column) + _ROOM:
        return np.isin(column, np.asarray(chosen, dtype=np.int64))
    table = np.zeros(most - least + 1, dtype=bool)
    table[[one - least for one in chosen if least <= one <= most]] = True
    out: NDArray[np.bool_] = table[column - least]
    return out
