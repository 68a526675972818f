"""What is published of one closed day on which there is something to tell: which targets stand out, and what became of earlier alerts. No id is in it."""

from datetime import date
from enum import StrEnum

import msgspec

from innerloop_collector.query.releases.document import rounded

KIND = "alerts"
VERSION = 1


class Fate(StrEnum):
    """How an alert stands."""

    OPEN = "open"  # told, and not confirmed yet
    CONFIRMED = "confirmed"  # by days that came afterwards
    GONE = "gone"  # not confirmed by them
    CREEP = "creep"  # rose little by little: told, and never paged


class Subject(msgspec.Struct, frozen=True, array_like=True, order=True):
    """What may become worse."""

    breakdown: str  # "command" or "target"
    name: str
    measure: str  # "duration" or "failures"


class Size(msgspec.Struct, frozen=True, array_like=True):
    """By how much, in percent, or in percentage points of runs that fail: about, at least and at most."""

    value: int
    low: int
    high: int


class Appeared(msgspec.Struct, frozen=True, array_like=True, order=True):
    """What came about then. It may have nothing to do with it."""

    what: str  # "version", "os" and so on
    name: str
    day: date  # the Monday of the week in which k people had it; no day is one person's


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """An alert, or what became of it."""

    subject: Subject
    seen: date  # the last day of the look that found it
    since: date  # about
    fate: Fate
    size: Size
    people: int  # at least; a range of STEP
    appeared: tuple[Appeared, ...] = ()


class Day(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the looks at one closed day found."""

    version: int
    project: str
    unit: str
    day: date
    made: date
    position: int  # how far it read
    k: int
    looks: int = 0  # targets and measures that were looked at, rounded
    told: tuple[Told, ...] = ()


def unit_of(day: date) -> str:
    """How the looks of a day are called."""
    return f"{KIND}/{day.isoformat()}"


def day_of(unit: str) -> date:
    """The day of a unit."""
    return date.fromisoformat(unit.partition("/")[2])


def looks_of(number: int) -> int:
    """How many looks there were, as it is published."""
    return rounded(number)
