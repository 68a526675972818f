"""The engine goes on where it cannot write a small file of a part. So parts are looked at before anybody is told that their rows are on the disk."""

from pathlib import Path

import pytest

from innerloop_collector.errors import StoreError
from innerloop_collector.store.parts import Watches


class Table:
    """A table's directory, and what is asked of the engine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.commands: list[str] = []
        self.failure: StoreError | None = None
        self.watches = Watches(lambda *_: [[str(directory)]], self._command)

    def _command(self, sql: str) -> None:
        if self.failure:
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
    with made.watches.over("events"):
        pass
    return made


@pytest.mark.parametrize("file", ["count.txt", "checksums.txt", "ids.proj/primary.cidx"])
def test_an_insert_whose_part_is_not_whole_is_taken_back_and_fails(table: Table, file: str) -> None:
    with pytest.raises(StoreError, match="the disk failed"), table.watches.over("events"):
        table.part("all_2_2_1", file)

    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


def test_an_insert_that_failed_leaves_no_part_that_is_not_whole(table: Table) -> None:
    def insert() -> None:
        with table.watches.over("events"):
            table.part("all_2_2_1", "count.txt")
            raise OSError

    with pytest.raises(StoreError, match="the disk failed"):
        insert()
    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


def test_what_was_merged_is_not_taken_back(table: Table) -> None:
    with table.watches.over("events"):
        table.part("all_2_2_1")
    table.part("all_1_2_2", "count.txt")
    with table.watches.over("events"):
        table.part("all_3_3_1")

    assert [] == table.commands


def test_a_whole_part_is_left_alone_and_columns_may_be_empty(table: Table) -> None:
    with table.watches.over("events"):
        table.part("202611_2_2_1", "data.bin")
    with table.watches.over("events"):
        table.part("tmp_insert_202611_3_3_1", "count.txt")

    assert [] == table.commands


def test_what_cannot_be_taken_back_is_taken_back_before_anybody_reads(table: Table) -> None:
    def insert() -> None:
        with table.watches.over("events"):
            table.part("all_2_2_1", "count.txt")

    table.failure = StoreError("the store failed: no")
    with pytest.raises(StoreError, match="no"):
        insert()
    with pytest.raises(StoreError, match="no"):
        table.watches.settle()
    table.failure = None
    table.watches.settle()
    table.watches.settle()

    assert ["ALTER TABLE events DROP PART 'all_2_2_1'"] == table.commands


def test_what_was_merged_meanwhile_need_not_be_taken_back(table: Table) -> None:
    table.failure = StoreError("the store failed: Code: 232. No part all_2_2_1 in committed state. (NO_SUCH_DATA_PART)")
    with pytest.raises(StoreError, match="the disk failed"), table.watches.over("events"):
        table.part("all_2_2_1", "count.txt")
    table.failure = None
    table.watches.settle()

    assert [] == table.commands
