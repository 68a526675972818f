"""The shapes of what routes take and answer, as JSON schemas: those of the types that the routes use themselves."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from innerloop_collector.http.responses import Accepted, Problem
from innerloop_collector.ingest.erasure_routes import ErasureAnswer, ErasureRequest, ReceiptAnswer
from innerloop_collector.ingest.oauth import Token, TokenRequest
from innerloop_collector.query import Count, Milliseconds, Minutes, People, Percent, Published, Rate, Ratio, Saved
from innerloop_collector.reports.alert_report import AlertReport
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport
from innerloop_collector.reports.views import AllProjects, ProjectName, Releases, Report, Trend
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


class Projects(msgspec.Struct):
    """The projects that somebody may see."""

    projects: list[ProjectName]


class Table(msgspec.Struct):
    """A table of a page. A row has the same members as the others; their names end with the unit, and `null` means: may not be told."""

    figure: str
    title: str
    measure: str
    rows: list[dict[str, str | int | float | None]]


class RegisteredChange(msgspec.Struct):
    """A dated record of what came when."""

    project: str
    name: str
    title: str
    date: str
    kind: str
    projects: list[str]
    affects: Annotated[list[str], Meta(description="Commands and targets. None: everything.")]
    controls: list[str]
    control_projects: list[str]
    metric: str
    looks: Annotated[list[int], Meta(description="Weeks after the date at which it is looked at.")]
    expect: str
    link: str
    registered: str
    withdrawn: str | None
    first_look: str | None


class RegisteredChanges(msgspec.Struct):
    """Changes of a project, the newest first: every one that is looked at, and the newest annotations."""

    changes: list[RegisteredChange]


_PUBLISHED: dict[type[Published[Any]], Schema] = {
    Count: {"type": ["integer", "null"], "minimum": 0, "description": "How many, rounded to 5. null: fewer than 5."},
    Milliseconds: {"type": "integer", "description": "Milliseconds, to three digits."},
    Minutes: {"type": "number", "description": "Minutes, to three digits."},
    Rate: {"type": "number", "description": "A part of a whole, between 0 and 1."},
    Ratio: {"type": "number", "description": "How many times as much."},
    People: {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2, "description": "How many developers: at least, and at most."},
    Percent: {"type": "number", "description": "Percent, or percentage points."},
    Saved: {"type": "number", "description": "Minutes that a developer saves in a month."},
}  # fmt: skip
_SENT = (Accepted, Message, Batch, ErasureRequest, ErasureAnswer, ReceiptAnswer, TokenRequest, Token)
_READ = (Projects, Table, RegisteredChanges, Report, AllProjects, Trend, Releases, ChangeReport, ProgrammeReport, AlertReport)
_TYPES = (Problem, *_SENT, SignInRequest, Who, Status, *_READ)
SCHEMAS: dict[str, Schema] = msgspec.json.schema_components(_TYPES, schema_hook=_PUBLISHED.__getitem__, ref_template=_REFERENCE)[1]


def named(kind: type) -> Schema:
    """Refer to a schema."""
    return {"$ref": _REFERENCE.format(name=kind.__name__)}
