"""The tables. The columns of `events` that hold an event's fields derive from the tracking plan.

An event is stored once: its `message_key` is looked up in the projection `ids` (atomic with the part, small granules, so a
look-up of a thousand random keys touches little) before it is inserted, and the deduplicating engine is the second line. Every
part must have that projection: it is there from the first part on, and merges, mutations and deletions rebuild it.
The sort key holds the client's own time, so that a repetition always has the same key. Of the receipt only the day is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from innerloop.core.plan.tracking import PLAN, Plan

DURABLE = {"fsync_after_insert": "1", "fsync_part_directory": "1", "min_rows_to_fsync_after_merge": "1"}
# A part that is not whole is set aside, however large, since what it replaced is there; left to itself, the engine would not open the table beyond a gigabyte.
RECOVERABLE = {"max_suspicious_broken_parts": "1000000", "max_suspicious_broken_parts_bytes": "9223372036854775807"}
KEEP_REPLACED_SECONDS = 60  # how long parts stay that a merge replaced: the engine does not sync the files of a new part's projection

ENVELOPE = {
    "project": "LowCardinality(String)",
    "message_key": "UInt128",
    "installation": "UInt128",
    "kind": "LowCardinality(String)",
    "plan": "LowCardinality(String)",
    "event_time": "DateTime64(3, 'UTC')",
    "corrected_time": "DateTime64(3, 'UTC')",
    "received_day": "Date",
    "keep_until": "Date",
}


def plan_columns(plan: Plan) -> dict[str, str]:
    """The columns that the plan asks for: field -> column type."""
    return {field.name: field.column for field in plan.fields.values() if field.column}


def event_columns(plan: Plan) -> dict[str, str]:
    """All columns of `events`, in the order of a row."""
    return ENVELOPE | plan_columns(plan)


EVENTS = event_columns(PLAN)
QUARANTINE = {
    "project": "LowCardinality(String)",
    "message_key": "UInt128",
    "installation": "UInt128",
    "reason": "LowCardinality(String)",
    "fields": "Array(String)",
    "plan": "String",
    "received_day": "Date",
    "body": "String",
}
PROJECTS = {
    "project": "String",
    "version": "UInt32",
    "digest": "String",
    "agreement": "String",
    "document": "String",
    "min_active_weeks": "UInt16",
    "applied_day": "Date",
    "k": "UInt16",  # 0: by default
    "headcount": "UInt32",  # 0: not said
}
REGISTRATIONS = {"project": "LowCardinality(String)", "mark": "UInt128", "proof": "UInt128", "empty_since": "Date"}
TOMBSTONES = {"project": "LowCardinality(String)", "mark": "UInt128", "finished": "UInt8"}
RECEIPTS = {
    "receipt": "String",
    "project": "LowCardinality(String)",
    "day": "Date",
    "ids": "UInt32",
    "events": "UInt64",
    "destinations": "Map(String, String)",
}
PROBES = {"day": "Date"}
VIOLATIONS = {
    "project": "LowCardinality(String)",
    "reason": "LowCardinality(String)",
    "field": "LowCardinality(String)",
    "day": "Date",
    "events": "UInt64",
    "bytes": "UInt64",
}
WEEKLY_TOTALS = {
    "project": "LowCardinality(String)",
    "week": "Date",
    "kind": "LowCardinality(String)",
    "name": "LowCardinality(String)",
    "folded": "UInt8",
    "actor": "LowCardinality(String)",
    "runs": "UInt64",
    "failures": "UInt64",
    "interrupted": "UInt64",
    "unknown": "UInt64",
    "developers": "Nullable(UInt64)",
    "timed": "Nullable(UInt64)",
    "waited_ms": "Nullable(UInt64)",
    "histogram": "Array(UInt64)",
    "min_active_weeks": "UInt16",
    "made_day": "Date",
}
RELEASES = {"project": "LowCardinality(String)", "unit": "String", "document": "String"}
CHANGES = {
    "project": "LowCardinality(String)",
    "name": "String",
    "document": "String",
    "registered_day": "Date",
    "withdrawn_day": "Nullable(Date)",
    "looked_day": "Nullable(Date)",
    "version": "UInt32",
}
EXPIRED = {
    "project": "LowCardinality(String)",
    "what": "LowCardinality(String)",
    "day": "Date",
    "last_day": "Date",
    "rows": "UInt64",
    "gone_day": "Date",
}
DESTINATION_STATE = {
    "destination": "String",
    "position": "UInt64",
    "started_position": "UInt64",
    "started_day": "Date",
    "paused": "Bool",
    "sent": "String",
    "ends": "String",
    "declined": "UInt64",
    "version": "UInt64",
}
SET_ASIDE = {
    "destination": "String",
    "position": "UInt64",
    "project": "String",
    "kind": "String",
    "reason": "String",
    "day": "Date",
    "fate": "String",
    "version": "UInt64",
}
HOLDS_INSTALLATIONS = ("events", "quarantine")  # every table with a column `installation`: erasure goes through these
SCHEMA_VERSION = {"version": "UInt32", "secret": "String", "day": "Date"}
LEASES = {"holder": "String", "fence": "UInt64", "state": "LowCardinality(String)", "renewed": "DateTime64(3, 'UTC')"}
KEYS = {
    "project": "String",
    "key_hash": "String",
    "created_day": "Date",
    "revoked": "Bool",
    "version": "UInt32",
    "ends_day": "Nullable(Date)",
}
OAUTH_KEYS = {
    "project": "String",
    "key_id": "String",
    "public_key": "String",
    "created_day": "Date",
    "revoked": "Bool",
    "version": "UInt32",
}
OAUTH_ASSERTIONS = {"assertion": "UInt128", "expires": "DateTime('UTC')"}
TOKENS = {
    "token_hash": "String",
    "role": "LowCardinality(String)",
    "projects": "Array(String)",
    "label": "String",
    "created_day": "Date",
    "expires_day": "Nullable(Date)",
    "revoked": "Bool",
    "version": "UInt32",
}
LINKS = {
    "link_hash": "String",
    "project": "String",
    "address": "String",
    "label": "String",
    "created_day": "Date",
    "expires_day": "Date",
    "revoked": "Bool",
    "version": "UInt32",
}
USES = {"hash": "String", "day": "Date"}
KNOWN_IDS = {"project": "LowCardinality(String)", "mark": "UInt128", "key": "String", "first_day": "Date", "keep_until": "Date"}
CLOCK = {"what": "String", "seconds": "Int64", "events": "UInt64", "waiting": "UInt64", "version": "UInt64"}


STORED = EVENTS | {"position": "UInt64"}  # numbered by the writer, strictly growing: exporters read on from where they were
_KEPT = {"old_parts_lifetime": str(KEEP_REPLACED_SECONDS)}


@dataclass(frozen=True, slots=True)
class Table:
    """A table, as data. `ddl` makes the statements of it, for every engine. All are written durably, and none has a TTL: the engine removes nothing."""

    name: str
    columns: Mapping[str, str]  # name -> type
    order_by: str
    replacing: str | None = ""  # the column whose largest value wins; "": any row of a key; None: every row stays
    partition_by: str = ""
    parts: tuple[str, ...] = ()  # projections and indices
    settings: Mapping[str, str] = field(default_factory=dict)


def tables(plan: Plan = PLAN) -> tuple[Table, ...]:
    """Every table of the store."""
    events = Table(
        "events",
        event_columns(plan) | {"position": STORED["position"]},
        "(project, command, event_time, message_key)",
        partition_by="toYYYYMM(event_time)",
        parts=(
            "PROJECTION ids (SELECT message_key ORDER BY message_key) WITH SETTINGS (index_granularity = 256)",
            "INDEX by_position position TYPE minmax GRANULARITY 1",
        ),
        settings={
            **_KEPT,
            "non_replicated_deduplication_window": "1000",
            "deduplicate_merge_projection_mode": "'rebuild'",
            "lightweight_mutation_projection_mode": "'rebuild'",
        },
    )
    return (
        events,
        Table("quarantine", QUARANTINE, "(project, message_key)", settings=_KEPT),
        Table("projects", PROJECTS, "(project, version)"),
        Table("write_keys", KEYS, "key_hash", replacing="version"),
        Table("probes", PROBES, "day"),
        Table("registrations", REGISTRATIONS, "mark"),
        Table("tombstones", TOMBSTONES, "mark", replacing="finished"),
        Table("receipts", RECEIPTS, "receipt", replacing=None),
        Table("oauth_keys", OAUTH_KEYS, "key_id", replacing="version"),
        Table("oauth_assertions", OAUTH_ASSERTIONS, "assertion"),
        Table("schema_version", SCHEMA_VERSION, "version"),
        Table("leases", LEASES, "holder", replacing="renewed"),
        Table("violations", VIOLATIONS, "(project, reason, field, day)", replacing=None),
        Table("weekly_totals", WEEKLY_TOTALS, "(project, week, kind, actor, folded, name)"),
        Table("releases", RELEASES, "(project, unit)"),
        Table("changes", CHANGES, "(project, name)", replacing="version"),
        Table("expired", EXPIRED, "(project, what, day, last_day)", replacing="rows"),
        Table("tokens", TOKENS, "token_hash", replacing="version"),
        Table("links", LINKS, "link_hash", replacing="version"),
        Table("uses", USES, "hash", replacing="day"),
        Table("known_ids", KNOWN_IDS, "mark"),
        Table("clock", CLOCK, "what", replacing="version"),
        Table("destination_state", DESTINATION_STATE, "destination", replacing="version"),
        Table("set_aside", SET_ASIDE, "(destination, position)", replacing="version"),
    )


def table(name: str) -> Table:
    """The table with a name."""
    return next(one for one in tables() if one.name == name)
