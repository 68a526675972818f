"""The steps, in their order. Each takes an event and the catalogue and returns the event, or how it ends."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from innerloop.core.plan import check
from innerloop_collector.config.configuration import LARGEST_EVENT
from innerloop_collector.pipeline import clock
from innerloop_collector.pipeline.compiled_plan import compiled
from innerloop_collector.pipeline.event import Event, midnight, moment
from innerloop_collector.pipeline.outcome import Dropped, DropReason, Quarantined, Reason
from innerloop_collector.store.catalogue import AgreedPlan, Catalogue

Outcome = Event | Dropped | Quarantined
Step = Callable[[Event, Catalogue], Outcome]


def be_well_formed(event: Event, _: Catalogue) -> Outcome:
    """An event is an object that says what it is, and each of its members has a type that it may have."""
    return Quarantined(Reason.MALFORMED, event.malformed) if event.malformed else event


def have_an_id(event: Event, _: Catalogue) -> Outcome:
    """An event is somebody's, though it may be an id that is used once."""
    return event if event.identified else Quarantined(Reason.NO_ID)


def fit(event: Event, _: Catalogue) -> Outcome:
    """An event is small."""
    return event if event.size <= LARGEST_EVENT else Quarantined(Reason.TOO_LARGE)


def be_a_track(event: Event, _: Catalogue) -> Outcome:
    """Only track events are in the plan; identify, page, screen, group and alias are not."""
    return event if event.body["type"] == "track" else Quarantined(Reason.OUTSIDE, ("type",))


def find_plan(event: Event, catalogue: Catalogue) -> Outcome:
    """The digest that an event names was applied; an event that names none is held to the newest plan."""
    agreed = catalogue.plan(event.project, event.digest)
    if agreed is None:
        return Quarantined(Reason.UNKNOWN_PLAN)
    return msgspec.structs.replace(event, agreed=agreed)


def keep_to_plan(event: Event, _: Catalogue) -> Outcome:
    """An event holds what was agreed to and nothing else."""
    assert event.agreed is not None
    planned = compiled(event.agreed).kind(event.body)
    if planned is not None:
        return msgspec.structs.replace(event, planned=planned)
    found = _violations(event, event.agreed)
    if found:
        return Quarantined(Reason.VIOLATION, tuple(sorted({f"{violation.kind}: {violation.field}" for violation in found})))
    planned = check.find_event(event.agreed.agreement, event.body["event"], event.body["properties"])
    return msgspec.structs.replace(event, planned=planned)


def _violations(event: Event, agreed: AgreedPlan) -> list[check.Violation]:
    """Judge by the newest list of names; older lists of the same digest stay good."""
    first: list[check.Violation] = []
    for names in agreed.names:
        found = check.violations(event.body, agreed.agreement, names)
        if not found:
            return []
        first = first or found
    return first


def find_time(event: Event, _: Catalogue) -> Outcome:
    """An event happened not long ago and not tomorrow, by our clock.

    A clock that is years off is set right like one that is hours off; then the corrected time stands for the client's own as well, since
    the store keeps few months apart.
    """
    assert event.agreed is not None
    terms = event.agreed.agreement
    stated = moment(event.body["properties"].get(compiled(event.agreed).start)) or moment(event.body.get("timestamp"))
    time = stated or midnight(event.received)
    try:
        granularity = terms["fields"].get("start_time", "hour")
        corrected = clock.corrected(time, event.skew_seconds if stated else 0.0, granularity, event.received)
    except OverflowError:
        return Quarantined(Reason.OUT_OF_RANGE, ("time",))
    if not clock.possible(corrected, event.received):
        return Quarantined(Reason.OUT_OF_RANGE, ("time",))
    own = time if clock.possible(time, event.received) else corrected
    return msgspec.structs.replace(event, time=own, corrected=corrected)


def be_in_retention(event: Event, catalogue: Catalogue) -> Outcome:
    """An event that should be gone already is not kept. Of what was agreed to and what the project promises now, the shorter counts."""
    assert event.agreed is not None
    assert event.corrected is not None
    days = min(event.agreed.agreement["retention_days"], catalogue.newest(event.project).document["retention_days"])
    keep_until = event.corrected.date() + timedelta(days=days)
    if keep_until < event.today:
        return Dropped(DropReason.PAST_RETENTION)
    return msgspec.structs.replace(event, keep_until=keep_until)


STEPS: tuple[Step, ...] = (be_well_formed, have_an_id, fit, be_a_track, find_plan, keep_to_plan, find_time, be_in_retention)


def run(event: Event, catalogue: Catalogue) -> Outcome:
    """Send an event through all steps."""
    for step in STEPS:
        outcome = step(event, catalogue)
        if not isinstance(outcome, Event):
            return outcome
        event = outcome
    return event
