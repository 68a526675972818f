"""From runs to a panel, for who has runs and no engine that adds them up."""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from innerloop_collector.analysis.impact.codes import grouped
from innerloop_collector.analysis.impact.panel import Codes, Exposed, Numbers, Panel, summed
from innerloop_collector.analysis.impact.question import Invalid


class Outcome(IntEnum):
    """How a run ended."""

    SUCCEEDED = 0
    FAILED = 1
    INTERRUPTED = 2


def collapse(
    *,
    user: ArrayLike,
    target: ArrayLike,
    week: ArrayLike,
    ms: ArrayLike,
    outcome: ArrayLike,
    project: ArrayLike | None = None,
    work: ArrayLike | None = None,
    exposed: ArrayLike | None = None,
    start: ArrayLike | None = None,
    waiting: ArrayLike | None = None,
) -> Panel:
    """Add runs up. Every argument has an element for each run, and codes and weeks are whole numbers.

    `start` orders a developer's runs of a target in time: of those that are exposed the first, or the first that start alike, are marked as such: what is pulled
    makes the first run of each target slow. `waiting` is false for runs of sessions, whose time nobody waits for. Raises Invalid for what is none.
    """
    users, times = _codes("user", user), _times(ms)
    size = len(users)

    def column(name: str, given: ArrayLike | None, default: int) -> Codes:
        codes = np.full(size, default, dtype=np.int64) if given is None else _codes(name, given)
        if len(codes) != size:
            raise Invalid(f"{name} has {len(codes)} elements and user {size}")
        return codes

    keys = [users, column("target", target, 0), column("project", project, 0), column("week", week, 0), column("work", work, -1)]
    shown = column("exposed", exposed, Exposed.UNKNOWN)
    if start is not None:
        shown = _first_marked(keys[:3], shown, np.asarray(start))
    outcomes, waited = column("outcome", outcome, 0), column("waiting", waiting, 1) != 0
    if len(times) != size:
        raise Invalid(f"ms has {len(times)} elements and user {size}")
    if size and (outcomes.min() < 0 or outcomes.max() > max(Outcome)):
        raise Invalid("outcome holds a number that is none of 0, 1, 2")
    return _added([*keys, shown], times, outcomes, waited)


def _codes(name: str, given: ArrayLike) -> Codes:
    column = np.asarray(given)
    if column.ndim != 1 or column.dtype.kind not in "iub":
        raise Invalid(f"{name} is not a column of whole numbers")
    return column.astype(np.int64)


def _times(given: ArrayLike) -> Numbers:
    times = np.asarray(given)
    if times.ndim != 1 or times.dtype.kind not in "iuf":
        raise Invalid("ms is not a column of numbers")
    times = times.astype(np.float64)
    if not np.isfinite(times).all() or (times < 0).any():
        raise Invalid("ms holds a number that is missing, infinite or negative")
    return times


def _first_marked(cells: list[Codes], exposed: Codes, start: NDArray[np.generic]) -> Codes:
    if start.shape != exposed.shape:
        raise Invalid("start and user differ in length")
    cell = grouped(cells)[0]
    held = np.flatnonzero(exposed == Exposed.YES)
    order = held[np.lexsort((start[held], cell[held]))]
    new = np.r_[True, cell[order][1:] != cell[order][:-1]] if len(order) else np.zeros(0, dtype=bool)
    earliest = start[order][new][np.cumsum(new) - 1]
    marked = exposed.copy()
    marked[order[start[order] == earliest]] = Exposed.FIRST
    return marked


def _added(keys: list[Codes], ms: Numbers, outcome: Codes, waited: NDArray[np.bool_]) -> Panel:
    place, firsts = grouped(keys)
    rows = len(firsts)

    def total(values: NDArray[np.generic]) -> Numbers:
        return summed(place, values, rows)

    timed, stopped = waited & (outcome == Outcome.SUCCEEDED), waited & (outcome == Outcome.INTERRUPTED)
    logs = np.log(np.maximum(ms, 1.0))
    squares = logs * logs
    names = ("user", "target", "project", "week", "work", "exposed")
    return Panel(
        **{name: key[firsts] for name, key in zip(names, keys, strict=True)},
        timed=total(timed),
        sum_log=total(logs * timed),
        sum_log2=total(squares * timed),
        sum_ms=total(ms * timed),
        ended=total(outcome != Outcome.INTERRUPTED),
        failed=total(outcome == Outcome.FAILED),
        interrupted=total(outcome == Outcome.INTERRUPTED),
        stopped=total(stopped),
        stopped_sum_log=total(logs * stopped),
        stopped_sum_log2=total(squares * stopped),
        waited_ms=total(ms * waited),
    )
