"""Build the events of a run: exactly the properties that were agreed to, as coarse as was agreed."""

import os
import uuid
from bisect import bisect_right
from typing import Any, Callable, NamedTuple, Optional, TypeVar

from innerloop import __version__
from innerloop.core.plan import granularity
from innerloop.core.plan.check import planned_properties
from innerloop.core.plan.tracking import PLAN
from innerloop.core.spool.facts import RunFacts
from innerloop.core.spool.history import INTERRUPTED, NO_PAST, Past

SYSTEMS = {"Linux": "linux", "Darwin": "macos"}
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
T = TypeVar("T")
ABSENT = object()  # the property is left out of this event
# Where the classes of a field begin, from its second one on: s, numbers, GB
LIMITS = {
    "checkout_age": tuple(days * 86400 for days in (1, 4, 8, 15, 31, 91)),
    "failures_before": (1, 2, 3), "time_to_green": (60, 300, 900, 3600, 14400), "gave_up_after": (10, 60, 600, 3600),
    "cores": (5, 9, 17), "memory": (9, 17, 33), "jobs": (2, 5, 9),
}  # fmt: skip


class Probed(NamedTuple):
    """What the probe saw of a run as a whole."""

    run: str  # a random number, made for this
    targets: int
    failed: int
    lanes: int = 0  # how many ran side by side, at most
    cpu_us: int = 0  # of those that ran no make


class SentTarget(NamedTuple):
    """One target of a run, as far as it may leave. Times in ms."""

    name: str  # the listed name, or other
    sequence: int  # from 1 on, by start
    parent: int  # sequence of the target above that is sent too; 0: none
    offset_ms: int  # from the run's start
    duration_ms: Optional[int]
    status: Optional[int]
    critical: bool


class Moment(NamedTuple):
    """What a property may be made of: a run's facts, or those of an answer being given."""

    facts: RunFacts
    past: Past = NO_PAST  # computed from the local history
    seed: bool = False  # whether the project is in seed mode
    cohort: str = ""  # where one was named
    probed: Optional[Probed] = None  # where a probe looked
    target: Optional[SentTarget] = None  # the one that the event is about, if it is about one

    @property
    def duration_ms(self) -> Optional[int]:
        """How long the run took, or the target that this is about (ms)."""
        return self.target.duration_ms if self.target else self.facts.duration_ms

    @property
    def status(self) -> Optional[int]:
        """How the run ended, or the target that this is about."""
        return self.target.status if self.target else self.facts.status

    @property
    def stopped_after(self) -> Optional[float]:
        """After how long the run was stopped from outside (s), if it was."""
        return self.facts.duration_ms / 1000 if self.facts.status in INTERRUPTED and self.facts.duration_ms is not None else None


def operating_system() -> str:
    """The class of this machine's operating system."""
    name = os.uname()
    if "microsoft" in name.release.lower():
        return "wsl"
    return SYSTEMS.get(name.sysname, "other")


def _of(one: "Optional[T]", read: "Callable[[T], Any]") -> Any:
    return ABSENT if one is None else read(one)


def _commit_time(moment: Moment, exactness: str) -> Any:
    if exactness == "exact":
        return _of(moment.facts.git, lambda git: git.commit_iso)
    return _of(moment.facts.git, lambda git: granularity.week(git.commit_time))


def _rounded(milliseconds: Optional[int], exactness: str) -> Optional[int]:
    return granularity.three_digits(milliseconds) if milliseconds is not None and exactness == "3digits" else milliseconds


def in_class(field: str, value: "Optional[float]") -> Any:
    """Put a value into one of the plan's classes; ABSENT where there is none."""
    return ABSENT if value is None else PLAN.fields[field].values[bisect_right(LIMITS[field], value)]


