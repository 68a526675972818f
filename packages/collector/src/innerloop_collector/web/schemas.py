"""The shapes of what routes take and answer, as JSON schemas: those of the types that the routes use themselves."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from innerloop_collector.http.responses import Accepted, Problem
from innerloop_collector.ingest.erasure_routes import ErasureAnswer, ErasureRequest, ReceiptAnswer
from innerloop_collector.ingest.oauth import Token, TokenRequest
from innerloop_collector.web.health import Status
from innerloop_collector.web.signin import SignInRequest, Who

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_AnyId = Annotated[str | int | float | None, Meta(description="Kept as a keyed hash only.")]
_Hash = Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]


# SDKs send much besides, and what is of another type costs no batch: ingest reads messages member by member, and these two say what it looks for.
class Message(msgspec.Struct, rename="camel"):
    """An event. What the project's plan does not name is set aside, not stored."""

    type: Literal["track", "identify", "page", "screen", "group", "alias"] | UnsetType = UNSET
    event: str | UnsetType = UNSET
    user_id: _AnyId | UnsetType = UNSET
    anonymous_id: _AnyId | UnsetType = UNSET
    message_id: Annotated[str | int | float | None, Meta(description="What makes an event one event.")] | UnsetType = UNSET
    timestamp: str | UnsetType | None = UNSET
    properties: dict[str, Any] | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET


class BatchContext(msgspec.Struct):
    """What is said once for all events of a batch."""

    plan: str | UnsetType = UNSET
    erasure: dict[str, _Hash] | UnsetType = UNSET


class Batch(msgspec.Struct, rename="camel"):
    """Events."""

    batch: Annotated[list[Message], Meta(max_length=2500)]
    sent_at: str | UnsetType = UNSET
    write_key: str | UnsetType = UNSET
    context: BatchContext | UnsetType = UNSET


_TYPES = (Problem, Accepted, Message, Batch, ErasureRequest, ErasureAnswer, ReceiptAnswer, SignInRequest, Who, TokenRequest, Token, Status)
SCHEMAS: dict[str, Schema] = msgspec.json.schema_components(_TYPES, ref_template=_REFERENCE)[1]


def named(kind: type) -> Schema:
    """Refer to a schema."""
    return {"$ref": _REFERENCE.format(name=kind.__name__)}
