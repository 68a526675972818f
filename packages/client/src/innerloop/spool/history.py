"""The developer's own exact history on this machine: what `report` reads. Never sent.

May import: the standard library, files and facts.
"""

import json
import os
from typing import NamedTuple, Optional

from innerloop import files
from innerloop.spool.facts import RunFacts

KEEP = 366 * 86400  # s
TRIM_ABOVE = 4 << 20  # bytes
RETRY_WITHIN = 1800  # s between one end and the next start that makes it another attempt
ATTEMPTS = ("1", "2", "3", "4+")


class Entry(NamedTuple):
    """One run, as its developer may know it."""

    id: str
    name: str
    type: str
    start: float  # s since 1970
    duration_ms: Optional[int]
    status: Optional[int]
    actor: str
    attempt: str
    suspended: bool
    test: str
    asleep: float = 0.0  # s that the machine slept meanwhile
    inferred: bool = False  # whether the exit status is what the targets tell

    @property
    def end(self) -> float:
        """When it ended, s since 1970."""
        return self.start + (self.duration_ms or 0) / 1000 + self.asleep


def entry(facts: RunFacts, attempt: str) -> Entry:
    """What the history keeps of a run."""
    asleep = max(facts.ended - facts.start - (facts.duration_ms or 0) / 1000, 0.0) if facts.suspended else 0.0
    return Entry(
        facts.id, facts.local_name, facts.type, facts.start, facts.duration_ms, facts.status,
        facts.actor, attempt, facts.suspended, facts.test, asleep, facts.inferred,
    )  # fmt: skip


def read(spool: str) -> "list[Entry]":
    """The history, oldest first. A run noted twice (after a crash) counts once; a torn line is left out."""
    data = files.read_own(f"{spool}/history") if os.path.exists(f"{spool}/history") else b""
    found = {}
    for line in (data or b"").decode("utf-8", "replace").splitlines():
        try:
            one = Entry(*json.loads(line))
        except (ValueError, TypeError):
            continue
        found[one.id] = one
    return sorted(found.values(), key=lambda one: one.start)


def append(spool: str, entries: "list[Entry]") -> None:
    """Add runs to the history."""
    if not entries:
        return
    path = f"{spool}/history"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(b"".join(b"\n" + json.dumps(one).encode() + b"\n" for one in entries))
    if os.stat(path).st_size > TRIM_ABOVE // 8:
        _trim(spool, entries[-1].start - KEEP)


def _trim(spool: str, oldest: float) -> None:
    kept = [one for one in read(spool) if one.start >= oldest][-20000:]
    files.write(f"{spool}/history", b"".join(json.dumps(one).encode() + b"\n" for one in kept))


def attempt(facts: RunFacts, before: "list[Entry]") -> str:
    """Which attempt in a row this is: the same command again within half an hour."""
    for one in reversed(before):
        if one.name == facts.local_name and one.start <= facts.start:
            if facts.start - one.end > RETRY_WITHIN:
                return ATTEMPTS[0]
            return ATTEMPTS[min(ATTEMPTS.index(one.attempt) + 1, 3)]
    return ATTEMPTS[0]
