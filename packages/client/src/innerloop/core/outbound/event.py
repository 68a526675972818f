"""Build the events of a run: exactly the properties that were agreed to, as coarse as was agreed."""

import os
import uuid
from typing import Any, Callable, NamedTuple, Optional

from innerloop import __version__
from innerloop.core.plan import granularity
from innerloop.core.plan.check import planned_properties
from innerloop.core.plan.tracking import PLAN
from innerloop.core.spool.facts import GitFacts, RunFacts

SYSTEMS = {"Linux": "linux", "Darwin": "macos"}
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
ABSENT = object()  # the property is left out of this event


class Probed(NamedTuple):
    """What the probe saw of a run as a whole."""

    run: str  # a random number, made for this
    targets: int
    failed: int


class SentTarget(NamedTuple):
    """One target of a run, as far as it may leave. Times in ms."""

    name: str  # the listed name, or other
    sequence: int  # from 1 on, by start
    parent: int  # sequence of the target above that is sent too; 0: none
    offset_ms: int  # from the run's start
    duration_ms: Optional[int]
    status: Optional[int]
    critical: bool


class Moment:
    """What a property may be made of: a run's facts, or those of an answer being given."""

    def __init__(
        self, facts: RunFacts, attempt: str = "1", seed: bool = False, cohort: str = "", probed: Optional[Probed] = None,
        target: Optional[SentTarget] = None,
    ) -> None:  # fmt: skip
        """`attempt` is computed from the local history; `seed` is whether the project is in seed mode; `cohort` may be unnamed.

        `probed` is None where no probe looked; `target` is the one that the event is about, if it is about one.
        """
        self.facts = facts
        self.attempt = attempt
        self.seed = seed
        self.cohort = cohort
        self.probed = probed
        self.target = target

    @property
    def duration_ms(self) -> Optional[int]:
        """How long the run took, or the target that this is about (ms)."""
        return self.target.duration_ms if self.target else self.facts.duration_ms

    @property
    def status(self) -> Optional[int]:
        """How the run ended, or the target that this is about."""
        return self.target.status if self.target else self.facts.status


def operating_system() -> str:
    """The class of this machine's operating system."""
    name = os.uname()
    if "microsoft" in name.release.lower():
        return "wsl"
    return SYSTEMS.get(name.sysname, "other")


def _git(moment: Moment, read: "Callable[[GitFacts], Any]") -> Any:
    return read(moment.facts.git) if moment.facts.git else ABSENT


def _commit_time(moment: Moment, exactness: str) -> Any:
    if exactness == "exact":
        return _git(moment, lambda git: git.commit_iso)
    return _git(moment, lambda git: granularity.week(git.commit_time))


def _rounded(milliseconds: Optional[int], exactness: str) -> Optional[int]:
    return granularity.three_digits(milliseconds) if milliseconds is not None and exactness == "3digits" else milliseconds


def _probed(moment: Moment, read: "Callable[[Probed], Any]") -> Any:
    return read(moment.probed) if moment.probed else ABSENT


def _target(moment: Moment, read: "Callable[[SentTarget], Any]") -> Any:
    return read(moment.target) if moment.target else ABSENT


VALUES: "dict[str, Callable[[Moment, str], Any]]" = {
    "command": lambda moment, _: moment.facts.name,
    "cohort": lambda moment, _: moment.cohort or ABSENT,
    "command_type": lambda moment, _: moment.facts.type,
    "duration_ms": lambda moment, exactness: _rounded(moment.duration_ms, exactness),
    "exit_status": lambda moment, _: moment.status,
    "start_time": lambda moment, exactness: granularity.instant(moment.facts.start, exactness),
    "attempt": lambda moment, _: moment.attempt,
    "checkout_age": lambda moment, _: _git(moment, lambda git: granularity.age_class(moment.facts.start - git.commit_time)),
    "git_checked_out_master": lambda moment, _: _git(moment, lambda git: git.on_master if moment.seed else git.on_default),
    "git_commit_time": _commit_time,
    "is_test": lambda moment, _: moment.facts.test,
    "os": lambda _moment, _exactness: operating_system(),
    "arch": lambda _moment, _exactness: ARCHITECTURES.get(os.uname().machine.lower(), "other"),
    "actor": lambda moment, _: moment.facts.actor,
    "suspended": lambda moment, _: moment.facts.suspended,
    "in_container": lambda moment, _: moment.facts.container,
    "run": lambda moment, _: _probed(moment, lambda probed: probed.run),
    "targets": lambda moment, _: _probed(moment, lambda probed: probed.targets),
    "targets_failed": lambda moment, _: _probed(moment, lambda probed: probed.failed),
    "target": lambda moment, _: _target(moment, lambda target: target.name),
    "sequence": lambda moment, _: _target(moment, lambda target: target.sequence),
    "parent": lambda moment, _: _target(moment, lambda target: target.parent),
    "offset_ms": lambda moment, exactness: _target(moment, lambda target: _rounded(target.offset_ms, exactness)),
    "critical": lambda moment, _: _target(moment, lambda target: target.critical),
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
