"""One simulated run: how it ends, how long it takes, and the events that the client would send of it."""

import functools
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from innerloop_collector.demo.team.people import uuid4
from innerloop_collector.demo.team.projects import Command

Event = dict[str, Any]
_UNKNOWN, _INTERRUPTED = 0.002, 0.03  # shares of the runs
_HANG, _ALONE, _SLEPT = (
    0.01,
    0.006,
    0.003,
)  # and of those, too: what hangs, what somebody leaves alone at a prompt, during what the machine slept
_SIGINT = -2


@dataclass(slots=True)
class Run:
    """A run on its way."""

    command: Command
    actor: str
    day: date
    hour: int  # UTC
    cold: bool = False
    seconds: float = 0.0
    exit_status: int | None = 0
    suspended: bool = False
    scaled: dict[str, float] = field(default_factory=dict)  # targets that are planted to take another time, log

    @property
    def failed(self) -> bool:
        """Whether it ended by itself, and not well."""
        return self.exit_status is not None and self.exit_status > 0

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self.exit_status is not None and self.exit_status >= 0


def share(log_odds: float) -> float:
    """The share that some log odds stand for."""
    return 1 / (1 + math.exp(-log_odds))


def log_odds(of: float) -> float:
    """The log odds of a share."""
    return math.log(of / (1 - of))


def end(random: Random, run: Run, fails: float) -> None:
    """Decide how a run ends that fails with a chance."""
    draw = random.random()
    if draw < _UNKNOWN:
        run.exit_status = None
    elif draw < _UNKNOWN + _INTERRUPTED:
        run.exit_status = _SIGINT
    elif random.random() < fails:
        run.exit_status = 2 if run.command.targets else 1


def take_time(random: Random, run: Run, log_seconds: float) -> None:
    """Decide how long a run takes that would take so long if nothing came between."""
    if run.exit_status != 0:
        log_seconds += math.log(random.uniform(0.1, 1.0))
    draw = random.random()
    if draw < _HANG:
        log_seconds += abs(random.gauss(1.5, 0.7))
    elif draw < _HANG + _ALONE:
        log_seconds += abs(random.gauss(3.0, 0.8))
    run.seconds = math.exp(log_seconds)
    if draw > 1 - _SLEPT:
        run.suspended = True
        run.seconds += random.expovariate(1 / 7_200)


def use(random: Random, run: Run) -> None:
    """Let a session be used: mostly until Ctrl-C. One that does not start fails within seconds."""
    draw = random.random()
    if draw < run.command.fails:
        run.exit_status, run.seconds = 1, random.uniform(1, 20)
        return
    run.exit_status = 0 if draw > 0.85 else (-15 if draw > 0.8 else _SIGINT)
    run.seconds = min(math.exp(math.log(run.command.seconds) + random.gauss(0, 0.8)), 36_000)
    run.suspended = random.random() < 0.05


def write(random: Random, run: Run, shared: dict[str, Any], who: dict[str, str], clock_minutes: int, events: list[Event]) -> int:
    """Add the events of a run. Returns how many targets were among them."""
    start = _start(run.day, run.hour, int(random.random() * 60) + clock_minutes if clock_minutes else 0)
    targets = _targets(random, run)
    properties = {
        "command": run.command.name,
        "command_type": "make" if run.command.targets else "command",
        "duration_ms": _milliseconds(run.seconds),
        "exit_status": run.exit_status,
        "start_time": start,
        "is_test": "no",
        "actor": run.actor,
        "suspended": run.suspended,
        **shared,
    }
    if run.command.targets:
        properties |= {
            "run": uuid4(random),
            "targets": len(targets) + (random.randrange(60, 90) if run.cold else random.randrange(5)),
            "targets_failed": int(run.failed),
        }
    envelope = {"type": "track", **who, "timestamp": start}
    events.append({**envelope, "event": "innerloop.run", "messageId": uuid4(random), "properties": properties})
    for one in targets:
        own = {"run": properties["run"], "command": run.command.name, "start_time": start, "is_test": "no", "actor": run.actor, **one}
        own["client"] = shared["client"]
        events.append({**envelope, "event": "innerloop.target", "messageId": uuid4(random), "properties": own})
    return len(targets)


def _targets(random: Random, run: Run) -> list[dict[str, Any]]:
    """The targets of a run, one after the other, as far as it came."""
    named = run.command.targets
    if not named:
        return []
    reached = len(named) if run.exit_status == 0 else random.randrange(len(named)) + 1
    parts = [part * math.exp(run.scaled.get(name, 0.0) + random.gauss(0, 0.1)) for name, part in named[:reached]]
    rest = max(1 - sum(part for _, part in named), 0.0)
    scale, offset, found = run.seconds / (sum(parts) + rest), run.seconds * rest / (sum(parts) + rest), []
    for number, part in enumerate(parts):
        found.append(
            {
                "target": named[number][0], "sequence": number + 1, "parent": 0, "offset_ms": _milliseconds(offset),
                "duration_ms": _milliseconds(part * scale), "exit_status": run.exit_status if number == reached - 1 else 0, "critical": True,
            }
        )  # fmt: skip
        offset += part * scale
    return found


def _milliseconds(seconds: float) -> int:
    """As the client writes a duration: to three digits."""
    value = int(seconds * 1000)
    digits = len(str(value))
    if digits <= 3:
        return value
    unit: int = 10 ** (digits - 3)
    return (value + unit // 2) // unit * unit


@functools.lru_cache(4_096)
def _start(day: date, hour: int, minutes: int) -> str:
    """As the client writes a start: by the hour."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour, minutes=minutes)
    return moment.replace(minute=0).isoformat()
