"""The developer's own exact history on this machine: what `report` reads. Never sent.

It has a bound in bytes, so reading it takes no more memory than that bound allows.
"""

import json
import os
from typing import NamedTuple, Optional

from innerloop.core.shared import files, untrusted
from innerloop.core.spool.entries import LARGEST_JOURNAL
from innerloop.core.spool.facts import RunFacts

KEEP = 366 * 86400  # s
MOST = 4 << 20  # bytes: 20,000 runs with names of usual length
RETRY_WITHIN = 1800  # s between one end and the next start that makes it another attempt
ATTEMPTS = ("1", "2", "3", "4+")
GREEN_WITHIN = 86400  # s: an older failure is another story
INTERRUPTED = (-2, -15, -1, 130, 143)  # SIGINT, SIGTERM, SIGHUP: not failures
LATEST = 1 << 34  # s since 1970: no later moment is one


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
    listed: str = ""  # the name that may leave, of the list or a group, else `other`; empty: written before it was kept

    @property
    def end(self) -> float:
        """When it ended, s since 1970."""
        return self.start + (self.duration_ms or 0) / 1000 + self.asleep


def entry(facts: RunFacts, attempt: str) -> Entry:
    """What the history keeps of a run."""
    asleep = max(facts.ended - facts.start - (facts.duration_ms or 0) / 1000, 0.0) if facts.suspended else 0.0
    return Entry(
        facts.id, facts.local_name, facts.type, facts.start, facts.duration_ms, facts.status,
        facts.actor, attempt, facts.suspended, facts.test, asleep, facts.inferred, facts.name,
    )  # fmt: skip


def read(spool: str) -> "list[Entry]":
    """The history, oldest first. A run noted twice (after a crash) counts once; a torn line is left out, and so is what is no file of ours."""
    found = {}
    for line in files.read_if_sound(f"{spool}/history", LARGEST_JOURNAL).split(b"\n"):
        one = _entry(line) if line else None
        if one is not None:
            found[one.id] = one
    return sorted(found.values(), key=lambda one: one.start)


def _entry(line: bytes) -> Optional[Entry]:
    try:
        one = Entry(*untrusted.parse(line))
    except (ValueError, TypeError):
        return None
    texts = (one.id, one.name, one.type, one.actor, one.attempt, one.test, one.listed)
    whole = all(value is None or untrusted.is_whole(value, LATEST * 1000) for value in (one.duration_ms, one.status))
    moments = all(untrusted.is_number(value, LATEST) for value in (one.start, one.asleep))
    return one if whole and moments and one.attempt in ATTEMPTS and all(isinstance(text, str) for text in texts) else None


def append(spool: str, one: Entry) -> None:
    """Add a run to the history."""
    files.append(f"{spool}/history", b"\n" + _line(one))


def trim(spool: str, past: "list[Entry]", now: float) -> None:
    """Forget what is older than the history may be; beyond its bound in bytes the oldest, down to three quarters of it.

    `past` is the history as it is, oldest first: nearly never is there anything to do.
    """
    if past and (past[0].start < now - KEEP or os.stat(f"{spool}/history").st_size > MOST):
        kept = b"".join(_line(one) for one in past if one.start >= now - KEEP)
        files.write(f"{spool}/history", files.newest(kept, MOST * 3 // 4))


def _line(one: Entry) -> bytes:
    return json.dumps(one).encode() + b"\n"


def attempt(facts: RunFacts, before: "list[Entry]") -> str:
    """Which attempt in a row this is: the same command again within half an hour."""
    for one in reversed(before):
        if (one.type, one.name) == (facts.type, facts.local_name) and one.start <= facts.start:
            if facts.start - one.end > RETRY_WITHIN:
                return ATTEMPTS[0]
            return ATTEMPTS[min(ATTEMPTS.index(one.attempt) + 1, 3)]
    return ATTEMPTS[0]


class Past(NamedTuple):
    """What a run's own history says of it."""

    attempt: str = "1"
    failures: int = 0  # of the same command since its last success, within a day
    green_after: Optional[float] = None  # s from the end of the first of them to the end of this run, which succeeded


NO_PAST = Past()


def past_of(facts: RunFacts, before: "list[Entry]") -> Past:
    """Look back from a run: its attempt, and what it ends."""
    failures, first_end = 0, 0.0
    for one in reversed(before):
        if (one.type, one.name) == (facts.type, facts.local_name) and one.start <= facts.start and one.id != facts.id:
            if one.status == 0 or facts.start - one.end > GREEN_WITHIN:
                break
            if one.status is not None and one.status not in INTERRUPTED:
                failures, first_end = failures + 1, one.end
    return Past(attempt(facts, before), failures, facts.ended - first_end if failures and facts.status == 0 else None)
