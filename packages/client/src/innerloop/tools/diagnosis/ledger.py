"""The ledger: recorded = acknowledged + queued + quarantined + dropped + local + unfinished. It counts runs."""

from typing import NamedTuple

from innerloop.core.shared import files
from innerloop.core.spool import held, journals, store

MOST_UNRECORDED = 1 << 32


class Ledger(NamedTuple):
    """Where every recorded run is."""

    recorded: int
    acknowledged: int
    queued: int
    quarantined: int  # set aside here, or held back by the collector
    dropped: "dict[str, int]"  # reason -> runs
    local: int  # kept for the developer only, in local mode
    unfinished: int  # under way, or their launcher was killed and the sender has not looked yet
    missing: int  # in none of the places: must be zero
    held: "dict[str, int]"  # of the quarantined, those that the collector holds: reason -> runs

    @property
    def adds_up(self) -> bool:
        """Whether every recorded run is in exactly one place."""
        return self.missing == 0


def count(spool: str) -> Ledger:
    """Count the ledger of a spool, also while runs move: each place is read after those that a run can come from."""
    while True:
        before = journals.folded(spool)
        found = _count(spool, before)
        if journals.folded(spool) == before:  # else the journals were folded meanwhile
            return found


def _count(spool: str, totals: journals.Folded) -> Ledger:
    noted = _unfolded(spool, "recorded", totals)
    places = {place: {run_id.replace("-", "") for run_id in store.ids(spool, place)} for place in ("run", "new", "sealed", "quarantine")}
    groups = held.read(spool)
    dropped = {reason: _unfolded(spool, store.DROPPED + reason, totals) for reason in journals.reasons(spool)}
    acknowledged, local = _unfolded(spool, "acknowledged", totals), _unfolded(spool, "local", totals)
    # A launcher that was killed before it entered its run into the journal left a file: that counts as recorded too.
    recorded = noted.union(acknowledged, local, *dropped.values(), *places.values(), *(group.runs for group in groups))
    left = set(recorded)

    def take(some: "set[str]") -> int:
        found = left & some
        left.difference_update(found)
        return len(found)

    counts = {reason: take(some) for reason, some in dropped.items()}
    taken, waiting = take(acknowledged), take(places["sealed"] | places["new"])
    back: "dict[str, int]" = {}
    for group in groups:
        back[group.words] = back.get(group.words, 0) + take(set(group.runs))
    aside = take(places["quarantine"]) + sum(back.values())
    result = Ledger(
        len(recorded), taken, waiting, aside, counts, take(local), take(places["run"]), 0, {word: n for word, n in back.items() if n}
    )
    return _with(result, totals, _unrecorded(spool))._replace(missing=len(left))


def _unfolded(spool: str, journal: str, totals: journals.Folded) -> "set[str]":
    return set(journals.ids(spool, journal)) - totals.hidden


def damaged(spool: str) -> "list[str]":
    """The journals in which something stands that is no run's id."""
    return [name for name in journals.names(spool) if journals.size(spool, name) != journals.ID * len(journals.ids(spool, name))]


def _with(counted: Ledger, totals: journals.Folded, unrecorded: int) -> Ledger:
    """Add what was folded, and the runs that there was no room to record."""
    dropped = dict(counted.dropped)
    for reason, number in [*totals.dropped.items(), ("full", unrecorded)]:
        if number:
            dropped[reason] = dropped.get(reason, 0) + number
    return counted._replace(
        recorded=counted.recorded + totals.recorded + unrecorded,
        acknowledged=counted.acknowledged + totals.acknowledged,
        local=counted.local + totals.local,
        dropped=dropped,
    )


def _unrecorded(spool: str) -> int:
    try:
        number = int.from_bytes((files.read_own(f"{spool}/unrecorded") or b"")[:8], "little")
    except files.UnusableFile:
        return 0
    return number if number < MOST_UNRECORDED else 0  # more is damage
