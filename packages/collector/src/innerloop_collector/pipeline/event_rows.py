"""Make the store's row of an event, and the row of one that waits."""

from datetime import UTC, datetime, time
from typing import Any

import msgspec

from innerloop_collector.pipeline.compiled_plan import compiled
from innerloop_collector.pipeline.event import Event, milliseconds
from innerloop_collector.pipeline.outcome import KEEP_THEIR_BODY, Quarantined
from innerloop_collector.store.events import QuarantineRow, Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.encode


def event_row(event: Event) -> Row:
    """The row of an event that passed every step."""
    assert event.agreed is not None
    assert event.planned is not None
    assert event.time is not None
    assert event.corrected is not None
    assert event.keep_until is not None
    terms = event.agreed.agreement
    return (
        event.project,
        event.message_key,
        event.installation if "userId" in terms["fields"] else 0,
        event.planned.name,
        event.agreed.digest,
        milliseconds(event.time),
        milliseconds(event.corrected),
        event.received.date(),
        event.keep_until,
        *compiled(event.agreed).values(event.body["properties"]),
    )


def quarantine_row(event: Event, why: Quarantined, proof: int = 0) -> QuarantineRow:
    """The row of an event that waits: its ids are hashed like those of any other. `proof` is of a registration that waits with it."""
    return QuarantineRow(
        event.project,
        event.message_key,
        event.installation,
        str(why.reason),
        list(why.fields),
        event.digest or "",
        event.received.date(),
        _encode(_waiting_body(event, why, proof)).decode(),
    )


def _waiting_body(event: Event, why: Quarantined, proof: int) -> dict[str, Any]:
    body = event.body if why.reason in KEEP_THEIR_BODY else {}
    kept = {"body": body, "identified": event.identified, "size": event.size}
    return {**kept, "proof": f"{proof:x}"} if proof else kept


def judged_again(row: QuarantineRow, event: Event, why: Quarantined) -> QuarantineRow:
    """The row of an event that still waits, for another reason."""
    return quarantine_row(event, why, waiting_proof(row))._replace(received_day=row.received_day)


def waiting_proof(row: QuarantineRow) -> int:
    """The proof of a registration that waits with an event. 0: none does."""
    return int(msgspec.json.decode(row.body).get("proof", "0"), 16)


def from_quarantine(row: QuarantineRow, now: datetime, judging: datetime) -> Event:
    """Take an event out of quarantine for another run through the pipeline. `judging` is the instant by which it is past its time.

    The clock's skew was forgotten when it went in, so its time is the client's own.
    """
    kept = msgspec.json.decode(row.body)
    arrival = datetime.combine(row.received_day, time.max, UTC)
    return Event(
        project=row.project,
        message_key=row.message_key,
        installation=row.installation,
        identified=kept["identified"],
        body=kept["body"],
        size=kept["size"],
        digest=row.plan or None,
        received=min(arrival, now),
        judged=judging,
    )
