"""Deliver one spool: re-read what was agreed, seal, send the oldest first, forget only what was acknowledged.

The sources of consent are read again before every batch; the launcher's cache is never believed here.
"""

import itertools
import os
import time
from collections import Counter
from typing import Callable, NamedTuple, Optional

from innerloop.core.consent import answer as consent
from innerloop.core.consent.answer import ON
from innerloop.core.consent.resolve import ConsentState, Context, NoProject, for_clones, resolve_project
from innerloop.core.outbound import answers, backoff, batches, http_client, seal
from innerloop.core.outbound.reconcile import reconcile
from innerloop.core.outbound.time_limit import Withdrawn
from innerloop.core.plan import project_file
from innerloop.core.plan.project import ProjectError
from innerloop.core.spool import bounds, layout, store

LARGEST_EVENT = 32_000  # bytes
MOST_BATCHES = 4  # that one delivery sends by itself: after weeks offline nobody's collector is flooded
LATEST = 2 * 3600  # s: no run is kept back longer; what seems to be was sealed by a clock that was wrong
MOST_REFUSED = 10  # runs that are set aside by a collector that accepted none

Progress = Callable[[str], None]


class Result(NamedTuple):
    """What one delivery did, in runs."""

    sent: int = 0
    refused: int = 0
    left: int = 0  # still queued
    problem: str = ""  # why it stopped before the end
    busy: bool = False  # another sender is at work
    held: "dict[str, int]" = {}  # of the sent, those that the collector holds back: reason -> runs
    lost: "dict[str, int]" = {}  # of the sent, those that it took and did not keep: reason -> runs


class Stopped(Exception):
    """Delivery cannot go on now: its argument is what came of the last request."""


def current(context: Context, spool: str, key: str) -> Optional[ConsentState]:
    """Read the sources anew, from the newest project file of this spool under which something may leave.

    Of two clones one may have other remotes: its runs stay here, and those of the other must not wait for that.
    """
    found = None
    for path in reversed(layout.roots(spool)):
        try:
            state = resolve_project(context, project_file.load(path))
        except (ProjectError, NoProject, OSError):
            continue
        if state.key == key and state.mode == ON:
            return state
        found = found or (state if state.key == key else None)
    return found


def deliver(context: Context, key: str, everything: bool = False, deadline: float = 30, tell: Progress = lambda _: None) -> Result:
    """Deliver what is due (or everything) from one spool, within `deadline` seconds."""
    spool = context.spool(key)
    if not os.path.isdir(spool):
        return Result()
    with layout.locked(spool, "lock", wait=False) as mine:
        if not mine:
            return Result(busy=True)
        until = time.monotonic() + deadline
        os.utime(f"{spool}/lock")
        layout.set_next(spool, context.now() + backoff.INTERVAL[0])  # first of all: nobody starts another sender meanwhile
        delivery = _Delivery(context, spool, key, everything, until, tell)
        try:
            delivery.run()
        except Withdrawn:
            return delivery.result("the answer changed meanwhile")
        except Stopped as stop:
            (last,) = stop.args
            backoff.fail(spool, last, context.now())
            return delivery.result(last.detail)
        if delivery.sent:
            backoff.succeed(spool, context.now())
        return delivery.result()


def _still(answer: consent.Answer) -> bool:
    """Tell whether an answer is still the one in its file. A CI job has none that could change."""
    if not answer.document:
        return True
    now = consent.load_if_sound(answer.path)
    return now is not None and (now.serial, now.decision) == (answer.serial, answer.decision)


class _Delivery:
    """One delivery under the spool's lock."""

    def __init__(self, context: Context, spool: str, key: str, everything: bool, until: float, tell: Progress) -> None:
        self.context, self.spool, self.key, self.everything, self.until, self.tell = context, spool, key, everything, until, tell
        self.sent = self.refused = 0
        self.held: "Counter[str]" = Counter()
        self.lost: "Counter[str]" = Counter()
        self.problem = ""

    def result(self, problem: str = "") -> Result:
        left = len(store.ids(self.spool, "sealed"))
        return Result(self.sent, self.refused, left, problem or self.problem, held=self.held, lost=self.lost)

    def agreed(self) -> Optional[ConsentState]:
        """What holds now, or None where nothing may leave."""
        state = current(self.context, self.spool, self.key)
        if state is None:
            self.problem = "no project file of this spool can be read"
        elif state.mode != ON:
            self.problem = state.reason or f"the answer is {state.mode}"
        elif not self.context.reaches(state.project.endpoint):
            self.problem = f"{state.project.endpoint_host} is the host's own address, another machine's in a container: deliver there"
        return None if self.problem else state

    def run(self) -> None:
        """Seal what is finished and send batch after batch."""
        state = current(self.context, self.spool, self.key)
        if state is not None:
            seal.seal_finished(self.spool, state, self.context)
        bounds.expire(self.spool, self.context.now())
        bounds.tidy(self.spool, self.context.now())
        found = self._due()
        groups = batches.by_digest(found, for_clones(self.context, {one.root for one in found}, state)) if state is not None else [found]
        waiting = list(
            itertools.islice((batch for group in groups for batch in batches.split(group)), None if self.everything else MOST_BATCHES)
        )
        while waiting:
            if time.monotonic() > self.until:
                self.problem = "the time was up; the rest follows with the next delivery"
                return
            agreed = self.agreed()
            if agreed is None:
                return
            batch = waiting.pop(0)
            clones = for_clones(self.context, {one.root for one in batch}, agreed)
            allowed, *others = batches.by_digest(self._allowed(batch, agreed, clones), clones) or [[]]
            waiting[:0] = others
            if allowed:
                waiting[:0] = self._send(allowed, clones[allowed[0].root])
                self.tell(f"{self.sent} delivered")

    def _due(self) -> "list[store.Sealed]":
        found, now = [], self.context.now()
        for one in store.sealed(self.spool):
            if any(len(event) > LARGEST_EVENT for event in one.events):
                store.quarantine(self.spool, "sealed", one.id, "oversize")
            elif self.everything or not now < one.release < now + LATEST:
                found.append(one)
        return sorted(found, key=lambda one: one.release)

    def _allowed(self, batch: "list[store.Sealed]", state: ConsentState, clones: "dict[str, ConsentState]") -> "list[store.Sealed]":
        """Keep of a batch what the current answer, plan and names allow; count the rest."""
        allowed = []
        for one in batch:
            reason = batches.objection(one, state, clones[one.root])
            if reason:
                store.drop(self.spool, "sealed", one.id, reason)
            else:
                allowed.append(one)
        return allowed

    def _send(self, batch: "list[store.Sealed]", state: ConsentState) -> "list[list[store.Sealed]]":
        """Send a batch. Returns its halves where the collector refused it, until the culprit is alone."""
        events = [event for one in batch for event in one.events]
        unknown = batches.unknown_ids(self.spool, state, events, self.context.now())
        content = http_client.body(events, state.digest, unknown, self.context.now())
        remaining = max(self.until - time.monotonic(), 0.1)
        outcome = http_client.post(
            state.project.endpoint, state.project.write_key, content, min(http_client.TIMEOUT, remaining), lambda: _still(state.answer),
            state.project.key_is_ours,
        )  # fmt: skip
        if outcome.kind == answers.ACCEPTED:
            batches.note_known(self.spool, unknown)
            said = answers.verdicts(outcome.content, len(events)) if state.project.key_is_ours else []
            done = reconcile(self.spool, batch, state.digest, said)
            self.sent += done.runs
            self.held.update(done.held)
            self.lost.update(done.lost)
        elif outcome.kind not in (answers.REFUSED, answers.SPLIT):
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
