"""Which sealed runs may leave, and in which batches; what a batch says besides its events."""

import hashlib
import json
from collections.abc import Iterator

from innerloop.core.consent.resolve import ConsentState
from innerloop.core.outbound import seal
from innerloop.core.plan.check import violations
from innerloop.core.shared import files
from innerloop.core.spool import store

MOST_EVENTS, MOST_BYTES = 500, 450_000
MOST_KNOWN = 1000  # hashes that are remembered


def objection(one: store.Sealed, state: ConsentState, own: ConsentState) -> str:
    """Why a sealed run may not leave any more: `withdrawn` or `narrowed`; empty where it may. `own` is what holds for its clone."""
    if one.serial != state.answer.serial:
        return "withdrawn"
    faults = any(violations(json.loads(event), own.agreement, seal.names(own, one.root)) for event in one.events)
    return "narrowed" if faults else ""


def by_digest(found: "list[store.Sealed]", clones: "dict[str, ConsentState]") -> "list[list[store.Sealed]]":
    """Group sealed runs by the digest that they are sent under: a batch names one, and two clones may have two."""
    groups: "dict[str, list[store.Sealed]]" = {}
    for one in found:
        groups.setdefault(clones[one.root].digest, []).append(one)
    return list(groups.values())


def split(found: "list[store.Sealed]") -> "Iterator[list[store.Sealed]]":
    """Group sealed runs, in their order, into batches that the protocol's limits allow."""
    batch: "list[store.Sealed]" = []
    size = count = 0
    for one in found:
        weight = sum(len(event) + 1 for event in one.events)
        if batch and (count + len(one.events) > MOST_EVENTS or size + weight > MOST_BYTES):
            yield batch
            batch, size, count = [], 0, 0
        batch.append(one)
        size, count = size + weight, count + len(one.events)
    if batch:
        yield batch


def unknown_ids(spool: str, state: ConsentState, events: "list[bytes]", now: float) -> "dict[str, str]":
    """The ids of a batch's events whose erasure secret's hash our collector does not have yet -> the hash.

    A collector believes only a batch that holds an event of the id. A foreign endpoint is told of none.
    """
    if not state.project.key_is_ours or "userId" not in state.agreement["fields"]:
        return {}
    theirs = {json.loads(event).get("userId") for event in events}
    hashes = {
        user: hashlib.sha256(secret.encode()).hexdigest() for user, secret in state.identities(now).items() if secret and user in theirs
    }
    known = _known(spool)
    return {user: one for user, one in hashes.items() if one not in known}


def note_known(spool: str, told: "dict[str, str]") -> None:
    """The collector acknowledged these hashes: they do not travel again."""
    if told:
        files.write(f"{spool}/known-ids", "".join(f"{one}\n" for one in [*_known(spool)[-MOST_KNOWN:], *told.values()]).encode())


def _known(spool: str) -> "list[str]":
    return files.read_if_sound(f"{spool}/known-ids").decode("ascii", "replace").split()
