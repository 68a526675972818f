"""Deliver one spool: re-read what was agreed, seal, send the oldest first, forget only what was acknowledged.

The sources of consent are read again before every batch; the launcher's cache is never believed here.

May import: the standard library, the plan, files, projectfile, consent, spool and this package.
"""

import itertools
import json
import os
import time
from collections.abc import Iterator
from typing import Callable, NamedTuple, Optional

from innerloop import files, projectfile
from innerloop.consent import answer as answers
from innerloop.consent.answer import ON
from innerloop.consent.resolve import NoProject, Resolution, State, for_clone, for_clones, resolve_project
from innerloop.delivery import backoff, client, erasure
from innerloop.plan.check import violations
from innerloop.plan.project import ProjectError
from innerloop.spool import seal, store

MOST_EVENTS, MOST_BYTES, LARGEST_EVENT = 500, 450_000, 32_000
MOST_BATCHES = 4  # that one delivery sends by itself: after weeks offline nobody's collector is flooded
LATEST = 2 * 3600  # s: no run is kept back longer; what seems to be was sealed by a clock that was wrong
OLDEST = 90 * 86400  # s that a run waits for delivery
MOST_RUNS = 20_000
MOST_REFUSED = 10  # runs that are set aside by a collector that accepted none

Progress = Callable[[str], None]


class Result(NamedTuple):
    """What one delivery did, in runs."""

    sent: int = 0
    refused: int = 0
    left: int = 0  # still queued
    problem: str = ""  # why it stopped before the end
    busy: bool = False  # another sender is at work


class Stopped(Exception):
    """Delivery cannot go on now."""

    def __init__(self, outcome: client.Outcome) -> None:
        """Keep what the collector said."""
        super().__init__(outcome.detail)
        self.outcome = outcome


def current(here: State, spool: str, key: str) -> Optional[Resolution]:
    """Read the sources anew, from the newest project file of this spool under which something may leave.

    Of two clones one may have other remotes: its runs stay here, and those of the other must not wait for that.
    """
    found = None
    for path in reversed(store.roots(spool)):
        try:
            state = resolve_project(here, projectfile.load(path))
        except (ProjectError, NoProject, OSError):
            continue
        if state.key == key and state.mode == ON:
            return state
        found = found or (state if state.key == key else None)
    return found


def deliver(here: State, key: str, everything: bool = False, deadline: float = 30, tell: Progress = lambda _: None) -> Result:
    """Deliver what is due (or everything) from one spool, within `deadline` seconds."""
    spool = here.spool(key)
    if not os.path.isdir(spool):
        return Result()
    with store.locked(spool, "lock", wait=False) as mine:
        if not mine:
            return Result(busy=True)
        until = time.monotonic() + deadline
        store.set_next(spool, time.time() + backoff.INTERVAL[0])  # first of all: nobody starts another sender meanwhile
        delivery = _Delivery(here, spool, key, everything, until, tell)
        try:
            delivery.run()
        except client.Withdrawn:
            return delivery.result("the answer changed meanwhile")
        except Stopped as stop:
            backoff.fail(spool, stop.outcome)
            return delivery.result(str(stop))
        if delivery.sent:
            backoff.succeed(spool)
        return delivery.result()


def objection(one: store.Sealed, state: Resolution, own: Resolution) -> str:
    """Why a sealed run may not leave any more: `withdrawn` or `narrowed`; empty where it may. `own` is what holds for its clone."""
    if one.serial != state.answer.serial:
        return "withdrawn"
    faults = any(violations(json.loads(event), own.agreement, seal.names(state, one.root)) for event in one.events)
    return "narrowed" if faults else ""


def by_digest(here: State, found: "list[store.Sealed]", state: Resolution) -> "list[list[store.Sealed]]":
    """Group sealed runs by the digest that they are sent under: a batch names one, and two clones may have two."""
    groups: "dict[str, list[store.Sealed]]" = {}
    clones = for_clones(here, {one.root for one in found}, state)
    for one in found:
        groups.setdefault(clones[one.root].digest, []).append(one)
    return list(groups.values())


def batches(found: "list[store.Sealed]") -> "Iterator[list[store.Sealed]]":
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


def unknown_ids(spool: str, state: Resolution, events: "list[bytes]") -> "dict[str, str]":
    """The ids of a batch's events whose erasure secret's hash our collector does not have yet -> the hash.

    A collector believes only a batch that holds an event of the id. A foreign endpoint is told of none.
    """
    if not state.project.key_is_ours or "userId" not in state.agreement["fields"]:
        return {}
    theirs = {json.loads(event).get("userId") for event in events}
    known = (files.read_own(f"{spool}/known-ids") or b"").decode("ascii", "replace").split()
    return {user: one for user, one in erasure.hashes(state.identities).items() if user in theirs and one not in known}


def note_known(spool: str, told: "dict[str, str]") -> None:
    """The collector acknowledged these hashes: they do not travel again."""
    if told:
        known = files.read_own(f"{spool}/known-ids") or b""
        files.write(f"{spool}/known-ids", known + "".join(f"{one}\n" for one in told.values()).encode())


