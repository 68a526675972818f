"""The columns of the store derive from the tracking plan."""

import json

from innerloop.core.plan.tracking import PLAN, parse
from innerloop_collector.db import ddl, schema
from tests.collector.support import Collector, run_event


def test_every_field_with_a_column_has_exactly_that_column(collector: Collector) -> None:
    collector.stop()
    columns = {
        row[0]: row[1] for row in collector.rows("SELECT name, type FROM system.columns WHERE database = 'default' AND table = 'events'")
    }
    planned = {field.name: field.column for field in PLAN.fields.values() if field.column}

    assert {**schema.ENVELOPE, **planned, "position": "UInt64"} == columns


def test_a_field_that_is_added_to_the_plan_becomes_a_column() -> None:
    field = PLAN.fields["arch"].record
    document = {"plan": 2, "fields": [field, {**field, "name": "cpu_class", "column": "LowCardinality(String)"}], "events": {}}
    plan = parse(json.dumps(document))

    assert {"arch", "cpu_class"} == set(schema.event_columns(plan)) - set(schema.ENVELOPE)
    there = schema.event_columns(PLAN)
    assert ["ALTER TABLE events ADD COLUMN IF NOT EXISTS `cpu_class` LowCardinality(String)"] == ddl.add_columns(
        schema.tables(plan)[0], [*there, "position"]
    )


def test_the_store_syncs_every_insert() -> None:
    events = ddl.statements()[0]

    assert "fsync_after_insert = 1" in events
    assert "fsync_part_directory = 1" in events


def test_positions_grow_also_across_a_restart(collector: Collector) -> None:
    """Whoever reads on from a position misses nothing and reads nothing twice."""
    for _ in range(2):
        collector.send(*(run_event() for _ in range(3)))
        collector.stop()
        collector.start()
    collector.stop()

    assert [[1], [2], [3], [4], [5], [6]] == collector.rows("SELECT position FROM events ORDER BY position")


def test_no_table_is_described_twice() -> None:
    names = [table.name for table in schema.tables()]

    assert sorted(set(names)) == sorted(names)
