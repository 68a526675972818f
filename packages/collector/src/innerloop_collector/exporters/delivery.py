"""Deliver a batch, and find by halving it which events the destination does not take. May import: record, failures."""

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
