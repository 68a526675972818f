"""An event on its way through the pipeline."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from innerloop.core.plan.granularity import parse_instant
from innerloop.core.plan.tracking import Event as PlannedEvent
from innerloop_collector.store.catalogue import AgreedPlan

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
KEPT = ("type", "event", "timestamp", "properties")


class Event(msgspec.Struct, frozen=True):
    """One event as received, its ids already replaced by keyed hashes."""

    project: str
    message_key: int
    installation: int  # 0: no id
    identified: bool  # by userId or anonymousId
    body: dict[str, Any]  # the KEPT members of the message
    size: int  # bytes of the whole message
    digest: str | None  # of the plan that its developer agreed to, as far as it says so
    received: datetime
    malformed: tuple[str, ...] = ()  # members that are of no type which they may have
    skew_seconds: float = 0.0  # how far the client's clock is behind ours, in whole minutes; used and forgotten
    judged: datetime | None = None  # when the pipeline looks at it, where that is not when it was received
    agreed: AgreedPlan | None = None  # found by the step `find_plan`
    planned: PlannedEvent | None = None  # found by the step `keep_to_plan`
    time: datetime | None = None  # the client's own, found by the step `find_time`
    corrected: datetime | None = None  # the same by our clock, found by `find_time`
    keep_until: date | None = None  # the last day on which it is kept, found by `be_in_retention`

    @property
    def today(self) -> date:
        """The day on which the pipeline looks at it."""
        return (self.judged or self.received).astimezone(UTC).date()


def moment(value: object) -> datetime | None:
    """Read an instant; None for anything that is not one."""
    return _moment(value) if isinstance(value, str) else None


@lru_cache(4_096)  # most clients write hours
def _moment(text: str) -> datetime | None:
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        return None


def instant(value: object) -> int:
    """Read an instant as the store counts it. 0 for anything that is not one."""
    found = moment(value)
    return milliseconds(found) if found else 0


def milliseconds(time: datetime) -> int:
    """An instant as the store's DateTime64(3) counts it."""
    return (time - _EPOCH) // _MILLISECOND


def midnight(day: datetime) -> datetime:
    """The beginning (UTC) of the day of an instant."""
    return day.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
