"""How much a spool may hold. What is given up, oldest first, is counted."""

from innerloop.core.plan.granularity import instant
from innerloop.core.spool import entries, held, journals, store

OLDEST = 90 * 86400  # s that a run waits for delivery
MOST_RUNS, MOST_QUEUED = 20_000, 64 << 20  # runs, and bytes, that wait
MOST_ASIDE = 1000  # runs that are kept after they were refused


def expire(spool: str, now: float) -> None:
    """Keep the queue within its bounds, oldest first, and count what is given up."""
    limit, runs, size = now - OLDEST, 0, 0
    for moment, bytes_of_it, run_id in store.newest_first(spool, "sealed"):
        runs, size = runs + 1, size + bytes_of_it
        if moment < limit or runs > MOST_RUNS or size > MOST_QUEUED:
            store.drop(spool, "sealed", run_id, "expired")
    for _, _, run_id in store.newest_first(spool, "quarantine")[MOST_ASIDE:]:
        store.drop(spool, "quarantine", run_id, "expired")
    held.expire(spool, instant(now, "exact")[:10])


def tidy(spool: str, now: float) -> None:
    """Keep everything else within its bounds."""
    store.forget_old_copies(spool, now)
    store.forget_old_logs(spool, now)
    with store.locked(spool, "seal.lock"):
        entries.tidy(spool, now)
        journals.fold(spool)
