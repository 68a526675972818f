"""Every figure is the same whether the rows lie in one table or on several shards whose states are merged.

This says that the queries can be distributed. It is no test of a cluster.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import innerloop_collector
from tests.store.shards import over_shards

HERE = Path(__file__).parent
SOURCES = Path(innerloop_collector.__file__).parent
AGGREGATES = {"count", "sum", "uniqExact", "quantilesExact"}
ELSEWHERE = {
    "SELECT message_key FROM events WHERE message_key IN {keys:Array(UInt128)}": "asked of a cluster only, and without an aggregate",
    "SELECT DISTINCT toYYYYMM(event_time) AS month FROM events ORDER BY month": "which months a backup has; without an aggregate",
    "FROM events FINAL WHERE toYYYYMM(event_time) =": "the rows of a month, for a backup, and how many they are",
    "ALTER TABLE quarantine DELETE WHERE message_key IN (SELECT message_key FROM events) SETTINGS mutations_sync = 2": "embedded only",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came out."""
    done = subprocess.run(
        [sys.executable, str(HERE / "check_shards.py"), str(tmp_path_factory.mktemp("shards"))],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])},
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def texts() -> Iterator[tuple[str, str]]:
    """Every piece of SQL in the sources that reads events, and where it is."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "FROM events " in f"{node.value} ":
                yield f"{path.relative_to(SOURCES)}:{node.lineno}", _around(node.value)


def _around(text: str) -> str:
    """The line of a text that reads events, which tells it from others."""
    return next(line.strip() for line in text.splitlines() if "FROM events " in f"{line} ")


def test_every_query_gives_the_same_over_shards(answers: dict[str, Any]) -> None:
    assert [] == answers["different"]
    assert answers["rows"] > 150, "answers without rows would say nothing"


def test_who_counts_is_the_same_where_it_was_read_before(answers: dict[str, Any]) -> None:
    assert [] == answers["unlike"]
    assert answers["told"] > 5


def test_every_query_of_events_was_asked(answers: dict[str, Any]) -> None:
    """Who writes a new one asks it in `check_shards.py`."""
    missed = [f"{place}: {text}" for place, text in texts() if text not in ELSEWHERE and not any(text in sql for sql in answers["asked"])]

    assert [] == missed


def test_who_asks_over_shards_asks_globally(answers: dict[str, Any]) -> None:
    """A shard would look in its own rows only."""
    wrong = [
        sql for sql in answers["asked"] if "FROM events" in sql.partition(" IN (SELECT")[2] or (" JOIN " in sql and "GLOBAL" not in sql)
    ]
    local = [sql for sql in wrong if "GLOBAL IN" not in sql]

    assert [] == local


def test_the_rewriting_merges_states_and_keeps_conditions() -> None:
    sql = "SELECT command, quantilesExact(0.5)(x) FROM events WHERE a GROUP BY command HAVING count() > 3 ORDER BY command"

    assert (
        "SELECT key_0 AS command, quantilesExactMerge(0.5)(state_0) FROM ("
        "SELECT command AS key_0, quantilesExactState(0.5)(x) AS state_0, countState() AS state_1 FROM one WHERE a GROUP BY key_0"
        " UNION ALL "
        "SELECT command AS key_0, quantilesExactState(0.5)(x) AS state_0, countState() AS state_1 FROM two WHERE a GROUP BY key_0"
        ") GROUP BY key_0 HAVING countMerge(state_1) > 3 ORDER BY key_0"
    ) == over_shards(sql, ["one", "two"], AGGREGATES)
