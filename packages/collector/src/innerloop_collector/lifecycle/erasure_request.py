"""A request for erasure: what is claimed of an id, what becomes of it, and where else something of it may be."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from innerloop_collector.lifecycle.backup_catalog import Backups
from innerloop_collector.lifecycle.erasure_journal import Journal
from innerloop_collector.store.tombstones import Proofs


class State(StrEnum):
    """What became of an id."""

    ERASED = "erased"
    UNKNOWN = "unknown"  # no secret of it is kept
    REFUSED = "refused"  # the secret is not its


class Claim(NamedTuple):
    """An installation that somebody wants erased, and what stands for the secret that came with it."""

    installation: int
    mark: int
    proof: int | None  # None: an admin says so


class Elsewhere(Protocol):
    """What was passed on."""

    def __call__(self, project: str, installation: int) -> Iterable[tuple[str, str]]:
        """Say what an erasure means at each destination. Asked while the rows are there, and after their tombstone was made."""


class Verdict(NamedTuple):
    """What became of a claim, and how many rows went."""

    state: State
    events: int = 0


class Erased(NamedTuple):
    """What became of a request. The receipt is on the disk."""

    receipt: str
    verdicts: list[Verdict]
    destinations: dict[str, str]  # what became of it elsewhere: name -> erased, requested or not provable


class Copies(NamedTuple):
    """Where else something is that concerns an erasure."""

    journal: Journal
    backups: Backups
    elsewhere: Elsewhere = lambda project, installation: ()  # noqa: ARG005


def judged(claim: Claim, proofs: Proofs) -> State:
    """Judge a claim by what its id is known by."""
    if claim.proof is None:
        return State.ERASED
    known = proofs.of(claim.mark)
    if not known:
        return State.UNKNOWN
    return State.ERASED if claim.proof in known else State.REFUSED
