"""Ask a filled store everything, and ask it again as a cluster would be asked: `python check_shards.py DATA`. A process of its own.

Prints one JSON object: `asked`, every text that was asked of `events`; `different`, those whose answers differ over 2, 3 or 4 shards;
`rows`, how many rows all answers had; `unlike`, those that take people whom they were told for others than they would find; `told`, how many were told any.
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from innerloop_collector.admin.operations import Operations
from innerloop_collector.composition.areas import operations
from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.paths import prepare
from innerloop_collector.db import ddl, schema
from innerloop_collector.errors import StoreError
from innerloop_collector.exporters.source import Source
from innerloop_collector.query.population import AMONG, COUNTED
from tests.collector.support import project, toml
from tests.store.shards import over_shards

TODAY = date(2026, 11, 24)
ROWS = 6_000
VALUES = {
    "project": "'acme'",
    "message_key": "toUInt128(cityHash64(number)) * 1000003",
    "installation": "if(number % 11 = 0, toUInt128(0), toUInt128(cityHash64(number % 37, 5)) * 1000003)",
    "kind": "['run', 'run', 'target'][number % 3 + 1]",
    "plan": "'p'",
    "event_time": "toDateTime64('2026-11-23 12:00:00', 3, 'UTC') - toIntervalHour(sipHash64(number) % 2000)",
    "corrected_time": "event_time",
    "received_day": "toDate(event_time)",
    "keep_until": "toDate(event_time) + if(number % 7 = 0, 30, 365)",
    "command": "['test', 'build', 'lint', 'docs'][least(4, sipHash64(number, 1) % 9 + 1)]",
    "target": "if(kind = 'target', ['all', 'lib', 'doc'][number % 3 + 1], '')",
    "duration_ms": "if(number % 13 = 0, NULL, toUInt64(exp2(sipHash64(number, 2) % 20)))",
    "exit_status": "if(number % 17 = 0, NULL, [0, 0, 0, 1, 2, -2, 130][sipHash64(number, 3) % 7 + 1])",
    "suspended": "number % 19 = 0",
    "actor": "multiIf(installation = 0, 'ci', number % 5 = 0, 'agent', 'human')",
    "is_test": "if(number % 23 = 0, 'yes', 'no')",
    "position": "number + 1",
}


def fill(opened: Collector) -> None:
    """Store rows of two months, of people, agents and jobs."""
    columns = ", ".join(VALUES)
    values = ", ".join(f"{value} AS {name}" for name, value in VALUES.items())
    opened.store.engine.command(f"INSERT INTO events ({columns}) SELECT {columns} FROM (SELECT {values} FROM numbers({ROWS}))")
    opened.store.events.count_on()  # else figures would be of rows up to none


def ask_everything(opened: Collector, known: Operations) -> None:
    """What the product asks of `events`, all of it."""
    known.call("report", {"project": "acme"})
    known.call("check", {})
    opened.lifecycle.sweep.due()
    opened.publisher.publish(TODAY)
    source, wanted = Source(opened.store.engine), [("acme", "p")]
    source.window(100, 140, wanted)
    source.at([5, 6, 7], wanted)
    source.next_after(5_000)
    source.batch_end(20, 50, wanted)
    installation = opened.store.engine.query("SELECT max(installation) FROM events")[0][0]
    source.plans_of("acme", installation, 0, ROWS)
    opened.store.events.known_events([1, 2])
    opened.store.known_ids.load()
    opened.store.events.count_on()


def split(opened: Collector, shards: int) -> list[str]:
    """Distribute the rows over tables as a cluster does over shards."""
    tables = [f"shard_{number}_of_{shards}" for number in range(shards)]
    key = ddl.shard_key(schema.table("events"))
    for number, table in enumerate(tables):
        opened.store.engine.command(f"CREATE TABLE {table} AS events")
        opened.store.engine.command(f"INSERT INTO {table} SELECT * FROM events WHERE {key} % {shards} = {number}")
    return tables


def same(one: Sequence[Any], other: Sequence[Any], ordered: bool) -> bool:
    """Whether two answers are the same; sums over no rows and NaN as well."""

    def key(rows: Sequence[Any]) -> list[str]:
        return [repr(tuple(row)) for row in rows] if ordered else sorted(repr(tuple(row)) for row in rows)

    return key(one) == key(other)


def main(data: Path, look: Callable[[str], str] = str) -> None:
    """Fill, ask, split, ask again."""
    opened = Collector(prepare(data), now=lambda: datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))
    opened.open()
    operations(opened).call("projects.apply", {"toml": toml(project()), "source": "test", "min_active_weeks": 1, "headcount": 30})
    fill(opened)
    asked: dict[tuple[str, str], tuple[dict[str, Any], list[Any]]] = {}
    query = opened.store.engine.query

    def recorded(sql: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        rows = query(sql, parameters)
        asked[sql, repr(parameters)] = parameters or {}, rows
        return rows

    opened.store.engine.query = recorded  # type: ignore[method-assign]
    ask_everything(opened, operations(opened))
    opened.store.engine.query = query  # type: ignore[method-assign]
    aggregates = {row[0] for row in query("SELECT name FROM system.functions WHERE is_aggregate")}
    different = []
    questions = {key: answer for key, answer in asked.items() if "FROM events" in key[0]}
    told = [(sql, *answer) for (sql, _), answer in questions.items() if AMONG in sql]
    unlike = [sql for sql, parameters, rows in told if not same(rows, query(sql.replace(AMONG, COUNTED), parameters), ordered=True)]
    for shards in (2, 3, 4):
        tables = split(opened, shards)
        for (sql, _), (parameters, rows) in questions.items():
            rewritten = over_shards(sql, tables, aggregates)
            try:
                answer = query(rewritten, parameters)
            except StoreError as error:
                different.append(f"over {shards} shards: {error}: {rewritten}")
                continue
            if not same(rows, answer, "ORDER BY" in sql):
                different.append(f"over {shards} shards: {sql}")
    opened.close()
    print(
        json.dumps(
            {
                "asked": sorted({sql for sql, _ in asked}),
                "different": different,
                "rows": sum(len(rows) for _, rows in questions.values()),
                "unlike": unlike,
                "told": sum(bool(parameters["counted"] and rows) for _, parameters, rows in told),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
