"""The writer alone, over tables that a test can hold up or break. The tables' own behaviour is tested with the real engine."""

import threading
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NoReturn

import pytest

from innerloop_collector.config.configuration import Store
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.schema import EVENTS
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.store.events import MESSAGE_KEY, EventTables, QuarantineRow, Row
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.quarantine_limit import QuarantineLimit
from innerloop_collector.store.tombstones import Erasures, Registration, Tombstones
from innerloop_collector.store.writer import Receipt, Writer


class HeldTables(EventTables):
    """Tables in memory whose inserts wait for a signal, and refuse a poisoned key."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.groups: list[list[int]] = []
        self.rows: set[int] = set()

    def known_events(self, keys: Sequence[int]) -> set[int]:
        return self.rows & set(keys)

    def known_quarantined(self, keys: Sequence[int]) -> set[int]:
        return set()

    def insert_events(self, rows: Sequence[Row]) -> None:
        self.begun.set()
        assert self.go.wait(20)
        keys = [row[MESSAGE_KEY] for row in rows]
        if 666 in keys:
            raise StoreError("poison")
        self.groups.append(keys)
        self.rows |= set(keys)

    def insert_quarantined(self, rows: Sequence[QuarantineRow], kept_out: Sequence[QuarantineRow] = ()) -> None:
        assert not rows or self.go.wait(20)


def _no_engine() -> NoReturn:
    raise AssertionError("the writer alone needs no engine")


def _row(key: int) -> tuple[Any, ...]:
    return tuple(key if number == MESSAGE_KEY else None for number in range(len(EVENTS)))


@pytest.fixture
def tables() -> HeldTables:
    return HeldTables()


@pytest.fixture
def writer(tables: HeldTables) -> Iterator[Writer]:
    hasher = Hasher(bytes(32))
    made = Writer(
        tables,
        Erasures(Engine(_no_engine), hasher),
        Tombstones(hasher),
        QuarantineLimit(Engine(_no_engine), 0, (), date.today),
        Store(group_rows=100, linger_seconds=0.01, waiting_rows=50),
    )
    made.start()
    yield made
    tables.go.set()
    made.stop()


def test_nothing_is_acknowledged_before_the_insert_returned(writer: Writer, tables: HeldTables) -> None:
    receipt = writer.submit([_row(1)], [])
    assert tables.begun.wait(20)
    assert not receipt.done()
    tables.go.set()

    assert Receipt(1, 0, 0) == receipt.result(10)


def test_what_waits_is_bounded_and_the_rest_is_told_so(writer: Writer, tables: HeldTables) -> None:
    held = writer.submit([_row(key) for key in range(40)], [])
    with pytest.raises(QueueFull):
        writer.submit([_row(key) for key in range(40, 60)], [])
    tables.go.set()
    held.result(10)

    assert Receipt(20, 0, 0) == writer.submit([_row(key) for key in range(40, 60)], []).result(10)


def test_registrations_count_as_what_waits(writer: Writer) -> None:
    writer.submit([_row(key) for key in range(40)], [])
    with pytest.raises(QueueFull):
        writer.submit([], [], [Registration("acme", number, number) for number in range(20)])


def test_what_comes_meanwhile_is_committed_together(writer: Writer, tables: HeldTables) -> None:
    first = writer.submit([_row(1)], [])
    threading.Event().wait(0.1)
    later = [writer.submit([_row(key)], []) for key in range(2, 12)]
    tables.go.set()
    for receipt in (first, *later):
        receipt.result(10)

    assert [[1], list(range(2, 12))] == tables.groups


def test_one_request_that_cannot_be_stored_does_not_hold_up_its_neighbours(writer: Writer, tables: HeldTables) -> None:
    good, bad, other = (writer.submit([_row(key)], []) for key in (1, 666, 2))
    tables.go.set()

    assert (1, 1) == (good.result(10).stored, other.result(10).stored)
    with pytest.raises(StoreError, match="poison"):
        bad.result(10)


def test_stopping_commits_what_was_accepted_and_refuses_the_rest(writer: Writer, tables: HeldTables) -> None:
    waiting = QuarantineRow("acme", 9, 0, "malformed", [], "", date(2026, 11, 23), "{}")
    receipts = [writer.submit([_row(1)], []), writer.submit([], [waiting])]
    tables.go.set()
    writer.stop()

    assert [Receipt(1, 0, 0), Receipt(0, 1, 0)] == [receipt.result(0) for receipt in receipts]
    with pytest.raises(StoreError):
        writer.submit([_row(2)], [])
