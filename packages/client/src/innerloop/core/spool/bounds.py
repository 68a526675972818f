"""How much a spool may hold. What is given up, oldest first, is counted."""

import os

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
    limit, runs, size = now - OLDEST, 0, 0
    for moment, bytes_of_it, run_id in newest_first(spool, "sealed"):
        runs, size = runs + 1, size + bytes_of_it
        if moment < limit or runs > MOST_RUNS or size > MOST_QUEUED:
            store.drop(spool, "sealed", run_id, "expired")
    for _, _, run_id in newest_first(spool, "quarantine")[MOST_ASIDE:]:
        store.drop(spool, "quarantine", run_id, "expired")
    held.expire(spool, instant(now, "exact")[:10])


def tidy(spool: str, now: float) -> None:
    """Keep everything else within its bounds."""
    _forget_old_copies(spool, now)
    _forget_old_logs(spool, now)
    with layout.locked(spool, "seal.lock"):
        entries.tidy(spool, now)
        journals.fold(spool)


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


def _forget_old_copies(spool: str, now: float) -> None:
    """Delete the copies of what left long ago, or is too much."""
    size = 0
    for moment, bytes_of_it, run_id in newest_first(spool, "sent"):
        size += bytes_of_it
        if now - moment > KEEP_SENT or size > MOST_SENT:
            store.discard(spool, "sent", run_id)


def _forget_old_logs(spool: str, now: float) -> None:
    """Delete target logs that are old, many or large together, oldest first, but none of a run that is not sealed yet."""
    waiting = {run_id for place in ("run", "new") for run_id in store.ids(spool, place)}
    total = 0
    for number, (moment, size, run_id) in enumerate(newest_first(spool, store.TARGETS)):
        total += size
        if run_id not in waiting and (number >= MOST_LOGS or now - moment > KEEP_LOGS or total > MOST_LOG_BYTES):
            store.discard(spool, store.TARGETS, run_id)
