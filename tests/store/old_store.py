"""Turn a store into one of schema 1, as the version before `schema_version` left it: `python old_store.py DATA`. A process of its own."""

import os
import sys
from pathlib import Path

from innerloop_collector.composition.store_parts import open_engine
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import prepare


def main(data: Path) -> None:
    """Make the tables as they were then, move the rows into them and remove everything newer."""
    engine = open_engine(prepare(data), load(None, os.environ).store)
    tables = [row[0] for row in engine.query("SHOW TABLES")]
    for table in tables:
        engine.command(f"RENAME TABLE {table} TO new_{table}")
    for statement in Path(__file__).with_name("schema_1.sql").read_text().partition("\n")[2].split(";\n"):
        if statement.strip():
            engine.command(statement)
    for (table,) in engine.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND name NOT LIKE 'new\\_%'"):
        columns = ", ".join(f"`{row[0]}`" for row in engine.query(f"DESCRIBE TABLE {table}"))
        engine.command(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new_{table}")
    for table in tables:
        engine.command(f"DROP TABLE new_{table} SYNC")
    engine.close()


main(Path(sys.argv[1]))
