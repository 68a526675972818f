"""What became of the single events of a batch, for a client that reads it: which are not stored, and why.

Others' SDKs are answered exactly `{"success": true}`. Who is told goes by the User-Agent: a request of innerloop's client has no member of its
own in it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from innerloop_collector.config.configuration import QUARANTINE_DAYS
from innerloop_collector.http.responses import NotStored
from innerloop_collector.pipeline.outcome import DropReason
from innerloop_collector.store.events import MESSAGE_KEY, QuarantineRow, Row
from innerloop_collector.store.writer import Receipt

OUR_CLIENT = "innerloop/"


class Places(NamedTuple):
    """Where in its batch each event stood that ended in one way, in the order of the rows that were made of them."""

    accepted: list[int]
    quarantined: list[int]
    dropped: list[tuple[int, DropReason]]


def wants(headers: Mapping[str, str]) -> bool:
    """Tell whether a request's sender reads more than success."""
    return headers.get("user-agent", "").startswith(OUR_CLIENT)


def not_stored(
    places: Places, accepted: Sequence[Row], quarantined: Sequence[QuarantineRow], receipt: Receipt, today: date
) -> list[NotStored]:
    """The events that are not stored, by what became of them. One that was there already is as good as stored, or waits as before."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, reason in places.dropped:
        found["dropped", reason].append(place)
    keys = [(place, row[MESSAGE_KEY], "") for place, row in zip(places.accepted, accepted, strict=True)]
    keys += [(place, row.message_key, row.reason) for place, row in zip(places.quarantined, quarantined, strict=True)]
    for place, key, waits in keys:
        if key in receipt.erased_keys:
            found["dropped", DropReason.ERASED].append(place)
        elif key in receipt.kept_out_keys:
            found["dropped", DropReason.NO_ROOM].append(place)
        elif waits:
            found["quarantined", waits].append(place)
    removed_on = (today + timedelta(days=QUARANTINE_DAYS)).isoformat()
    return [NotStored(state, str(reason), some, removed_on if state == "quarantined" else "") for (state, reason), some in found.items()]
