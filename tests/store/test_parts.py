"""Parts are looked at: the engine goes on where it cannot write a small file of one.

Those of inserts before anybody is told that their rows are on the disk, those of merges before what they replaced is gone.
tests/collector/test_merges_on_a_failing_disk.py does the same with the engine.
"""

import errno
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from innerloop_collector.db.engine import Engine
from innerloop_collector.db.integrity import repair as repair_module
from innerloop_collector.db.integrity.repair import PartsRepair
from innerloop_collector.errors import StoreError


class Table:
    """A table's directory, and what is asked of the engine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.commands: list[str] = []
        self.failure: StoreError | None = None
        self.fails_at = ""
        self.read_again: list[str] = []
        self.gone: set[str] = set()  # parts that the engine does not count as active
        self.attached = 1
        self.repair = PartsRepair(self._query, self._command)
        self.repair.read_again = self.read_again.append

    def _query(self, sql: str) -> list[list[Any]]:
        self.repair.mend()  # as the engine does
        if sql.startswith("SELECT count()"):
            return [[self.attached]]
        if "system.parts" in sql:
            return [[path.name] for path in self.directory.iterdir() if path.name not in self.gone]
        return [["events", str(self.directory)]]

    def _command(self, sql: str) -> None:
        if self.failure and sql.startswith(self.fails_at):
            raise self.failure
        self.commands.append(sql)

    def part(self, name: str, *empty: str) -> None:
        """Write a part, some of its files empty."""
        for file in ("data.bin", "count.txt", "checksums.txt", "ids.proj/primary.cidx"):
            path = self.directory / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("" if file in empty else "x")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path)
    made.part("all_1_1_1")
    with made.repair.over("events"):
        pass
    return made


@pytest.mark.parametrize("file", ["count.txt", "checksums.txt", "ids.proj/primary.cidx"])
def test_an_insert_whose_part_is_not_whole_is_taken_back_and_fails(table: Table, file: str) -> None:
    with pytest.raises(StoreError, match="the disk failed"), table.repair.over("events"):
        table.part("all_2_2_1", file)

    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


def test_an_insert_that_failed_leaves_no_part_that_is_not_whole(table: Table) -> None:
    def insert() -> None:
        with table.repair.over("events"):
            table.part("all_2_2_1", "count.txt")
            raise OSError

    with pytest.raises(StoreError, match="the disk failed"):
        insert()
    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


READ_AGAIN = ["DETACH TABLE events", "ATTACH TABLE events"]


def test_a_table_is_read_again_where_what_was_merged_is_not_whole(table: Table) -> None:
    with table.repair.over("events"):
        table.part("all_2_2_1")
    table.part("all_1_2_2", "count.txt")
    with table.repair.over("events"):
        table.part("all_3_3_1")
    table.repair.mend()
    table.repair.mend()

    assert (READ_AGAIN, ["events"]) == (table.commands, table.read_again)


@pytest.mark.parametrize("name", ["all_1_1_1_5", "all_1_1_2"])
def test_what_nobody_inserted_is_looked_at_without_an_insert(table: Table, name: str) -> None:
    assert not table.repair.look()
    table.part(name, "checksums.txt")

    assert table.repair.look()
    assert READ_AGAIN == table.commands


def test_a_table_that_could_not_be_attached_is_before_anybody_reads(table: Table) -> None:
    table.part("all_1_1_2", "count.txt")
    table.fails_at, table.failure = "ATTACH", StoreError("the store failed: no")
    for _ in range(2):
        with pytest.raises(StoreError, match="no"):
            table.repair.look()
    with pytest.raises(StoreError, match="no"), table.repair.over("events"):
        pytest.fail("nothing may be inserted")
    table.failure = None
    table.repair.mend()

    assert (READ_AGAIN, ["events"]) == (table.commands, table.read_again)


def test_a_table_that_is_read_still_is_attached_a_moment_later(table: Table) -> None:
    table.part("all_1_1_2", "count.txt")
    table.fails_at = "ATTACH"
    table.attached, table.failure = 0, StoreError("Cannot attach table", code=repair_module.TABLE_ALREADY_EXISTS)
    threading.Timer(0.2, lambda: setattr(table, "failure", None)).start()

    assert table.repair.look()
    assert READ_AGAIN == table.commands


def test_a_table_is_read_again_until_what_depends_on_it_is_well(table: Table) -> None:
    def unwell(_: str) -> None:
        table.repair.mend()  # as whoever asks the engine does
        raise StoreError("the index")

    table.part("all_1_1_2", "count.txt")
    table.repair.read_again = unwell
    for _ in range(2):
        with pytest.raises(StoreError, match="the index"):
            table.repair.look()

    assert READ_AGAIN == table.commands


def test_a_part_that_is_made_again_under_the_same_name_is_looked_at_again(table: Table) -> None:
    table.part("all_1_1_2", "count.txt")
    assert table.repair.look()
    assert not table.repair.look(), "what was read again and is still there is whole enough for the engine"
    (table.directory / "all_1_1_2").rename(table.directory / "set-aside")
    table.part("all_1_1_2", "count.txt")

    assert table.repair.look()
    assert READ_AGAIN * 2 == table.commands


def test_where_block_numbers_go_back_an_insert_is_an_insert_still(table: Table) -> None:
    with table.repair.over("events"):
        table.part("all_2_2_1")
    (table.directory / "all_2_2_1").rename(table.directory / "gone")
    with pytest.raises(StoreError, match="the disk failed"), table.repair.over("events"):
        table.part("all_2_2_1", "count.txt")

    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


@pytest.mark.parametrize("cannot", ["scandir", "read_text"])
def test_a_part_that_could_not_be_looked_at_is_before_anybody_reads(table: Table, monkeypatch: pytest.MonkeyPatch, cannot: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def insert() -> None:
        with table.repair.over("events"):
            table.part("all_2_2_1", "count.txt")
            broken.setattr(*((os, "scandir") if cannot == "scandir" else (Path, "read_text")), fail)

    with monkeypatch.context() as broken:
        with pytest.raises(StoreError, match="cannot be read: Input/output error"):
            insert()
        with pytest.raises(StoreError, match="cannot be read"):
            table.repair.mend()
    assert [] == table.commands
    table.repair.mend()

    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


REWRITE = "OPTIMIZE TABLE events PARTITION ID 'all' FINAL SETTINGS optimize_throw_if_noop = 1"


def test_where_nothing_else_is_left_a_part_is_written_again(table: Table) -> None:
    (table.directory / "all_1_1_1").rename(table.directory / "gone")
    table.part("all_1_1_2", "count.txt")

    assert table.repair.look()
    assert [REWRITE] == table.commands
    table.gone = {"all_1_1_2"}
    assert not table.repair.look()


def test_what_could_not_be_written_again_is_tried_again_and_never_set_aside(table: Table) -> None:
    """Nor where its table would be read again for another part, or where its replacement is not whole either."""
    (table.directory / "all_1_1_1").rename(table.directory / "gone")
    table.part("all_1_1_2", "count.txt")
    table.fails_at, table.failure = "OPTIMIZE", StoreError("the store failed: no")
    assert table.repair.look()
    table.failure = None
    table.repair.mend()
    assert [] == table.commands, "no request pays for that"
    table.part("all_2_2_1")
    assert table.repair.look()
    table.part("all_2_2_2", "count.txt")
    table.part("all_1_1_3", "count.txt")
    assert table.repair.look()

    assert [REWRITE] * 2 == table.commands


def test_one_table_that_cannot_be_mended_keeps_no_other_from_being_looked_at(tmp_path: Path) -> None:
    one, other = Table(tmp_path / "one"), Table(tmp_path / "other")
    for table in (one, other):
        table.part("all_1_1_1")
    commands: list[str] = []
    watches = PartsRepair(
        lambda sql: [] if "system.parts" in sql else [["one", str(one.directory)], ["other", str(other.directory)]], commands.append
    )
    watches.look()
    watches._query = lambda sql: [["all_1_1_2"]] if "system.parts" in sql else []
    one.part("all_1_1_2", "count.txt")

    def fail(table: str) -> None:
        if table == "one":
            raise StoreError("the index")

    watches.read_again = fail
    for _ in range(2):
        with pytest.raises(StoreError, match="the index"):
            watches.look()
    other.part("all_1_1_2", "count.txt")
    with pytest.raises(StoreError, match="the index"):
        watches.look()

    assert ["DETACH TABLE one", "ATTACH TABLE one", "DETACH TABLE other", "ATTACH TABLE other"] == commands


def test_who_only_looks_neither_mends_nor_waits_for_long_for_who_does(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not table.repair.broken(["events"])
    table.part("all_1_1_2", "count.txt")
    assert table.repair.broken(["events"])
    assert [] == table.commands
    monkeypatch.setattr(repair_module, "_SOON", 0.01)
    with ThreadPoolExecutor(1) as another, table.repair._of["events"].guard, pytest.raises(StoreError, match="is being mended"):
        another.submit(table.repair.broken, ["events"]).result()


def test_what_is_replaced_itself_is_left_alone(table: Table) -> None:
    table.part("all_1_1_2", "count.txt")
    table.gone = {"all_1_1_2"}

    assert not table.repair.look()
    assert [] == table.commands


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("DETACH", repair_module.UNKNOWN_TABLE),
        ("ATTACH", repair_module.TABLE_ALREADY_EXISTS),
    ],
)
def test_a_statement_that_failed_after_it_took_effect_is_done(table: Table, word: str, code: int) -> None:
    table.part("all_1_1_2", "count.txt")
    table.fails_at, table.failure = word, StoreError("the store failed", code=code)

    assert table.repair.look()
    assert ["events"] == table.read_again


def test_a_part_without_rows_is_left_alone(table: Table) -> None:
    table.part("all_1_1_2", "ids.proj/primary.cidx")
    (table.directory / "all_1_1_2" / "count.txt").write_text("0")

    assert not table.repair.look()


def test_a_whole_part_is_left_alone_and_columns_may_be_empty(table: Table) -> None:
    with table.repair.over("events"):
        table.part("202611_2_2_1", "data.bin")
    with table.repair.over("events"):
        table.part("tmp_insert_202611_3_3_1", "count.txt")

    assert [] == table.commands


def test_what_cannot_be_taken_back_is_taken_back_before_anybody_reads(table: Table) -> None:
    def insert() -> None:
        with table.repair.over("events"):
            table.part("all_2_2_1", "count.txt")

    table.failure = StoreError("the store failed: no")
    with pytest.raises(StoreError, match="no"):
        insert()
    with pytest.raises(StoreError, match="no"):
        table.repair.mend()
    table.failure = None
    table.repair.mend()
    table.repair.mend()

    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


def test_what_was_merged_meanwhile_need_not_be_taken_back(table: Table) -> None:
    table.failure = StoreError("the store failed", code=repair_module.NO_SUCH_DATA_PART)
    with pytest.raises(StoreError, match="the disk failed"), table.repair.over("events"):
        table.part("all_2_2_1", "count.txt")
    table.failure = None
    table.repair.mend()

    assert [] == table.commands


def test_a_query_that_was_overtaken_by_a_mend_is_asked_again() -> None:
    """Between the moments in which a table is back and in which its index of message ids is, a look-up finds nothing."""

    class Overtaken:
        asked = 0

        def query(self, *_: object, **__: object) -> SimpleNamespace:
            self.asked += 1
            engine.parts_repair.readings += self.asked == 1
            return SimpleNamespace(result_rows=[[self.asked]])

    client = Overtaken()
    engine = Engine(lambda: client)  # type: ignore[arg-type,return-value]

    assert [[2]] == engine.query("SELECT 1")


_ENGINE = """
import json, sys, threading
from pathlib import Path
from innerloop_collector.db.embedded import embedded
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError
directory = Path(sys.argv[1])
(directory / "scratch").mkdir()
engine = Engine(embedded(directory / "store", directory / "scratch"))
there = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 't'"
def said(sql):
    try:
        engine.command(sql)
    except StoreError as error:
        return [error.code, engine.query(there)[0][0]]