VALUES: "dict[str, Callable[[Moment, str], Any]]" = {
    "command": lambda moment, _: moment.facts.name,
    "cohort": lambda moment, _: moment.cohort or ABSENT,
    "command_type": lambda moment, _: moment.facts.type,
    "duration_ms": lambda moment, exactness: _rounded(moment.duration_ms, exactness),
    "exit_status": lambda moment, _: moment.status,
    "start_time": lambda moment, exactness: granularity.instant(moment.facts.start, exactness),
    "attempt": lambda moment, _: moment.past.attempt,
    "checkout_age": lambda moment, _: _of(moment.facts.git, lambda git: in_class("checkout_age", moment.facts.start - git.commit_time)),
    "git_checked_out_master": lambda moment, _: _of(moment.facts.git, lambda git: git.on_master if moment.seed else git.on_default),
    "git_commit_time": _commit_time,
    "is_test": lambda moment, _: moment.facts.test,
    "os": lambda _moment, _exactness: operating_system(),
    "arch": lambda _moment, _exactness: ARCHITECTURES.get(os.uname().machine.lower(), "other"),
    "actor": lambda moment, _: moment.facts.actor,
    "suspended": lambda moment, _: moment.facts.suspended,
    "in_container": lambda moment, _: moment.facts.container,
    "run": lambda moment, _: _of(moment.probed, lambda probed: probed.run),
    "targets": lambda moment, _: _of(moment.probed, lambda probed: probed.targets),
    "targets_failed": lambda moment, _: _of(moment.probed, lambda probed: probed.failed),
    "failures_before": lambda moment, _: in_class("failures_before", moment.past.failures),
    "time_to_green": lambda moment, _: in_class("time_to_green", moment.past.green_after),
    "gave_up_after": lambda moment, _: in_class("gave_up_after", moment.stopped_after),
    "cores": lambda _moment, _exactness: in_class("cores", os.cpu_count() or 1),
    "memory": lambda _moment, _exactness: in_class("memory", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)),
    "jobs": lambda moment, _: _of(moment.probed, lambda probed: in_class("jobs", probed.lanes)),
    "cpu_share": lambda moment, _: _of(
        moment.probed, lambda probed: "busy" if probed.cpu_us >= (moment.duration_ms or 0) * 500 else "waiting"
    ),
    "changes": lambda moment, _: _of(moment.facts.changes, list),
    "target": lambda moment, _: _of(moment.target, lambda target: target.name),
    "sequence": lambda moment, _: _of(moment.target, lambda target: target.sequence),
    "parent": lambda moment, _: _of(moment.target, lambda target: target.parent),
    "offset_ms": lambda moment, exactness: _of(moment.target, lambda target: _rounded(target.offset_ms, exactness)),
    "critical": lambda moment, _: _of(moment.target, lambda target: target.critical),
    "client": lambda _moment, _exactness: ".".join(__version__.split(".")[:2]),
}


def build(kind: str, moment: Moment, agreement: "dict[str, Any]", user_id: str) -> "dict[str, Any]":
    """Build a Segment track message. `kind` is a plan event: run, target, opt_in or opt_out.

    An event without a person's id carries a fresh random anonymousId, used once, which nothing counts.
    """
    event = PLAN.events[kind]
    properties = {}
    for name, field in planned_properties(agreement, event).items():
        constant = event.constants.get(field.name, ABSENT)
        value = VALUES[field.name](moment, agreement["fields"][field.name]) if constant is ABSENT else constant
        if value is not ABSENT:
            properties[name] = value
    message: "dict[str, Any]" = {
        "type": "track",
        "event": agreement["events"].get(event.name, event.wire),
        "messageId": str(uuid.uuid4()),
    }
    if "userId" in agreement["fields"] and user_id:
        message["userId"] = user_id
    else:
        message["anonymousId"] = str(uuid.uuid4())
    if "timestamp" in agreement["fields"]:
        message["timestamp"] = granularity.instant(moment.facts.start, agreement["fields"]["timestamp"])
    message["properties"] = properties
    return message
