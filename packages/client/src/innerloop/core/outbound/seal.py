"""Give finished runs their final bytes, once. From then on `show` and the wire have the same bytes."""

import json
import random
from typing import Any, Optional

from innerloop.core.consent.answer import LOCAL, ON
from innerloop.core.consent.places import spool_key
from innerloop.core.consent.resolve import ConsentState, Context, for_clones
from innerloop.core.outbound import event, target_events
from innerloop.core.plan import project_file
from innerloop.core.plan.agreement import agreed_groups
from innerloop.core.plan.check import Names, violations
from innerloop.core.plan.project import ProjectError
from innerloop.core.plan.tracking import PLAN
from innerloop.core.shared import files
from innerloop.core.shared.names import OTHER
from innerloop.core.spool import history, layout, store
from innerloop.core.spool.facts import RunFacts
from innerloop.core.targets import target_log

DELAY = (600, 3600)  # s: a random wait between a run's end and its delivery


def seal_finished(spool: str, state: ConsentState, context: Context) -> int:
    """Seal every finished run that the current answer covers, each under its own clone's project file; returns how many.

    Counts what may not leave.
    """
    if not state.measures:
        return 0
    with layout.locked(spool, "seal.lock"):
        sealed = _current_only(spool, state)
        found = list(store.finished(spool, context.now()))
        past = history.read(spool)
        clones = for_clones(context, {facts.root for _, facts in found}, state)
        for place, facts in sorted(found, key=lambda one: one[1].wall):
            _seal_run(spool, clones[facts.root], place, facts, past, facts.id in sealed)
        history.trim(spool, past, context.now())
        return len(found)


def _current_only(spool: str, state: ConsentState) -> "set[str]":
    """Drop what was sealed under another answer; returns the ids of what stays."""
    kept = set()
    for one in store.sealed(spool):
        if one.serial == state.answer.serial:
            kept.add(one.id)
        else:
            store.drop(spool, "sealed", one.id, store.WITHDRAWN)
    return kept


def _seal_run(spool: str, state: ConsentState, place: str, facts: RunFacts, past: "list[history.Entry]", done: bool) -> None:
    """Seal one run, keep it here where it was recorded in local mode, or drop it where it is another answer's.

    A run that was recorded to be sent waits while only local recording is allowed, as in a clone with other remotes.
    """
    if facts.serial != state.answer.serial:
        store.drop(spool, place, facts.id, store.WITHDRAWN)
        return
    if facts.mode != LOCAL and state.mode != ON:
        return
    log = target_log.read(spool, facts.id, facts.status)
    facts = target_log.with_status(facts, log)
    looking_back = history.past_of(facts, past)
    one = history.entry(facts, looking_back.attempt)
    if facts.mode == LOCAL:
        store.note(spool, "local", [facts.id])
    elif not done:
        try:
            _write(spool, seal(state, facts, looking_back, log=log))
        except BreaksThePlan as error:
            store.quarantine(spool, place, facts.id, str(error))
            return
    if all(known.id != one.id for known in past[-1000:]):
        history.append(spool, one)
        past.append(one)
    files.remove(f"{spool}/{place}/{facts.id}")
    files.remove(f"{spool}/run/{facts.id}.git")


def seal_answer(spool: str, state: ConsentState, facts: RunFacts) -> bytes:
    """Queue the event that says that a developer agreed, and return its bytes."""
    sealed = seal(state, facts, kind="opt_in")
    store.note(spool, "recorded", [sealed.id])
    _write(spool, sealed)
    return sealed.events[0]


def _write(spool: str, sealed: store.Sealed) -> None:
    """Write a sealed run; from now on its bytes do not change."""
    files.write(f"{spool}/sealed/{sealed.id}", sealed.encode(), durable=True)


class BreaksThePlan(ValueError):
    """An event that we built does not keep to the plan: a fault of ours, so it stays here."""


def seal(
    state: ConsentState, facts: RunFacts, past: history.Past = history.NO_PAST, kind: str = "run", log: "Optional[target_log.Log]" = None
) -> store.Sealed:
    """Make a run's events, checked once more against what was agreed to, and choose when they may leave. Its own comes first.

    A name that was taken off the list meanwhile becomes `other`, and a change is not told. Raises BreaksThePlan.
    """
    listed = names(state, facts.root)
    if not listed.holds(facts.name):
        facts = facts._replace(name=OTHER)
    if facts.changes:
        facts = facts._replace(changes=tuple(one for one in listed.changes if one in facts.changes))
    probed = target_events.probed(log) if log and not log.problem else None
    moment = event.Moment(facts, past, state.project.seed is not None, "".join(listed.cohorts), probed)
    messages = [event.build(kind, moment, state.agreement, state.answer.user_id)]
    if log and probed and PLAN.events["target"].needs in state.agreement["fields"]:
        for target in target_events.sent(log, facts, listed):
            messages.append(event.build("target", moment._replace(target=target), state.agreement, state.answer.user_id))
    faults = [fault for message in messages for fault in violations(message, state.agreement, listed)]
    if faults:
        raise BreaksThePlan(", ".join(f"{field}: {kind}" for kind, field in dict.fromkeys(faults)))
    release = facts.ended + random.uniform(*DELAY)  # noqa: S311 (not a secret)
    return store.Sealed(facts.id, release, facts.serial, facts.test, facts.local_name, facts.root, tuple(map(encode, messages)))


def names(state: ConsentState, root: str = "") -> Names:
    """The names, groups and changes that may leave, from the project file of the clone that a run belongs to, as it is now.

    Of the cohorts that it offers only the one that the developer named may.
    """
    project = state.project
    if root not in ("", state.path):
        try:
            other = project_file.load(root).project
            project = other if state.key.startswith(spool_key(other)) else project
        except ProjectError:
            pass  # that clone is gone
    cohort = state.answer.cohort
    cohorts = (cohort,) if cohort in project.names.cohorts else ()
    return project.names._replace(cohorts=cohorts, groups=agreed_groups(project, state.agreement))


def encode(message: "dict[str, Any]") -> bytes:
    """An event's bytes on the wire."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
