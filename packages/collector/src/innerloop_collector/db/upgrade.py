"""The way up from a store that an earlier version wrote.

The table `schema_version` says what the store is: the largest number counts. Below it is 1, the schema of before there was
that table. Each migration can be run again after it was broken off anywhere, and is noted when it is done. Columns that a table lacks
are added without one: all that a newer tracking plan brings are columns. Runs at every opening, under the lock of the store.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import NamedTuple

import structlog

from innerloop_collector.db import ddl, schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.lease import Lease
from innerloop_collector.errors import StoreError

_FIRST = 1
_log = structlog.get_logger()


class Migration(NamedTuple):
    """One step up."""

    number: int
    what: str
    run: Callable[[Engine], None]


def _index_positions(engine: Engine) -> None:
    """Rows of before have the position 0."""
    _add_columns(engine, schema.table("events"), _columns(engine))
    engine.command(f"ALTER TABLE {engine.layout.altered('events')} ADD INDEX IF NOT EXISTS by_position position TYPE minmax GRANULARITY 1")


def _keep_until_totals_are_made(engine: Engine) -> None:
    """The engine's own expiry would take rows before their weekly totals are made."""
    _remove_ttl(engine, "events", "quarantine")


def _let_the_engine_remove_nothing(engine: Engine) -> None:
    """What goes by a clock goes with the sweep, which looks whether the clock can be believed."""
    _remove_ttl(engine, "known_ids", "oauth_assertions")


def _remove_ttl(engine: Engine, *tables: str) -> None:
    there = _columns(engine)
    for table in tables:
        if table in there and _has_ttl(engine, table):
            engine.command(f"ALTER TABLE {engine.layout.altered(table)} REMOVE TTL")


def _has_ttl(engine: Engine, table: str) -> bool:
    sql = "SELECT position(engine_full, ' TTL ') FROM system.tables WHERE database = {database:String} AND name = {table:String}"
    return bool(engine.query(sql, {"database": engine.layout.database, "table": engine.layout.local(table)})[0][0])


def _compress_counts(engine: Engine) -> None:
    engine.command(f"ALTER TABLE {engine.layout.altered('receipts')} MODIFY COLUMN `events` UInt64 CODEC(ZSTD(1))")


def _set_aside_what_is_not_whole(engine: Engine) -> None:
    settings = ", ".join(f"{name} = {value}" for name, value in schema.RECOVERABLE.items())
    there = _columns(engine)
    for table in schema.tables():
        if table.name in there:
            engine.command(f"ALTER TABLE {engine.layout.altered(table.name)} MODIFY SETTING {settings}")


MIGRATIONS = (
    Migration(2, "events have positions", _index_positions),
    Migration(3, "rows expire after their weekly totals are made", _keep_until_totals_are_made),
    Migration(4, "counts are compressed", _compress_counts),
    Migration(5, "parts that are not whole are set aside, however large", _set_aside_what_is_not_whole),
    Migration(6, "the engine removes nothing by its own clock", _let_the_engine_remove_nothing),
)
VERSION = MIGRATIONS[-1].number


def bring_up(engine: Engine, secret: str, today: date, lease: Lease | None = None) -> None:
    """Make the tables of a new store, or bring one that is there to this version. A server's store is leased first.

    `secret` stands for the secret that ids are hashed with. Raises StoreError where the store goes with another one, or is
    newer than this program.
    """
    if lease is not None:
        _make(engine, schema.table("leases"))
        lease.take()
    there = _columns(engine)
    noted = engine.query("SELECT version, secret FROM schema_version ORDER BY version") if "schema_version" in there else []
    if noted:
        _refuse(noted[-1][0], noted[-1][1] == secret)
    _make(engine, schema.table("schema_version"))
    if "events" in there:
        _climb(engine, noted[-1][0] if noted else _FIRST, secret, today)
    for table in schema.tables():
        _make(engine, table)
        _add_columns(engine, table, there)
    if not noted and "events" not in there:
        _note(engine, VERSION, secret, today)


def _refuse(version: int, same_secret: bool) -> None:
    if version > VERSION:
        raise StoreError(
            f"the store was written by a newer innerloop-collector (schema {version}, this one knows {VERSION}); use that version"
        )
    if not same_secret:
        raise StoreError(
            "the store goes with another secret than the one in this data directory, so no id would match; "
            "use the data directory of the collector that made it, or copy the file `secret` from there or from a backup"
        )


def _climb(engine: Engine, version: int, secret: str, today: date) -> None:
    for migration in MIGRATIONS:
        if migration.number > version:
            migration.run(engine)
            _note(engine, migration.number, secret, today)
            _log.info("store brought up", schema=migration.number, what=migration.what)


def _note(engine: Engine, version: int, secret: str, today: date) -> None:
    engine.insert("schema_version", schema.SCHEMA_VERSION, [(version, secret, today)])


def _make(engine: Engine, table: schema.Table) -> None:
    for statement in ddl.create(table, engine.layout):
        engine.command(statement)


def _add_columns(engine: Engine, table: schema.Table, there: Mapping[str, Collection[str]]) -> None:
    """Add what a table lacks that was there before."""
    if columns := there.get(table.name):
        for statement in ddl.add_columns(table, columns, engine.layout):
            engine.command(statement)


def _columns(engine: Engine) -> dict[str, list[str]]:
    """The tables that are there, and their columns."""
    sql = "SELECT table, groupArray(name) FROM system.columns WHERE database = {database:String} GROUP BY table"
    return dict(tuple(row) for row in engine.query(sql, {"database": engine.layout.database}))
