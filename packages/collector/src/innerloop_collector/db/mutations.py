"""Mutations: how the engine deletes rows, and the files in which it writes down what it deleted."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.layout import Layout

OURS = "database = {database:String} AND table IN {tables:Array(String)}"  # of the engine's own tables, those that hold installations


class RowsToDelete(NamedTuple):
    """Rows of one table that must go."""

    table: str
    where: str
    parameters: Mapping[str, Any]
    partitioned: bool = False  # the condition is about few partitions: leave the others alone


def forget_mutations(engine: Engine, tables: Iterable[str] = schema.HOLDS_INSTALLATIONS) -> None:
    """Remove the files of mutations that are done: they name what was deleted. Not while somebody waits for one, who would not find it."""
    with engine.mutating:
        engine.command(f"KILL MUTATION{engine.layout.on_cluster} WHERE {OURS} AND is_done SYNC", ours(engine.layout, tables))


def ours(layout: Layout, tables: Iterable[str] = schema.HOLDS_INSTALLATIONS) -> dict[str, Any]:
    """The parameters of `OURS`."""
    return {"database": layout.database, "tables": layout.locals(tables)}
