"""The ledger: recorded = acknowledged + queued + quarantined + dropped + local + unfinished. It counts runs.

May import: the standard library, files and store.
"""

import os
from typing import NamedTuple

from innerloop import files
from innerloop.spool import store

DROPPED = "dropped-"
ID = 32  # bytes of a run in a journal
LONGEST_JOURNAL = 1 << 28  # bytes: eight million runs


class Ledger(NamedTuple):
    """Where every recorded run is."""

    recorded: int
    acknowledged: int
    queued: int
    quarantined: int
    dropped: "dict[str, int]"  # reason -> runs
    local: int  # kept for the developer only, in local mode
    unfinished: int  # under way, or their launcher was killed and the sender has not looked yet
    missing: int  # in none of the places: must be zero

    @property
    def adds_up(self) -> bool:
        """Whether every recorded run is in exactly one place."""
        return self.missing == 0


def count(spool: str) -> Ledger:
    """Count the ledger of a spool, also while runs move: each place is read after those that a run can come from."""
    noted = _journal(spool, "recorded")
    places = {place: {run_id.replace("-", "") for run_id in store.ids(spool, place)} for place in ("run", "new", "sealed", "quarantine")}
    dropped = {name[len(DROPPED) :]: _journal(spool, name) for name in _names(spool) if name.startswith(DROPPED)}
    acknowledged, local = _journal(spool, "acknowledged"), _journal(spool, "local")
    # A launcher that was killed before it entered its run into the journal left a file: that counts as recorded too.
    recorded = noted.union(acknowledged, local, *dropped.values(), *places.values())
    left = set(recorded)

    def take(some: "set[str]") -> int:
        found = left & some
        left.difference_update(found)
        return len(found)

    counts = {reason: take(some) for reason, some in dropped.items()}
    result = Ledger(
        len(recorded), take(acknowledged), take(places["sealed"] | places["new"]), take(places["quarantine"]),
        counts, take(local), take(places["run"]), 0,
    )  # fmt: skip
    unrecorded = _unrecorded(spool)
    if unrecorded:
        result.dropped["full"] = result.dropped.get("full", 0) + unrecorded
    return result._replace(recorded=result.recorded + unrecorded, missing=len(left))


def _names(spool: str) -> "list[str]":
    try:
        return os.listdir(spool)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _journal(spool: str, name: str) -> "set[str]":
    data = files.read_own(f"{spool}/{name}", LONGEST_JOURNAL) or b""
    return {data[at : at + ID].decode("ascii", "replace") for at in range(0, len(data) - ID + 1, ID)}


def _unrecorded(spool: str) -> int:
    return int.from_bytes((files.read_own(f"{spool}/unrecorded") or b"")[:8], "little")
