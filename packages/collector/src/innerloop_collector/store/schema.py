"""The tables. The columns of `events` that hold an event's fields derive from the tracking plan. May import: `innerloop.plan`.

An event is stored once: its `message_key` is looked up in the projection `ids` (atomic with the part, small granules, so a
look-up of a thousand random keys touches little) before it is inserted, and the deduplicating engine is the second line. Every
part must have that projection: it is there from the first part on, and merges, mutations and deletions rebuild it.
The sort key holds the client's own time, so that a repetition always has the same key. Of the receipt only the day is kept.
"""

from innerloop.plan.tracking import PLAN, Plan

_DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1"
KEEP_REPLACED_SECONDS = 60  # how long parts stay that a merge replaced: the engine does not sync the files of a new part's projection
_CODECS = {"DateTime64(3, 'UTC')": "CODEC(Delta, ZSTD(1))", "Nullable(UInt64)": "CODEC(ZSTD(1))"}
QUARANTINE_DAYS = 30

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
}
REGISTRATIONS = {"project": "LowCardinality(String)", "mark": "UInt128", "proof": "UInt128"}
TOMBSTONES = {"project": "LowCardinality(String)", "mark": "UInt128", "finished": "UInt8"}
RECEIPTS = {"receipt": "String", "project": "LowCardinality(String)", "day": "Date", "ids": "UInt32", "events": "UInt64"}
PROBES = {"day": "Date"}
HOLDS_INSTALLATIONS = ("events", "quarantine")  # every table with a column `installation`: erasure goes through these
KEYS = {"project": "String", "key_hash": "String", "created_day": "Date", "revoked": "Bool", "version": "UInt32"}


def _columns(columns: dict[str, str]) -> str:
    return ", ".join(f"`{name}` {kind} {_CODECS.get(kind, '')}".rstrip() for name, kind in columns.items())


def statements(plan: Plan = PLAN) -> list[str]:
    """What makes the tables, and adds columns that a newer plan brought."""
    events = f"""CREATE TABLE IF NOT EXISTS events ({_columns(event_columns(plan))},
        PROJECTION ids (SELECT message_key ORDER BY message_key) WITH SETTINGS (index_granularity = 256))
        ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(event_time) ORDER BY (project, command, event_time, message_key)
        TTL keep_until + INTERVAL 1 DAY
        SETTINGS {_DURABLE}, old_parts_lifetime = {KEEP_REPLACED_SECONDS}, non_replicated_deduplication_window = 1000,
            deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild'"""
    quarantine = f"""CREATE TABLE IF NOT EXISTS quarantine ({_columns(QUARANTINE)})
        ENGINE = ReplacingMergeTree ORDER BY (project, message_key)
        TTL received_day + INTERVAL {QUARANTINE_DAYS} DAY SETTINGS {_DURABLE}, old_parts_lifetime = {KEEP_REPLACED_SECONDS}"""
    projects = f"""CREATE TABLE IF NOT EXISTS projects ({_columns(PROJECTS)})
        ENGINE = ReplacingMergeTree ORDER BY (project, version) SETTINGS {_DURABLE}"""
    keys = f"""CREATE TABLE IF NOT EXISTS write_keys ({_columns(KEYS)})
        ENGINE = ReplacingMergeTree(version) ORDER BY key_hash SETTINGS {_DURABLE}"""
    probes = f"""CREATE TABLE IF NOT EXISTS probes ({_columns(PROBES)}) ENGINE = ReplacingMergeTree ORDER BY day SETTINGS {_DURABLE}"""
    registrations = f"""CREATE TABLE IF NOT EXISTS registrations ({_columns(REGISTRATIONS)})
        ENGINE = ReplacingMergeTree ORDER BY mark SETTINGS {_DURABLE}"""
    tombstones = f"""CREATE TABLE IF NOT EXISTS tombstones ({_columns(TOMBSTONES)})
        ENGINE = ReplacingMergeTree(finished) ORDER BY mark SETTINGS {_DURABLE}"""
    receipts = f"""CREATE TABLE IF NOT EXISTS receipts ({_columns(RECEIPTS)}) ENGINE = MergeTree ORDER BY receipt SETTINGS {_DURABLE}"""
    added = [f"ALTER TABLE events ADD COLUMN IF NOT EXISTS `{name}` {kind}" for name, kind in plan_columns(plan).items()]
    return [events, quarantine, projects, keys, probes, registrations, tombstones, receipts, *added]
