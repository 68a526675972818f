"""Have everything erased that a collector keeps of an id, and go on asking until it answered.

An erasure that is wanted lies in STATE/forget/KEY.json with the ids and their secrets, which are nowhere else any more;
the collector's receipts are noted in STATE/receipts. Protocol: docs/guides/operators.md, `POST /v1/forget`.

May import: the standard library, files, the spool's store and this package.
"""

import hashlib
import json
import os
import random
import time
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional

from innerloop import files
from innerloop.delivery import client
from innerloop.spool import store

AGAIN = (600, 3600)  # s until the next try
ERASED = "erased"


class Wanted(NamedTuple):
    """An erasure that a person asked for and no collector confirmed yet."""

    project: str
    endpoint: str
    write_key: str
    ids: "dict[str, str]"  # id -> erasure secret


class Receipt(NamedTuple):
    """What the collector said it did."""

    receipt: str
    events: int
    states: "dict[str, int]"  # erased, unknown, refused -> ids
    destinations: "dict[str, str]"  # name -> erased, requested, not provable


def hashes(identities: "dict[str, str]") -> "dict[str, str]":
    """What a collector must know of each id to believe its owner later: id -> SHA-256 of the secret, hex."""
    return {user: hashlib.sha256(secret.encode()).hexdigest() for user, secret in identities.items() if secret}


def want(state_directory: str, key: str, wanted: Wanted) -> None:
    """Write an erasure down before anything else forgets the ids. Adds to one that waits already."""
    waiting = read(state_directory, key)
    ids = {**(waiting.ids if waiting else {}), **wanted.ids}
    files.private_directory(state_directory)
    files.private_directory(f"{state_directory}/forget")
    files.write_json(_path(state_directory, key), wanted._replace(ids=ids)._asdict(), durable=True)


def read(state_directory: str, key: str) -> Optional[Wanted]:
    """Read the erasure that waits under a spool's key, if any."""
    try:
        document: "dict[str, Any]" = files.read_json(_path(state_directory, key)) or {}
        return Wanted(**document) if document else None
    except (files.UnusableFile, TypeError):
        return None


def waiting(state_directory: str) -> "list[str]":
    """The keys of the erasures that wait."""
    try:
        return sorted(name[:-5] for name in os.listdir(f"{state_directory}/forget") if name.endswith(".json"))
    except OSError:
        return []


def due(state_directory: str) -> "list[str]":
    """The keys of the erasures whose next try is due: a file's time says when."""
    return [key for key in waiting(state_directory) if store.modified(_path(state_directory, key)) <= time.time()]


def ask(state_directory: str, key: str, patience: float = 0) -> "tuple[Optional[Receipt], str]":
    """Ask the collector, again and again for `patience` (s) while it says that it is at work. Returns its receipt, or why there is none yet."""
    wanted = read(state_directory, key)
    if wanted is None:
        return None, "nothing waits to be erased"
    later = time.time() + random.uniform(*AGAIN)  # noqa: S311 (not a secret)
    os.utime(_path(state_directory, key), (later, later))
    content = json.dumps({"ids": [{"userId": user, "secret": secret} for user, secret in wanted.ids.items()]}).encode()
    until = time.monotonic() + patience
    outcome = client.ask(f"{wanted.endpoint}/v1/forget", wanted.write_key, content)
    while outcome.retry_after is not None and time.monotonic() + outcome.retry_after < until:
        time.sleep(outcome.retry_after)
        outcome = client.ask(f"{wanted.endpoint}/v1/forget", wanted.write_key, content)
    if outcome.kind != client.ACCEPTED:
        return None, outcome.detail
    receipt = _receipt(outcome.content)
    if receipt is None:
        return None, "the answer was not a collector's receipt"
    _note(state_directory, wanted.project, receipt.receipt)
    files.remove(_path(state_directory, key))
    return receipt, ""


def check(endpoint: str, write_key: str, receipt: str) -> client.Outcome:
    """Ask the collector what it knows of a receipt."""
    return client.ask(f"{endpoint}/v1/forget/{receipt}", write_key)


def receipts(state_directory: str, project: str) -> "list[tuple[str, str]]":
    """The receipts of a project that were noted here: day and receipt, oldest first."""
    try:
        data = files.read_own(f"{state_directory}/receipts") or b""
    except files.UnusableFile:
        return []
    lines = [line.split() for line in data.decode("utf-8", "replace").splitlines()]
    return [(words[0], words[2]) for words in lines if len(words) == 3 and words[1] == project]


def _receipt(content: bytes) -> Optional[Receipt]:
    try:
        document = json.loads(content)
        states: "dict[str, int]" = {}
        for one in document["ids"]:
            states[str(one["state"])] = states.get(str(one["state"]), 0) + 1
        number = sum(int(one["events"]) for one in document["ids"])
        destinations = {str(one["name"]): str(one["state"]) for one in document.get("destinations", [])}
        return Receipt(str(document["receipt"]), number, states, destinations) if str(document["receipt"]).isalnum() else None
    except (ValueError, KeyError, TypeError):
        return None


def _note(state_directory: str, project: str, receipt: str) -> None:
    day = datetime.now(timezone.utc).date().isoformat()
    with open(
        os.open(f"{state_directory}/receipts", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "a", encoding="utf-8"
    ) as file:
        file.write(f"{day} {project} {receipt}\n")


def _path(state_directory: str, key: str) -> str:
    return f"{state_directory}/forget/{key}.json"
