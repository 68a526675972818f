"""How much of the waiting is short and how much is long, from the published parts of durations.

A band can be told where its ends are ends of published parts. What was waited in it lies between its parts' shortest and longest durations.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from innerloop_collector.query.releases.disclosure import STEP

BANDS = (("under 10 s", 0, 10_000), ("10 s to 1 min", 10_000, 60_000), ("1 to 10 min", 60_000, 600_000), ("over 10 min", 600_000, None))


class Timed(NamedTuple):
    """Runs whose duration lies between two edges."""

    low_ms: float
    high_ms: float | None
    runs: int
    numbers: int  # rounded ones, of which this is the sum
    mixed: bool  # with runs that have no duration, since these are too few to be told apart


class Band(NamedTuple):
    """The runs of a band, their share in all that have a duration, and what was waited in it at least and at most."""

    name: str
    runs: int
    share: float
    least_ms: float
    most_ms: float | None  # None: no end


def bands(timed: Sequence[Timed]) -> list[tuple[str, Band | None]]:
    """Every band by its name. None: it cannot be told."""
    whole = sum(one.runs for one in timed)
    return [(name, _band(name, timed, low, high, whole)) for name, low, high in BANDS] if whole else []


def _band(name: str, timed: Iterable[Timed], low: int, high: int | None, whole: int) -> Band | None:
    touching = [one for one in timed if (high is None or one.low_ms < high) and (one.high_ms is None or one.high_ms > low)]
    if not all(one.low_ms >= low and (high is None or (one.high_ms is not None and one.high_ms <= high)) for one in touching):
        return None
    runs = sum(one.runs for one in touching)
    half = STEP / 2
    least = sum(max(one.runs - half * one.numbers, 0) * one.low_ms for one in touching if not one.mixed)
    ends = [None if one.high_ms is None else (one.runs + half * one.numbers) * one.high_ms for one in touching]
    return Band(name, runs, runs / whole, least, None if None in ends else sum(end for end in ends if end is not None))
