"""How much a spool may hold. What is given up, oldest first, is counted."""

import math
import os
from collections.abc import Iterator

from innerloop.core.plan.granularity import instant
from innerloop.core.spool import entries, held, journals, layout, store

OLDEST = 90 * 86400  # s that a run waits for delivery
MOST_RUNS, MOST_QUEUED = 20_000, 64 << 20  # runs, and bytes, that wait
MOST_ASIDE = 1000  # runs that are kept after they were refused
KEEP_SENT = 30 * 86400  # s that the copies of what left are kept
MOST_SENT = 64 << 20  # bytes of them
KEEP_LOGS, MOST_LOGS = 30 * 86400, 200  # s that target logs are kept for their developer, and how many
MOST_LOG_BYTES = 128 << 20  # of all target logs together


def expire(spool: str, now: float) -> None:
    """Keep the queue within its bounds, oldest first, and count what is given up."""
    for run_id in _beyond(spool, "sealed", now - OLDEST, MOST_QUEUED, MOST_RUNS):
        store.drop(spool, "sealed", run_id, "expired")
    for _, _, run_id in newest_first(spool, "quarantine")[MOST_ASIDE:]:
        store.drop(spool, "quarantine", run_id, "expired")
    held.expire(spool, instant(now, "exact")[:10])


def tidy(spool: str, now: float) -> None:
    """Keep everything else within its bounds. Target logs of runs that are not sealed yet stay."""
    for run_id in _beyond(spool, "sent", now - KEEP_SENT, MOST_SENT):
        store.discard(spool, "sent", run_id)
    waiting = {run_id for place in ("run", "new") for run_id in store.ids(spool, place)}
    for run_id in _beyond(spool, store.TARGETS, now - KEEP_LOGS, MOST_LOG_BYTES, MOST_LOGS):
        if run_id not in waiting:
            store.discard(spool, store.TARGETS, run_id)
    with layout.locked(spool, "seal.lock"):
        entries.tidy(spool, now)
        journals.fold(spool)


def _beyond(spool: str, place: str, oldest: float, size: int, number: float = math.inf) -> "Iterator[str]":
    """The runs in a place that were last written before `oldest`, or that it has no room for: bytes of all together, and how many."""
    total = 0
    for count, (moment, bytes_of_it, run_id) in enumerate(newest_first(spool, place), 1):
        total += bytes_of_it
        if moment < oldest or total > size or count > number:
            yield run_id


def newest_first(spool: str, place: str) -> "list[tuple[float, int, str]]":
    """The runs in a place: when each was last written, how many bytes it has, and its id."""
    found = []
    for run_id in store.ids(spool, place):
        try:
            status = os.lstat(f"{spool}/{place}/{run_id}")
        except FileNotFoundError:
            continue
        found.append((status.st_mtime, status.st_size, run_id))
    return sorted(found, reverse=True)
