"""The table of requirements is whole: 56 numbers, each with tests that bear it, and each of the client's with a protection."""

import pytest
import requirements
from protections import protections
from requirements import Requirement

ROWS = requirements.requirements()
TESTS = requirements.numbered_tests()
PROTECTIONS = protections()
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
    assert row.covered or row.theirs == "pages"
    for name in row.covered:
        requirements.test_named(name)


def test_every_test_bears_the_number_of_a_requirement() -> None:
    names = [test for path in requirements.TABLE.parent.glob("test_*.py") for test in requirements.tests_in(path)]
    known = {row.number for row in ROWS}

    assert [] == [test.id for test in names if not requirements.NUMBERED.fullmatch(test.name)]
    assert set(TESTS) <= known
