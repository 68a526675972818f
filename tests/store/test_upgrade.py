"""A store that an earlier version wrote goes on working, and one of a newer version is left alone."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from innerloop_collector.db.upgrade import VERSION
from tests.collector.conftest import new_collector
from tests.collector.support import PROJECT, Collector, Event, Owner, run_event
from tests.store.servers import UrlCollector

__all__ = ["new_collector"]  # the embedded engine; `test_url_upgrade` is the other half
HERE = Path(__file__).parent
DEFINITION = {
    "tables": "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() ORDER BY name",
    "columns": "SELECT table, name, type, compression_codec FROM system.columns WHERE database = currentDatabase() ORDER BY table, name",
    "indices": "SELECT table, name, type, expr, granularity FROM system.data_skipping_indices WHERE database = currentDatabase() ORDER BY name",
    "projections": "SELECT table, name, query FROM system.projections WHERE database = currentDatabase() ORDER BY name",
}


def run(collector: Collector, script: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Do something to a stopped collector's store in a process of its own."""
    environment = {**collector.environment, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), collector.environment["PYTHONPATH"]])}
    return subprocess.run(
        [sys.executable, str(HERE / script), str(collector.data), *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )


def make_old(collector: Collector) -> None:
    """Turn a stopped collector's store into one of schema 1."""
    done = run(collector, "old_store.py")
    assert 0 == done.returncode, done.stderr


def filled(collector: Collector, owner: Owner) -> Sequence[Event]:
    """Store some events, among them ten of an owner, and turn the store into an old one."""
    events = [run_event(owner.id) for _ in range(10)] + [run_event() for _ in range(20)]
    collector.send(*events, run_event(command="not listed"), owners=[owner])
    collector.stop()
    make_old(collector)
    return events


def works(collector: Collector, owner: Owner, events: Sequence[Event]) -> None:
    """Everything that was stored is there, is known again, can be reported and can be erased."""
    collector.send(*events, run_event())
    assert (31, 1) == (collector.stored, collector.waiting)
    assert "the first figures can come on" in collector.ask("report", "acme")["explanation"]
    assert [("erased", 10)] == [(one["state"], one["events"]) for one in collector.forget(owner)["ids"]]
    assert 21 == collector.stored
    collector.stop()
    assert [[0, 20], [1, 1]] == collector.rows("SELECT position, count() FROM events GROUP BY position ORDER BY position")


def definition(collector: Collector) -> dict[str, list[list[Any]]]:
    """What the tables of a stopped collector are. The order of settings tells only when they were given."""
    found = {what: collector.rows(sql) for what, sql in DEFINITION.items()}
    for table in found["tables"]:
        head, _, settings = table[1].partition(" SETTINGS ")
        table[1:] = [head, sorted(settings.split(", "))]
    return found


def test_a_store_of_before_goes_on_working(collector: Collector) -> None:
    owner = Owner()
    events = filled(collector, owner)
    collector.start()

    works(collector, owner, events)


@pytest.mark.slow
def test_a_store_that_was_brought_up_is_like_a_new_one(collector: Collector) -> None:
    """Whoever changes a table without a migration is told here."""
    collector.stop()
    new = definition(collector)
    make_old(collector)
    collector.start()
    collector.stop()

    assert new == definition(collector)
    assert [[VERSION]] == collector.rows("SELECT max(version) FROM schema_version")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_after_any_step_up_it_is_brought_up_by_the_next_start(collector: Collector) -> None:
    owner = Owner()
    events = filled(collector, owner)
    step = 0
    while True:
        step += 1 if step < 8 else 9  # the migrations come first
        done = run(collector, "die_while_upgrading.py", str(step))
        if done.returncode != -9:
            break
    assert 0 == done.returncode, done.stderr
    assert step > 3
    collector.start()

    works(collector, owner, events)


def test_a_newer_store_is_refused_with_one_line_and_left_as_it_is(idle: Collector) -> None:
    idle.apply(PROJECT)
    newer = VERSION + 1
    idle.rows(f"INSERT INTO schema_version (version, secret, day) SELECT {newer}, secret, day FROM schema_version LIMIT 1")
    before = definition(idle) if isinstance(idle, UrlCollector) else None

    done = idle.cli("check")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert f"schema {newer}, this one knows {VERSION}" in done.stderr
    if before is not None:
        assert before == definition(idle)


def test_a_store_goes_with_its_secret(idle: Collector) -> None:
    idle.apply(PROJECT)
    (idle.data / "secret").write_bytes(bytes(32))

    done = idle.cli("check")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "another secret" in done.stderr
