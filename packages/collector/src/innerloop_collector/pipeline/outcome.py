"""How the pipeline may end for an event. The reasons are closed: nothing disappears under a name that is not here."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an event waits in quarantine."""

    MALFORMED = "malformed"
    NO_ID = "neither userId nor anonymousId"
    TOO_LARGE = "larger than 32 KB"
    OUTSIDE = "outside the plan"
    UNKNOWN_PLAN = "unknown plan"
    VIOLATION = "violates the plan"
    OUT_OF_RANGE = "time out of range"
    NEW_ID = "too many new ids"  # found by rate_limits; `ids release` lets them in


FIT_THEIR_PLAN = frozenset({str(Reason.NEW_ID)})
KEEP_THEIR_BODY = frozenset({Reason.UNKNOWN_PLAN, Reason.VIOLATION, Reason.NEW_ID})  # of the others, nothing can ever be released


_NEVER = "nothing can release them: "
WHAT_TO_DO = {
    Reason.MALFORMED: _NEVER + "fix what sends them",
    Reason.NO_ID: _NEVER + "send each with an id; use a fresh one where it belongs to nobody",
    Reason.TOO_LARGE: _NEVER + "fix what sends them",
    Reason.OUTSIDE: _NEVER + "the plan has only track calls; turn the others off in what sends them",
    Reason.UNKNOWN_PLAN: "apply the project file that they were sent under: innerloop-collector projects apply FILE",
    Reason.VIOLATION: "see what is wrong: innerloop-collector quarantine list; projects apply FILE releases what a newer file allows",
    Reason.OUT_OF_RANGE: _NEVER + "set the clock of what sends them",
    Reason.NEW_ID: "a write key brought more new ids in a day than there are developers, or than 20 where nobody said how many; say it with: "
    "innerloop-collector projects apply FILE --headcount N, or let these in with: innerloop-collector ids release PROJECT; if nobody knows them, make another key",
}


class DropReason(StrEnum):
    """Why an event is acknowledged and not kept."""

    PAST_RETENTION = "past retention"
    NO_ROOM = "quarantine is full"  # found by the writer, once a day's bytes are used up
    ERASED = "id was erased"  # found by the writer, so that no event passes an erasure that is under way


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The event waits. `fields` names what is wrong, never a value."""

    reason: Reason
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """The event is counted and not kept."""

    reason: DropReason
