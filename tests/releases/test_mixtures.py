"""Cells of three breakdowns, or three cells of two, are compared as well."""

from innerloop_collector.query.releases.publication import publish_week
from innerloop_collector.query.releases.shown import WHOLE
from tests.releases.people import everybody, runs

K = 5


def test_two_systems_less_one_version_leave_nobody_alone() -> None:
    """Version 2 is on Linux and on Windows, and there one developer is left who has version 1."""
    linux, windows, mac = everybody(1, 6, runs(20)), everybody(7, 13, runs(20)), everybody(14, 20, runs(20))
    cells = {
        ("os", "Linux"): linux,
        ("os", "Windows"): windows,
        ("os", "Darwin"): mac,
        ("version", "1"): everybody(13, 20, runs(20)),
        ("version", "2"): everybody(1, 12, runs(20)),
    }
    shown = publish_week(everybody(1, 20, runs(20)), cells, K).shown.keys()
    assert not {("os", "Linux"), ("os", "Windows"), ("version", "2")} <= shown
    assert not {("os", "Darwin"), ("version", "1")} <= shown


def test_where_many_are_in_each_mixture_all_cells_stay() -> None:
    people = everybody(1, 40, runs(20))
    cells = {
        (breakdown, name): {number: vector for number, vector in people.items() if number // size % 2 == there}
        for breakdown, size in (("os", 5), ("arch", 10), ("version", 20))
        for there, name in enumerate("ab")
    }
    assert publish_week(people, cells, K).shown.keys() == {WHOLE, *cells}
