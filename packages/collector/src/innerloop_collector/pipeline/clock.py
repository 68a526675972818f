"""A client's clock, set right by ours.

A batch says when it was sent by its sender's clock, anew at each attempt; the difference to our clock at its arrival is the skew. It moves
the times of the batch's events and is forgotten: what is stored lies on the steps that were agreed (or on whole minutes from the
client's own time, where exact times were agreed), so that neither the skew nor the moment of receipt can be read from it.
"""

from datetime import UTC, datetime, timedelta

from innerloop.core.plan.granularity import STEPS
from innerloop_collector.pipeline.event import moment

OLDEST = timedelta(days=366)
NEWEST = timedelta(days=1)
_MINUTE = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def skew(sent_at: object, received: datetime) -> float:
    """How many seconds the sender's clock is behind ours, in whole minutes. Less than one is transport, not skew."""
    sent = moment(sent_at)
    if sent is None:
        return 0.0
    seconds = (received - sent).total_seconds()
    return float(round(seconds / _MINUTE) * _MINUTE) if abs(seconds) >= _MINUTE else 0.0


def corrected(time: datetime, skew: float, granularity: str, received: datetime) -> datetime:
    """The client's time by our clock, as exact as was agreed. Raises OverflowError where no such time exists.

    It is rounded to the nearest step and not down, because the client has rounded down already; but not past the receipt.
    """
    if not skew:
        return time
    step = STEPS.get(granularity, 0.001)
    found = _EPOCH + timedelta(seconds=round((time.timestamp() + skew) / step) * step)
    return found - timedelta(seconds=max(step, _MINUTE)) if found > received else found


def possible(time: datetime, received: datetime) -> bool:
    """Tell whether something received now may have happened then: at most a year ago, at most a day ahead."""
    return received - OLDEST <= time <= received + NEWEST
