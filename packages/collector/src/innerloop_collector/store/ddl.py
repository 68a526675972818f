"""The statements that make the store's tables of their description. May import: the store's schema, `innerloop.plan`."""

from innerloop.plan.tracking import PLAN, Plan
from innerloop_collector.store.schema import DURABLE, KEYS, Table, plan_columns, tables

_CODECS = {"DateTime64(3, 'UTC')": "CODEC(Delta, ZSTD(1))", "Nullable(UInt64)": "CODEC(ZSTD(1))", "UInt64": "CODEC(ZSTD(1))"}


def statements(plan: Plan = PLAN) -> list[str]:
    """What makes the tables, and adds what a newer version or a newer plan brought."""
    return [create(table) for table in tables(plan)] + additions(plan)


def create(table: Table) -> str:
    """What makes one table where it is not there yet."""
    defined = ", ".join([*(_column(name, kind) for name, kind in table.columns.items()), *table.parts])
    settings = ", ".join(f"{name} = {value}" for name, value in {**DURABLE, **table.settings}.items())
    clauses = (
        f"CREATE TABLE IF NOT EXISTS {table.name} ({defined})",
        f"ENGINE = {_engine(table)}",
        f"PARTITION BY {table.partition_by}" if table.partition_by else "",
        f"ORDER BY {table.order_by}",
        f"TTL {table.ttl}" if table.ttl else "",
        f"SETTINGS {settings}",
    )
    return "\n".join(clause for clause in clauses if clause)


def additions(plan: Plan) -> list[str]:
    """What a store lacks that an earlier version or an earlier plan made."""
    added = [*plan_columns(plan).items(), ("position", "UInt64")]
    return [
        *(f"ALTER TABLE events ADD COLUMN IF NOT EXISTS {_column(name, kind)}" for name, kind in added),
        f"ALTER TABLE write_keys ADD COLUMN IF NOT EXISTS {_column('ends_day', KEYS['ends_day'])}",
        "ALTER TABLE events ADD INDEX IF NOT EXISTS by_position position TYPE minmax GRANULARITY 1",
    ]


def _engine(table: Table) -> str:
    if table.replacing is None:
        return "MergeTree"
    return f"ReplacingMergeTree({table.replacing})" if table.replacing else "ReplacingMergeTree"


def _column(name: str, kind: str) -> str:
    return f"`{name}` {kind} {_CODECS.get(kind, '')}".rstrip()
