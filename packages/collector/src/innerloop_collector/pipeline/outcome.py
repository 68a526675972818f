"""How the pipeline may end for an event. The reasons are closed: nothing disappears under a name that is not here.

May import: the standard library.
"""

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
    NEW_ID = "too many new ids"  # found by admission; `ids release` lets them in


FIT_THEIR_PLAN = frozenset({str(Reason.NEW_ID)})
KEEP_THEIR_BODY = frozenset({Reason.UNKNOWN_PLAN, Reason.VIOLATION, Reason.NEW_ID})  # of the others, nothing can ever be released


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
