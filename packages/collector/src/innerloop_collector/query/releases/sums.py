"""Longer periods are sums of what was published; nothing is read from rows. Quantiles come from the durations' published bins.

Atoms of a cell may tell different parts of their runs apart: what can be told of the sum is what all of them tell.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from innerloop_collector.query.releases.bands import Timed
from innerloop_collector.query.releases.contribution import EDGES_MS
from innerloop_collector.query.releases.disclosure import STEP, common
from innerloop_collector.query.releases.document import Atom

_UNTIMED = len(EDGES_MS) + 1
_FASTEST_MS = 10.0  # where the first bin begins, for a logarithm
_bins = attrgetter("bins")
_ENOUGH = 0.5  # of the runs must be told apart before a rate or a quantile speaks for all


@dataclass(frozen=True, slots=True)
class Quantile:
    """Where a quantile of durations lies, in ms. `high` is None above the last edge."""

    low: float
    high: float | None
    value: float | None  # inside the bin, as if runs lay evenly on a logarithmic scale; None where the bin has no end


@dataclass(frozen=True, slots=True)
class Rate:
    """A part of a whole, and between what that lies by the rounding of both."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sum:
    """What was published of a cell in a period."""

    runs: int
    failures: Rate | None  # failed / (failed + succeeded)
    p50: Quantile | None
    p90: Quantile | None
    timed: list[Timed]
    waited_ms: int | None


def summed(atoms: Sequence[Atom]) -> Sum:
    """The sum of atoms of one cell."""
    runs = sum(one.runs for one in atoms)
    timed = _durations([one for one in atoms if len(one.durations) > 1], runs)
    waited = [one.waited_ms for one in atoms]
    return Sum(
        runs,
        _failures(atoms, runs),
        _quantile(timed, 0.5),
        _quantile(timed, 0.9),
        timed,
        sum(one for one in waited if one is not None) if None not in waited else None,
    )


def rounding_ms(atoms: Iterable[Atom]) -> float:
    """By how much a sum of waiting can be off, each of its parts having three digits."""
    return sum(float(f"5e{max(len(str(one.waited_ms)) - 3, 0) - 1}") for one in atoms if one.waited_ms)


def _failures(atoms: Iterable[Atom], runs: int) -> Rate | None:
    """Failed / (failed + succeeded), of the atoms that tell failures apart, if those are most of the runs. Unfinished runs count as ended where they are not told from succeeded ones."""
    failed = others = told = 0
    off = off_others = 0.0
    for one in atoms:
        ways = {part.ways: part.runs for part in one.outcomes}
        if ("failed",) in ways:
            rest = [number for way, number in ways.items() if way not in (("failed",), ("unfinished",))]
            failed += ways["failed",]
            others += sum(rest)
            off += STEP / 2
            off_others += STEP / 2 * len(rest)
            told += one.runs
    if not failed + others or told < _ENOUGH * runs:
        return None
    least = max(failed - off, 0)
    low = least / (least + others + off_others) if least else 0.0
    return Rate(failed / (failed + others), low, (failed + off) / (failed + off + max(others - off_others, 0)))


def _durations(atoms: Sequence[Atom], runs: int) -> list[Timed]:
    """Parts that all atoms tell apart. Empty where they are of too few runs."""
    if not atoms or sum(one.runs for one in atoms) < _ENOUGH * runs:
        return []
    told = common(*{tuple(map(_bins, one.durations)) for one in atoms})
    place_of = {place: number for number, part in enumerate(told) for place in part}
    runs_of, numbers = [0] * len(told), [0] * len(told)
    for atom in atoms:
        for one in atom.durations:  # each lies within one part of what all tell
            runs_of[place_of[one.bins[0]]] += one.runs
            numbers[place_of[one.bins[0]]] += 1
    out = []
    for number, part in enumerate(told):
        timed = [place for place in part if place < _UNTIMED]
        if timed:
            low = float(EDGES_MS[timed[0] - 1]) if timed[0] else 0.0
            high = float(EDGES_MS[timed[-1]]) if timed[-1] < len(EDGES_MS) else None
            out.append(Timed(low, high, runs_of[number], numbers[number], _UNTIMED in part))
    return out


def _quantile(parts: Sequence[Timed], share: float) -> Quantile | None:
    whole = sum(one.runs for one in parts)
    if len(parts) < 2 or not whole:
        return None
    seen = 0
    for low, high, number, *_ in parts:
        if number and seen + number >= share * whole:
            return Quantile(low, high, None if high is None else _within(low, high, (share * whole - seen) / number))
        seen += number
    return None


def _within(low: float, high: float, part: float) -> float:
    start = max(low, min(_FASTEST_MS, high / 2))
    return start * math.exp(part * math.log(high / start))
