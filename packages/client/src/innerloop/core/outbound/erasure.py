"""Have everything erased that a collector keeps of an id, and go on asking until it answered.

The collector's receipts are noted in STATE/receipts. Protocol: docs/guides/operators.md, `POST /v1/forget`.
"""

import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Collection
from typing import Callable, NamedTuple, Optional

from innerloop.core.outbound import answers, http_client
from innerloop.core.plan.granularity import instant
from innerloop.core.shared import files, untrusted
from innerloop.core.spool import wanted_erasures
from innerloop.core.spool.wanted_erasures import Wanted, path

AGAIN = (600, 3600)  # s until the next try
PAUSES = (1, 2, 3, 4, 5, 6)  # s between two requests at least, whatever Retry-After says; one more try for each
ERASED, NOT_PROVABLE = "erased", "not provable"
MOST_IDS = 50  # in one request; a collector takes 100 unless told otherwise
MOST_NOTED = 65536  # bytes of receipts
MOST_EVENTS = 1 << 50  # that anybody may claim to have erased
LONGEST_WORDS = 200  # characters of what is said of a destination
_NUMBER = re.compile(r"[0-9A-Za-z]{8,64}")


class Receipt(NamedTuple):
    """What the collector said it did."""

    receipt: str
    events: int
    states: "dict[str, int]"  # erased, unknown, refused -> ids
    destinations: "dict[str, str]"  # name -> erased, requested, not provable


def ask(state_directory: str, key: str, now: Callable[[], float], patience: float = 0) -> "tuple[Optional[Receipt], str]":
    """Ask the collector, again and again for `patience` (s) while it says that it is at work. Returns its receipt, or why there is none yet.

    Of many ids some are asked for at a time, and what is confirmed is not asked for again; the receipt is the last one, its figures are those of all.
    """
    wanted = wanted_erasures.read(state_directory, key)
    if wanted is None:
        return None, "nothing waits to be erased"
    later = now() + random.uniform(*AGAIN)  # noqa: S311 (not a secret)
    os.utime(path(state_directory, key), (later, later))
    until = time.monotonic() + patience
    whole: Optional[Receipt] = None
    left = list(wanted.ids.items())
    while left:
        part, left = dict(left[:MOST_IDS]), left[MOST_IDS:]
        receipt, problem = _ask(wanted, part, until, now)
        if receipt is None:
            return None, problem
        _note(state_directory, wanted.project, receipt.receipt, now())
        whole = receipt if whole is None else _together(whole, receipt)
        if left:
            files.write_json(path(state_directory, key), wanted._replace(ids=dict(left))._asdict(), durable=True)
    files.remove(path(state_directory, key))
    return whole, "" if whole else "nothing waits to be erased"


def _ask(wanted: Wanted, ids: "dict[str, str]", until: float, now: Callable[[], float]) -> "tuple[Optional[Receipt], str]":
    content = json.dumps({"ids": [{"userId": user, "secret": secret} for user, secret in ids.items()]}).encode()
    outcome = http_client.ask(f"{wanted.endpoint}/v1/forget", wanted.write_key, content)
    for least in PAUSES:
        wait = outcome.wait(now())
        if wait is None or time.monotonic() + max(wait, least) >= until:
            break
        time.sleep(max(wait, least))
        outcome = http_client.ask(f"{wanted.endpoint}/v1/forget", wanted.write_key, content)
    if outcome.kind != answers.ACCEPTED:
        return None, outcome.detail
    receipt = _receipt(outcome.content, ids)
    return receipt, "" if receipt else "the answer was not a collector's receipt"


def _together(first: Receipt, second: Receipt) -> Receipt:
    """Two receipts as one: of a destination the worse counts."""
    states = {state: first.states.get(state, 0) + second.states.get(state, 0) for state in {*first.states, *second.states}}
    others = {
        name: state if first.destinations.get(name, ERASED) == ERASED else first.destinations[name]
        for name, state in second.destinations.items()
    }
    return Receipt(second.receipt, first.events + second.events, states, {**first.destinations, **others})


def _receipt(content: bytes, ids: "Collection[str]") -> Optional[Receipt]:
    """Read a receipt: it must name each id that was asked about, and no other."""
    try:
        document = untrusted.parse_object(content)
        rows, others = document["ids"], document.get("destinations", [])
        states = Counter(one["state"] for one in rows)
        told = {one["name"]: one["state"] for one in others}
        sound = (
            document.get("success") is True
            and is_receipt(document["receipt"])
            and sorted(one["userId"] for one in rows) == sorted(ids)
            and set(states) <= {ERASED, "unknown", "refused"}
            and all(untrusted.is_whole(one["events"], MOST_EVENTS) and one["events"] >= 0 for one in rows)
            and all(isinstance(text, str) and len(text) <= LONGEST_WORDS for pair in told.items() for text in pair)
        )
        return Receipt(document["receipt"], sum(one["events"] for one in rows), dict(states), told) if sound else None
    except (ValueError, KeyError, TypeError):
        return None


def is_receipt(text: object) -> bool:
    """Whether something looks like a receipt's number."""
    return isinstance(text, str) and bool(_NUMBER.fullmatch(text))


def _note(state_directory: str, project: str, receipt: str, now: float) -> None:
    day = instant(now, "exact")[:10]
    files.append_line(f"{state_directory}/receipts", f"{day} {project} {receipt}".encode(), MOST_NOTED)
