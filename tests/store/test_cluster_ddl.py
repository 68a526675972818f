"""What is said to a cluster, as far as one engine without a cluster can judge it: it parses, it is complete, and its tables can be made.

No cluster runs here. NOT TESTED by this: replication, distributed inserts and reads, statements ON CLUSTER. See docs/guides/clickhouse.md.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from innerloop_collector.db import ddl, schema
from innerloop_collector.db.layout import Layout

CLUSTER = Layout(remote=True, database="default", cluster="inner")
SCRIPT = r"""
import json, sys
from chdb import connect
config, place, mode = sys.argv[1:]
engine = connect(f"{place}?config-file={config}")
for statement in json.load(sys.stdin):
    sql = "SELECT formatQuery({sql:String})" if mode == "parse" else statement
    engine.query(sql, "TabSeparated", params={"sql": statement.replace("\n", " ")} if mode == "parse" else {})
if mode == "make":
    print(engine.query("SELECT name, engine FROM system.tables WHERE database = currentDatabase() ORDER BY name", "TabSeparated").bytes().decode())
"""
CONFIG = """<clickhouse><remote_servers><inner><shard><internal_replication>true</internal_replication>
<replica><host>127.0.0.1</host><port>1</port></replica></shard></inner></remote_servers></clickhouse>"""


def in_engine(place: Path, statements: list[str], mode: str) -> str:
    """Give statements to an engine that knows the cluster's name, in a process of its own."""
    config = place / "config.xml"
    config.write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(config), str(place / "store"), mode],
        input=json.dumps(statements),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "HOME": str(place)},
    )
    assert 0 == done.returncode, done.stderr[-1500:]
    return done.stdout


def all_statements() -> list[str]:
    """What makes a new store, and what widens one that lacks every second column."""
    widened = [statement for table in schema.tables() for statement in ddl.add_columns(table, list(table.columns)[::2], CLUSTER)]
    return ddl.statements(layout=CLUSTER) + widened


def test_every_statement_parses(tmp_path: Path) -> None:
    in_engine(tmp_path, all_statements(), "parse")


def test_a_statement_that_is_wrong_would_not(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="SYNTAX_ERROR"):
        in_engine(tmp_path, ["CREATE TABLE a ON CLUSTER (b Date) ENGINE Memory"], "parse")


def test_the_tables_can_be_made_on_one_node(tmp_path: Path) -> None:
    """Each with its Distributed table over it; replication and ON CLUSTER need a Keeper and are cut out."""
    plain = [
        re.sub(r"Replicated(\w*MergeTree)\('[^']*', '\{replica\}'(?:, )?", r"\1(", statement.replace(" ON CLUSTER `inner`", ""))
        for statement in all_statements()
    ]

    made = dict(line.split("\t") for line in in_engine(tmp_path, plain, "make").split("\n") if line)

    assert {table.name for table in schema.tables()} == {name for name, engine in made.items() if engine == "Distributed"}
    assert {f"{table.name}_local" for table in schema.tables()} == {name for name, engine in made.items() if engine != "Distributed"}


@pytest.mark.parametrize("table", schema.tables(), ids=lambda table: table.name)
def test_every_table_is_replicated_on_every_node_and_distributed_under_its_own_name(table: schema.Table) -> None:
    local, over = ddl.create(table, CLUSTER)

    assert local.startswith(f"CREATE TABLE IF NOT EXISTS {table.name}_local ON CLUSTER `inner` (")
    assert f"MergeTree('/clickhouse/tables/{{shard}}/default/{table.name}_local', '{{replica}}'" in local
    assert "ENGINE = Replicated" in local
    assert "fsync_after_insert = 1" in local
    assert over.startswith(f"CREATE TABLE IF NOT EXISTS {table.name} ON CLUSTER `inner` (")
    assert f"Distributed('inner', 'default', '{table.name}_local', cityHash64(" in over


def test_everything_of_an_installation_lies_on_one_shard_and_events_of_nobody_are_spread() -> None:
    spread = "cityHash64(if(installation = 0, message_key, installation))"

    assert {"events": spread, "quarantine": spread} == {
        table.name: ddl.shard_key(table) for table in schema.tables() if "installation" in table.columns
    }


def test_rows_that_replace_each_other_lie_on_one_shard() -> None:
    """The shard follows from the sort key."""
    for table in schema.tables():
        if "installation" not in table.columns:
            column = re.fullmatch(r"cityHash64\((\w+)\)", ddl.shard_key(table))
            assert column is not None
            assert column[1] in re.findall(r"\w+", table.order_by), table.name


def test_what_changes_tables_goes_to_every_node() -> None:
    assert "events_local ON CLUSTER `inner`" == CLUSTER.altered("events")
    assert "clusterAllReplicas('inner', system.parts)" == CLUSTER.system("parts")
    assert ["events_local", "quarantine_local"] == CLUSTER.locals(schema.HOLDS_INSTALLATIONS)
    assert ("events", "system.parts") == (Layout().altered("events"), Layout().system("parts"))