reads = threading.Event()
def read():
    reads.set()
    engine.query("SELECT sleepEachRow(0.001), a FROM t LIMIT 2000 SETTINGS max_threads = 1, max_block_size = 100")
engine.command("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
engine.command("INSERT INTO t SELECT number FROM numbers(100000)")
found = [said("ALTER TABLE t DROP PART 'all_9_9_0'")]
reader = threading.Thread(target=read)
reader.start(); reads.wait()
while not engine.query("SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'")[0][0]:
    pass
engine.command("DETACH TABLE t")
found += [said("ATTACH TABLE t"), said("DETACH TABLE t")]
reader.join()
engine.command("ATTACH TABLE t")
found += [said("ATTACH TABLE t")]
print(json.dumps(found))
engine.close()
"""


def test_the_engine_says_by_number_what_mending_goes_by(tmp_path: Path) -> None:
    """A part that is not there; a table that is detached and still read; one that is detached already; one that is attached already."""
    done = subprocess.run([sys.executable, "-c", _ENGINE, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stderr
    assert [
        [repair_module.NO_SUCH_DATA_PART, 1],
        [repair_module.TABLE_ALREADY_EXISTS, 0],
        [repair_module.UNKNOWN_TABLE, 0],
        [repair_module.TABLE_ALREADY_EXISTS, 1],
    ] == json.loads(done.stdout.splitlines()[-1])
