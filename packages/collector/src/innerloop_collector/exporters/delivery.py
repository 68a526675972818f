"""Deliver a batch, and find by halving it which events the destination does not take."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from innerloop_collector.exporters.failures import Rejected, SendError, TakesNone
from innerloop_collector.exporters.record import Record, Sender

_log = structlog.get_logger()
_ENOUGH = 8  # events that are declined one by one while none was taken: then it is the destination, not the events


@dataclass(slots=True)
class Outcome:
    """What became of a batch. What is in neither list was not tried to the end."""

    accepted: list[Record] = field(default_factory=list)
    rejected: list[tuple[Record, str]] = field(default_factory=list)
    declined: int = 0
    failure: SendError | None = None  # why it ended early

    @property
    def settled(self) -> int:
        """The position up to which everything is accepted or rejected. 0: nothing is."""
        return max([record.position for record in self.accepted] + [record.position for record, _ in self.rejected], default=0)


def deliver(sender: Sender, batch: Sequence[Record]) -> Outcome:
    """Send a batch, in order. Its parts are tried until each is taken, or is one event that is not."""
    outcome = Outcome()
    parts = [batch]
    while parts and outcome.failure is None:
        part = parts.pop()
        try:
            outcome.declined += _send(sender, part)
            outcome.accepted += part
        except Rejected as why:
            if len(part) > 1:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                outcome.rejected.append((part[0], why.reason))
                outcome.failure = _hopeless(outcome, why)
        except SendError as failure:
            outcome.failure = failure
    if outcome.failure is None and outcome.rejected and not outcome.accepted:
        outcome.failure = TakesNone(f"it takes none of {len(outcome.rejected)} events: {outcome.rejected[0][1]}")
    return outcome


def _send(sender: Sender, part: Sequence[Record]) -> int:
    try:
        return sender.send(part)
    except SendError:
        raise
    except Exception as error:  # one event that our own code cannot bear must not hold up the others
        _log.debug("an event cannot be converted", kind=type(error).__name__)
        raise Rejected("it cannot be converted") from error


def _hopeless(outcome: Outcome, why: Rejected) -> SendError | None:
    """Stop where one event after the other is rejected and none was ever taken."""
    if outcome.accepted or len(outcome.rejected) < _ENOUGH:
        return None
    return TakesNone(f"it takes none of {len(outcome.rejected)} events: {why.reason}", why.wait)


class Backoff:
    """Growing pauses with jitter: after n failures in a row between half and all of first * 2 ** (n - 1) seconds."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self.failures = 0

    def next(self, asked: float = 0.0) -> float:
        """Seconds until the next attempt, and never fewer than the destination asked for."""
        self.failures += 1
        most = min(self._first * 2.0 ** min(self.failures - 1, 30), self._longest)
        return max(most * random.uniform(0.5, 1.0), asked)  # noqa: S311 (nothing depends on its being secret)

    def reset(self) -> None:
        """Something worked."""
        self.failures = 0
