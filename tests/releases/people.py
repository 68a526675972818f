"""People and what they add to a cell, written down in a line."""

from bisect import bisect_left
from collections.abc import Iterable

from innerloop_collector.query.releases.contribution import (
    BINS,
    EDGES_MS,
    FAILED,
    RUNS,
    SIZE,
    SUCCEEDED,
    UNFINISHED,
    UNTIMED,
    WAITED_MS,
    People,
    Vector,
)


def runs(number: float, *, failed: float = 0, unfinished: float = 0, asleep: float = 0, slow: float = 0, each_ms: float = 1_000) -> Vector:
    """What one person adds: `slow` of the runs that ended lie in a bin of their own; those that slept or never ended have no duration."""
    vector = [0.0] * SIZE
    timed = number - unfinished - asleep
    vector[RUNS], vector[FAILED], vector[UNFINISHED] = number, failed, unfinished
    vector[SUCCEEDED] = number - failed - unfinished
    vector[WAITED_MS] = (number - asleep) * each_ms
    vector[BINS[3]], vector[BINS[9]], vector[UNTIMED] = timed - slow, slow, unfinished + asleep
    return tuple(vector)


def waits(durations: Iterable[float]) -> Vector:
    """What one person adds whose runs all succeeded and took so long."""
    vector = [0.0] * SIZE
    for one in durations:
        vector[BINS[bisect_left(EDGES_MS, one)]] += 1
        vector[RUNS] += 1
        vector[SUCCEEDED] += 1
        vector[WAITED_MS] += one
    return tuple(vector)


def everybody(first: int, last: int, vector: Vector) -> People:
    """The same of each person from the first to the last."""
    return dict.fromkeys(range(first, last + 1), vector)
