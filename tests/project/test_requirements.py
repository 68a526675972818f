"""The table of requirements is whole: 56 numbers, each with tests that bear it, and each of the client's with a protection."""

import re

import pytest
import requirements
from requirements import NamedTest, Protection, Requirement

from tests.conftest import ROOT

ROWS = requirements.requirements()
TESTS = requirements.numbered_tests()
PROTECTIONS = requirements.protections()
CLIENTS = [row for row in ROWS if not row.theirs]


def test_no_number_is_missing() -> None:
    assert list(range(1, 57)) == [row.number for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_every_requirement_says_what_who_and_where(row: Requirement) -> None:
    assert row.text.endswith(".")
    assert row.complaints
    assert set(row.theirs.split(", ")) <= {"", "collector", "evidence", "pages", "probe"}


@pytest.mark.parametrize("row", CLIENTS, ids=lambda row: row.title)
def test_every_requirement_of_the_client_is_tried(row: Requirement) -> None:
    assert TESTS.get(row.number), f"no test is named test_c{row.number:02}_..."
    assert [one for one in PROTECTIONS if row.number in one.requirements], "no protection of it is taken out in tests/protections"


@pytest.mark.parametrize("row", [row for row in ROWS if row.theirs], ids=lambda row: row.title)
def test_the_tests_of_other_parts_are_there(row: Requirement) -> None:
    for name in row.covered:
        test = NamedTest(*name.split("::"))
        assert test in requirements.tests_in(ROOT / test.file), name


def test_every_test_bears_the_number_of_a_requirement() -> None:
    names = [test for path in requirements.TABLE.parent.glob("test_*.py") for test in requirements.tests_in(path)]
    known = {row.number for row in ROWS}

    assert [] == [test.id for test in names if not requirements.NUMBERED.fullmatch(test.name)]
    assert set(TESTS) <= known


@pytest.mark.parametrize("one", PROTECTIONS, ids=lambda one: one.name)
def test_a_protection_is_where_the_table_says(one: Protection) -> None:
    """Exactly once, so that taking it out is one change; its test is there and bears one of its numbers, or none at all."""
    assert 1 == one.source.read_text(encoding="utf-8").count(one.old)
    assert one.old != one.new
    file, _, name = one.test.partition("::")
    function = name.partition("[")[0]
    assert NamedTest(file, function) in list(requirements.tests_in(ROOT / file))
    number = re.match(r"test_c(\d\d)_", function)
    assert number is None or int(number[1]) in one.requirements
    assert set(one.requirements) <= {row.number for row in CLIENTS}


def test_protections_are_told_apart_by_name() -> None:
    names = [one.name for one in PROTECTIONS]

    assert sorted(set(names)) == sorted(names)
