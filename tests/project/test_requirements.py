"""The table of requirements is whole: 56 numbers, each with tests that bear it, and each with a protection that is taken out."""

import pytest
import requirements
from protections import protections
from requirements import Requirement

ROWS = requirements.requirements()
TESTS = requirements.numbered_tests()
PROTECTIONS = protections()


def test_no_number_is_missing() -> None:
    assert list(range(1, 57)) == [row.number for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_every_requirement_is_a_sentence_and_was_somebodys_complaint(row: Requirement) -> None:
    assert row.text.endswith(".")
    assert row.complaints


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_every_requirement_is_tried(row: Requirement) -> None:
    """By tests that bear its number, or, where the collector keeps it, by tests that the table names."""
    elsewhere = [requirements.test_named(name) for name in row.covered]

    assert elsewhere if row.collector else TESTS.get(row.number), f"no test is named test_c{row.number:02}_..."
    assert bool(elsewhere) == row.collector
    assert [one for one in PROTECTIONS if row.number in one.requirements], "no protection of it is taken out in tests/protections"


def test_every_test_bears_the_number_of_a_requirement() -> None:
    names = [test for path in requirements.TABLE.parent.glob("test_*.py") for test in requirements.tests_in(path)]
    known = {row.number for row in ROWS}

    assert [] == [test.id for test in names if not requirements.NUMBERED.fullmatch(test.name)]
    assert set(TESTS) <= known
