"""The statements that make the store's tables of their description.

On one node a table is one MergeTree. In a cluster every node has `<table>_local`, replicated within its shard, and `<table>` itself is a
Distributed table over them. What must meet lies on one shard: everything of an installation, and every version of a row that replaces others.
"""

from collections.abc import Collection

from innerloop.core.plan.tracking import PLAN, Plan
from innerloop_collector.db.layout import Layout
from innerloop_collector.db.schema import DURABLE, RECOVERABLE, Table, tables

_CODECS = {"DateTime64(3, 'UTC')": "CODEC(Delta, ZSTD(1))", "Nullable(UInt64)": "CODEC(ZSTD(1))", "UInt64": "CODEC(ZSTD(1))"}
ONE_NODE = Layout()


def statements(plan: Plan = PLAN, layout: Layout = ONE_NODE) -> list[str]:
    """What makes the tables where they are not there yet."""
    return [statement for table in tables(plan) for statement in create(table, layout)]


def create(table: Table, layout: Layout = ONE_NODE) -> list[str]:
    """What makes one table where it is not there yet."""
    columns = [_column(name, kind) for name, kind in table.columns.items()]
    settings = {**DURABLE, **table.settings, **RECOVERABLE}
    clauses = (
        f"CREATE TABLE IF NOT EXISTS {layout.altered(table.name)} ({', '.join([*columns, *table.parts])})",
        f"ENGINE = {_engine(table, layout)}",
        f"PARTITION BY {table.partition_by}" if table.partition_by else "",
        f"ORDER BY {table.order_by}",
        "SETTINGS " + ", ".join(f"{name} = {value}" for name, value in settings.items()),
    )
    made = ["\n".join(clause for clause in clauses if clause)]
    if layout.cluster:
        plain = ", ".join(f"`{name}` {kind}" for name, kind in table.columns.items())
        over = f"Distributed('{layout.cluster}', '{layout.database}', '{layout.local(table.name)}', {shard_key(table)})"
        made.append(f"CREATE TABLE IF NOT EXISTS {table.name}{layout.on_cluster} ({plain})\nENGINE = {over}")
    return made


def add_columns(table: Table, there: Collection[str], layout: Layout = ONE_NODE) -> list[str]:
    """What adds the columns that a newer version or a newer plan brought, where some are there."""
    new = {name: kind for name, kind in table.columns.items() if name not in there}
    added = [f"ALTER TABLE {layout.altered(table.name)} ADD COLUMN IF NOT EXISTS {_column(name, kind)}" for name, kind in new.items()]
    if layout.cluster:
        added += [f"ALTER TABLE {table.name}{layout.on_cluster} ADD COLUMN IF NOT EXISTS `{name}` {kind}" for name, kind in new.items()]
    return added


def shard_key(table: Table) -> str:
    """Which rows lie together: those of an installation, else those that are alike in the first column of the sort key."""
    if "installation" not in table.columns:
        return f"cityHash64({table.order_by.removeprefix('(').removesuffix(')').partition(',')[0]})"
    if "message_key" not in table.columns:
        return "cityHash64(installation)"
    return "cityHash64(if(installation = 0, message_key, installation))"


def _engine(table: Table, layout: Layout) -> str:
    family = "MergeTree" if table.replacing is None else "ReplacingMergeTree"
    arguments = [table.replacing] if table.replacing else []
    if layout.cluster:
        family = f"Replicated{family}"
        arguments = [f"'/clickhouse/tables/{{shard}}/{layout.database}/{layout.local(table.name)}'", "'{replica}'", *arguments]
    return f"{family}({', '.join(arguments)})" if arguments else family


def _column(name: str, kind: str) -> str:
    return f"`{name}` {kind} {_CODECS.get(kind, '')}".rstrip()
