"""Give finished runs their final bytes, once. From then on `show` and the wire have the same bytes.

May import: the standard library, the plan, event, consent's resolution, and this package.
"""

import json
import random
from typing import Any

from innerloop import event, files
from innerloop.consent.answer import LOCAL, ON
from innerloop.consent.resolve import Resolution
from innerloop.plan.check import Names, violations
from innerloop.spool import history, store
from innerloop.spool.facts import RunFacts

DELAY = (600, 3600)  # s: a random wait between a run's end and its delivery


def seal_finished(spool: str, state: Resolution) -> int:
    """Seal every finished run that the current answer covers; returns how many. Counts what may not leave."""
    if not state.measures:
        return 0
    with store.locked(spool, "seal.lock"):
        sealed = set(store.ids(spool, "sealed"))
        found = list(store.finished(spool))
        readable = sorted((one for one in found if one[2]), key=lambda one: one[2].wall if one[2] else 0)
        for place, run_id, unreadable in found:
            if unreadable is None:
                store.quarantine(spool, place, run_id, "unreadable")
        past = history.read(spool)
        for place, run_id, facts in readable:
            if facts is not None:
                _settle(spool, state, place, facts, past, run_id in sealed)
        return len(readable)


def _settle(spool: str, state: Resolution, place: str, facts: RunFacts, past: "list[history.Entry]", done: bool) -> None:
    """Seal one run, keep it here in local mode, or drop it where it was recorded under another answer."""
    if facts.serial != state.answer.serial:
        store.drop(spool, place, facts.id, "withdrawn")
        return
    attempt = history.attempt(facts, past)
    one = history.entry(facts, attempt)
    if not done and state.mode == ON:
        store.write_sealed(spool, seal(state, facts, attempt))
    if all(known.id != one.id for known in past[-1000:]):
        history.append(spool, [one])
        past.append(one)
    if state.mode == LOCAL:
        store.note(spool, "local", facts.id)
    _clear(spool, place, facts.id)


def _clear(spool: str, place: str, run_id: str) -> None:
    files.remove(f"{spool}/{place}/{run_id}")
    files.remove(f"{spool}/run/{run_id}.git")


def seal(state: Resolution, facts: RunFacts, attempt: str = "1", kind: str = "run") -> store.Sealed:
    """Make a run's events, checked once more against what was agreed to, and choose when they may leave."""
    message = event.build(kind, event.Moment(facts, attempt, state.project.seed is not None), state.agreement, state.answer.user_id)
    faults = violations(message, state.agreement, names(state))
    if faults:
        raise AssertionError(f"an event that we built breaks the plan: {faults}")
    release = facts.ended + random.uniform(*DELAY)  # noqa: S311 (not a secret)
    return store.Sealed(facts.id, release, facts.serial, facts.test, facts.local_name, (encode(message),))


def names(state: Resolution) -> Names:
    """The names that may leave, from the project file as it is now."""
    return Names(state.project.names, state.project.stems, state.project.separator)


def encode(message: "dict[str, Any]") -> bytes:
    """An event's bytes on the wire."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