def _still(answer: answers.Answer) -> bool:
    """Tell whether an answer is still the one in its file. A CI job has none that could change."""
    if not answer.document:
        return True
    try:
        now = answers.load(answer.path)
    except files.UnusableFile:
        return False
    return (now.serial, now.decision) == (answer.serial, answer.decision)


class _Delivery:
    """One delivery under the spool's lock."""

    def __init__(self, here: State, spool: str, key: str, everything: bool, until: float, tell: Progress) -> None:
        self.here, self.spool, self.key, self.everything, self.until, self.tell = here, spool, key, everything, until, tell
        self.sent = self.refused = 0
        self.problem = ""

    def result(self, problem: str = "") -> Result:
        return Result(self.sent, self.refused, len(store.ids(self.spool, "sealed")), problem or self.problem)

    def agreed(self) -> Optional[Resolution]:
        """What holds now, or None where nothing may leave."""
        state = current(self.here, self.spool, self.key)
        if state is None:
            self.problem = "no project file of this spool can be read"
        elif state.mode != ON:
            self.problem = state.reason or f"the answer is {state.mode}"
        elif not self.here.reaches(state.project.endpoint):
            self.problem = f"{state.project.endpoint_host} is the host's own address, another machine's in a container: deliver there"
        return None if self.problem else state

    def run(self) -> None:
        """Seal what is finished and send batch after batch."""
        state = current(self.here, self.spool, self.key)
        if state is not None:
            seal.seal_finished(self.spool, state, self.here)
        self._expire()
        store.forget_old_copies(self.spool, time.time())
        store.forget_old_logs(self.spool, time.time())
        found = self._due()
        groups = by_digest(self.here, found, state) if state is not None else [found]
        waiting = list(itertools.islice((batch for group in groups for batch in batches(group)), None if self.everything else MOST_BATCHES))
        while waiting:
            if time.monotonic() > self.until:
                self.problem = "the time was up; the rest follows with the next delivery"
                return
            agreed = self.agreed()
            if agreed is None:
                return
            allowed, *others = by_digest(self.here, self._allowed(waiting.pop(0), agreed), agreed) or [[]]
            waiting[:0] = others
            if allowed:
                waiting[:0] = self._send(allowed, for_clone(self.here, allowed[0].root, agreed))
                self.tell(f"{self.sent} delivered")

    def _expire(self) -> None:
        """Keep the queue within its bounds, oldest first, and count what is given up."""
        runs = sorted((store.modified(f"{self.spool}/sealed/{run_id}"), run_id) for run_id in store.ids(self.spool, "sealed"))
        limit = time.time() - OLDEST
        for index, (moment, run_id) in enumerate(runs):
            if moment < limit or len(runs) - index > MOST_RUNS:
                store.drop(self.spool, "sealed", run_id, "expired")

    def _due(self) -> "list[store.Sealed]":
        found = []
        for run_id in store.ids(self.spool, "sealed"):
            try:
                one = store.read_sealed(self.spool, run_id)
            except FileNotFoundError:
                continue  # purged meanwhile
            except (ValueError, KeyError, TypeError):
                store.quarantine(self.spool, "sealed", run_id, "damaged")
                continue
            if any(len(event) > LARGEST_EVENT for event in one.events):
                store.quarantine(self.spool, "sealed", run_id, "oversize")
            elif self.everything or not time.time() < one.release < time.time() + LATEST:
                found.append(one)
        return sorted(found, key=lambda one: one.release)

    def _allowed(self, batch: "list[store.Sealed]", state: Resolution) -> "list[store.Sealed]":
        """Keep of a batch what the current answer, plan and names allow; count the rest."""
        allowed = []
        clones = for_clones(self.here, {one.root for one in batch}, state)
        for one in batch:
            reason = objection(one, state, clones[one.root])
            if reason:
                store.drop(self.spool, "sealed", one.id, reason)
            else:
                allowed.append(one)
        return allowed

    def _send(self, batch: "list[store.Sealed]", state: Resolution) -> "list[list[store.Sealed]]":
        """Send a batch. Returns its halves where the collector refused it, until the culprit is alone."""
        events = [event for one in batch for event in one.events]
        unknown = unknown_ids(self.spool, state, events)
        content = client.body(events, state.digest, unknown)
        remaining = max(self.until - time.monotonic(), 0.1)
        outcome = client.post(
            state.project.endpoint, state.project.write_key, content, min(client.TIMEOUT, remaining), lambda: _still(state.answer)
        )
        if outcome.kind == client.ACCEPTED:
            note_known(self.spool, unknown)
            self.sent += store.acknowledge(self.spool, [one.id for one in batch])
        elif outcome.kind not in (client.REFUSED, client.SPLIT):
            raise Stopped(outcome)
        elif len(batch) > 1:
            middle = len(batch) // 2
            return [batch[:middle], batch[middle:]]
        elif self.refused >= MOST_REFUSED and not self.sent:
            raise Stopped(outcome._replace(detail=f"{outcome.detail}, to everything"))  # then it is not about our events
        else:
            store.quarantine(self.spool, "sealed", batch[0].id, outcome.detail)
            self.refused += 1
        return []
