"""Who counts in a block is found out once, and every sum of its weeks and of the block is of exactly those."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from innerloop_collector.query import Publisher, Rows, Settings
from innerloop_collector.query.population import AMONG, WHO_COUNTS
from innerloop_collector.query.releases.calendar import block_of, week
from innerloop_collector.query.releases.document import Release
from tests.releases.simulated_team import Shelf

BLOCK = block_of(date(2026, 11, 23))
NEXT = block_of(BLOCK.end)


class Store:
    """A store without rows that says who counts, three people if nobody else is named, and remembers what it was asked."""

    def __init__(self, *counted: int) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.counted = counted or (3, 1, 2**127)

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        self.asked.append((sql, parameters or {}))
        if sql == WHO_COUNTS:
            return [(one,) for one in self.counted]
        return [(0,)] if sql.startswith("SELECT count()") else []


def published(today: date, *counted: int) -> tuple[Store, list[str]]:
    """What is asked where everything from a block on is due that day."""
    store, shelf = Store(*counted), Shelf()
    shelf.add(Release(1, "acme", week(BLOCK.first).name, BLOCK.first, 0, 5, 3, ()))
    publisher = Publisher(Rows(store), shelf, lambda: {"acme": Settings(3, 5, None, 365)}, lambda: 9)
    units = [unit for _, unit in publisher.publish(today)]
    assert {} == publisher.failed
    return store, units


def test_who_counts_is_asked_once_for_a_block_and_its_weeks() -> None:
    store, units = published(NEXT.due)
    whom = [parameters["began"] for sql, parameters in store.asked if sql == WHO_COUNTS]

    assert [*(week(one).name for one in BLOCK.weeks[1:]), BLOCK.name, *(week(one).name for one in NEXT.weeks), NEXT.name] == units
    assert [BLOCK.first, NEXT.first] == whom


def test_every_sum_is_of_those_who_count_and_of_nobody_else() -> None:
    store, _ = published(BLOCK.due)
    sums = [(sql, parameters) for sql, parameters in store.asked if "GROUP BY" in sql and sql != WHO_COUNTS]

    assert len(sums) == len(BLOCK.weeks) - 1 + 4, "cells by the week; cells, classes, the critical path and agents by the block"
    assert all(AMONG in sql and parameters["counted"] == [1, 3, 2**127] for sql, parameters in sums)


def test_a_server_is_told_of_any_number_of_people_in_parameters_that_it_takes() -> None:
    people = range(2**127, 2**127 + 7_000)
    store, _ = published(BLOCK.due, *people)
    sums = [(sql, parameters) for sql, parameters in store.asked if "GROUP BY" in sql and sql != WHO_COUNTS]

    assert sums
    for sql, parameters in sums:
        told = {name: ids for name, ids in parameters.items() if name.startswith("counted_")}
        assert max(len(str(ids)) for ids in told.values()) < 128 << 10
        assert list(people) == [one for ids in told.values() for one in ids]
        assert AMONG not in sql
        assert all(f"installation IN {{{name}:Array(UInt128)}}" in sql for name in told)
