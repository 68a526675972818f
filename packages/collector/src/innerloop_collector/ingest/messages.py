"""Make events of what a request holds, and registrations for erasure."""

import functools
import hashlib
import re
import uuid
from datetime import datetime
from typing import Any

import msgspec

from innerloop.core.plan.granularity import STEPS, instant
from innerloop_collector.config.configuration import Limits
from innerloop_collector.http.responses import bad_request, too_large
from innerloop_collector.pipeline.clock import skew
from innerloop_collector.pipeline.event import KEPT, Event, moment
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.tombstones import Registration

_MOST_REGISTRATIONS = 20
_SHA256 = re.compile("[0-9a-f]{64}")
_MADE_ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # as our client makes them: nobody guesses one
_EXACT = 2**53  # up to here a number with a fraction is exact: what is whole below it is that number
_NO_DIGEST = "not a digest"
_IDS = ("userId", "anonymousId", "messageId")
_encode = msgspec.json.encode


class Envelope(msgspec.Struct, frozen=True):
    """What all events of one request share."""

    project: str
    received: datetime
    skew_seconds: float | None  # None: the request does not say when it was sent; some SDKs write that into each message
    context: dict[str, Any]
    timestamp: str | None  # how exact the newest plan lets a message's time be; None: it has none
    judged: datetime | None = None  # the instant by which they are past their time, where that is not when they were received


def envelope(project: str, document: dict[str, Any], received: datetime, timestamp: str | None, judged: datetime | None = None) -> Envelope:
    """Read what a batch says for all of its events."""
    context, sent = document.get("context"), document.get("sentAt")
    skew_seconds = None if sent is None else skew(sent, received)
    return Envelope(project, received, skew_seconds, context if isinstance(context, dict) else {}, timestamp, judged)


def batch_items(document: dict[str, Any], limits: Limits) -> list[Any]:
    """The items of a batch."""
    items = document.get("batch")
    if not isinstance(items, list):
        raise bad_request("the body needs a list named batch")
    if len(items) > limits.events:
        raise too_large(f"a batch may have {limits.events} events")
    return items


def registrations(project: str, document: dict[str, Any], hasher: Hasher) -> dict[int, Registration]:
    """Read who may erase what, by installation: the hashes of erasure secrets in a batch's context. Malformed is as good as absent.

    Only ids in the form of a UUID: a name or an address, as SDKs send them, anybody could register who has the committed write key.
    """
    context = document.get("context")
    erasure = context.get("erasure") if isinstance(context, dict) else None
    if not isinstance(erasure, dict) or len(erasure) > _MOST_REGISTRATIONS:
        return {}
    if not all(user and isinstance(given, str) and _SHA256.fullmatch(given) for user, given in erasure.items()):
        return {}
    made = {hasher.installation(project, user): given for user, given in erasure.items() if _MADE_ID.fullmatch(user)}
    marks = {installation: hasher.mark(installation) for installation in made}
    return {one: Registration(project, marks[one], hasher.proof(marks[one], given)) for one, given in made.items()}


def secret_hash(secret: str) -> str:
    """The hash that a client registers for an erasure secret."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def event_of(item: Any, shared: Envelope, hasher: Hasher) -> Event:
    """Make an event of one item, however malformed it is: the pipeline sets it aside."""
    message = item if isinstance(item, dict) else {}
    user, anonymous = _text(message.get("userId")), _text(message.get("anonymousId"))
    digest = _digest(shared.context, message.get("context"))
    body = _body(message)
    return Event(
        project=shared.project,
        message_key=hasher.message(shared.project, _message_id(item, message)),
        installation=hasher.installation(shared.project, user) if user else 0,
        identified=bool(user or anonymous),
        body=body if digest is not None else _as_agreed(body, shared.timestamp),
        size=len(_encode(item)),
        digest=digest,
        received=shared.received,
        skew_seconds=skew(message.get("sentAt"), shared.received) if shared.skew_seconds is None else shared.skew_seconds,
        malformed=_malformed(item, message, digest),
        judged=shared.judged,
    )


def _malformed(item: Any, message: dict[str, Any], digest: str | None) -> tuple[str, ...]:
    """The members of an item that are of no type which they may have. `null` is as good as absent."""
    if not isinstance(item, dict):
        return ("message",)
    found = [name for name in _IDS if message.get(name) is not None and not _is_id(message[name])]
    if not isinstance(message.get("type"), str):
        found.append("type")
    elif message["type"] == "track":
        if not isinstance(message.get("event"), str):
            found.append("event")
        if not isinstance(message.get("properties", {}), dict | None):
            found.append("properties")
    if digest == _NO_DIGEST:
        found.append("context.plan")
    return tuple(found)


def _is_id(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    """An id as text: SDKs of some languages send numbers. Nothing: there is none."""
    if not _is_id(value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _message_id(item: Any, message: dict[str, Any]) -> str:
    """The id that makes an event one event. Without one, every arrival is its own, as with Segment.

    What is no event at all is told apart by its content, so that a repetition does not pile up.
    """
    given = _text(message.get("messageId"))
    if given:
        return given
    if not message:
        return "content:" + hashlib.sha256(_encode(item)).hexdigest()
    return "made here:" + str(uuid.uuid4())


def _body(message: dict[str, Any]) -> dict[str, Any]:
    """The members that may be kept. Of a call that is not a track neither traits nor properties are."""
    names = KEPT if message.get("type") == "track" else ("type", "timestamp")
    body = {name: message[name] for name in names if name in message}
    if body.get("timestamp") is None and message.get("originalTimestamp") is not None:
        body["timestamp"] = message["originalTimestamp"]  # what RudderStack's SDKs call it
    if isinstance(properties := body.get("properties"), dict):
        body["properties"] = {name: _whole(value) for name, value in properties.items()}
    return body


def _whole(value: Any) -> Any:
    """A number that is whole, as such: JSON tells 1230.0 from 1230 no more than Segment does, and some languages write only the one."""
    return int(value) if type(value) is float and value.is_integer() and abs(value) <= _EXACT else value


def _as_agreed(body: dict[str, Any], granularity: str | None) -> dict[str, Any]:
    """A body with the time that the plan allows."""
    stamp = as_agreed(body.pop("timestamp", None), granularity)
    return body if stamp is None else {**body, "timestamp": stamp}


def _digest(shared: dict[str, Any], own: object) -> str | None:
    """The digest that an event names, in its own context or in the batch's."""
    context = {**shared, **own} if isinstance(own, dict) else shared
    plan = context.get("plan")
    if plan is None:
        return None
    return plan if isinstance(plan, str) and _SHA256.fullmatch(plan) else _NO_DIGEST


UNREADABLE = ""  # stands for what is no instant, so that the event is set aside and the text is not kept
_LONGEST = 50  # characters of an instant


def as_agreed(stamp: object, granularity: str | None) -> str | None:
    """Cut an instant down to a granularity, in UTC. None: the plan has no such time, or there was none."""
    if granularity is None or stamp is None:
        return None
    return _cut(stamp, granularity) if isinstance(stamp, str) and len(stamp) <= _LONGEST else UNREADABLE


@functools.lru_cache(1024)
def _cut(stamp: str, granularity: str) -> str:
    time = moment(stamp)
    if time is None:
        return UNREADABLE
    return instant(time.timestamp(), granularity) if granularity in STEPS else time.isoformat()
