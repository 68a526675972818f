"""Which runs of a project have a target log, and what is known of each: from its record, or from the history once that is gone.

Reads the spool and writes nothing.
"""

import os
import time
from typing import NamedTuple, Optional

from innerloop.core.spool import facts, history, store
from innerloop.core.targets import target_log

LOOKED_AT = 40  # of the newest runs, for the slowest targets
GOING_ON, ENDED, KILLED, FORGOTTEN = "going on", "ended", "killed", "forgotten"
PARENT, INFERRED = "parent", "inferred"  # how the exit status is known: from wait(2), or by what its targets did


class Known(NamedTuple):
    """One run that has a target log."""

    id: str
    name: str  # as typed
    start: float  # s since 1970
    state: str  # one of the four above
    status: Optional[int] = None  # exit status, or minus the signal
    duration_ms: Optional[int] = None
    awake_ns: Optional[int] = None  # its start by the clock of its target log, where the record is still there
    exit: str = PARENT
    suspended: bool = False  # whether the machine slept meanwhile

    @property
    def done(self) -> bool:
        """Whether it ended well."""
        return self.state == ENDED and self.status == 0

    def log(self, spool: str) -> target_log.Log:
        """Read its targets."""
        return target_log.read(spool, self.id, self.status, time.monotonic_ns() if self.state == GOING_ON else None)

    def size(self, spool: str) -> int:
        """How large its target log is (bytes)."""
        try:
            return os.stat(f"{spool}/targets/{self.id}").st_size
        except OSError:
            return 0  # deleted meanwhile


def known(spool: str, now: float) -> "list[Known]":
    """The project's runs that have a target log, the newest first."""
    records = [(run_id, _record(spool, run_id, now)) for run_id in store.ids(spool, store.TARGETS)]
    past = {one.id: one for one in history.read(spool)}  # afterwards: a run may move from there to here meanwhile
    found = [record or _remembered(spool, run_id, past.get(run_id)) for run_id, record in records]
    return sorted((one for one in found if one), key=lambda one: one.start, reverse=True)


def _record(spool: str, run_id: str, now: float) -> Optional[Known]:
    """What the record says, while it is there."""
    for place in ("run", "new"):  # a run moves in this order
        try:
            record = store.read_facts(spool, place, run_id)
        except FileNotFoundError:
            continue
        except (OSError, facts.Unreadable):
            return None
        state = ENDED if record.end else KILLED if store.abandoned(f"{spool}/run/{run_id}", now) else GOING_ON
        record = target_log.with_status(record, target_log.read(spool, run_id)) if record.end and record.status is None else record
        how = INFERRED if record.inferred else PARENT
        return Known(
            run_id, title(record.type, record.local_name), record.start, state, record.status, record.duration_ms,
            record.awake, how, record.suspended,
        )  # fmt: skip
    return None


def _remembered(spool: str, run_id: str, past: Optional[history.Entry]) -> Optional[Known]:
    """What the history says; where it says nothing either, when the log was last written."""
    if past is None:
        try:
            return Known(run_id, "a run without a record", os.stat(f"{spool}/targets/{run_id}").st_mtime, FORGOTTEN)
        except OSError:
            return None  # deleted meanwhile
    state = KILLED if past.duration_ms is None else ENDED
    how = INFERRED if past.inferred else PARENT
    name = title(past.type, past.name)
    return Known(run_id, name, past.start, state, past.status, past.duration_ms, exit=how, suspended=past.suspended)


def title(kind: str, name: str) -> str:
    """A run's name as it was typed: make's goals stand without make in a record."""
    return f"make {name}" if kind == "make" and name != "make" else name


class Slow(NamedTuple):
    """What a target took in some runs."""

    name: str  # with its directory before a colon, where that is not the project's
    runs: int
    own_ms: int  # without the targets below it
    total_ms: int  # from its start to its end


def slowest(spool: str, root: str, entries: "list[history.Entry]", most: int = 3) -> "list[Slow]":
    """The targets that took longest in the newest of some runs, as far as they have target logs; `root` is the project's directory."""
    logs = set(store.ids(spool, store.TARGETS))
    spent: "dict[str, list[tuple[int, int]]]" = {}
    for run in [one for one in reversed(entries) if one.id in logs][:LOOKED_AT]:
        mine: "dict[str, tuple[int, int]]" = {}
        for one in target_log.read(spool, run.id, run.status).targets:
            directory = os.path.relpath(one.directory, root) if one.directory else "."
            name = one.name if directory == "." else f"{directory}:{one.name}"
            own, total = mine.get(name, (0, 0))
            mine[name] = own + one.own_ns, total + (one.own_ns if one.duration_ns is None else one.duration_ns)
        for name, times in mine.items():
            spent.setdefault(name, []).append(times)
    found = [Slow(name, len(times), *(sum(some) // 1_000_000 for some in zip(*times))) for name, times in spent.items()]
    return sorted(found, key=lambda one: (-one.own_ms, one.name))[:most]
