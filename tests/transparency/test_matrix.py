"""Law 1, never in the way: what can be seen of a command is the same bare, measured and where nobody agreed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transparency import scenarios, scenarios_terminal
from tests.transparency.developer import Developer
from tests.transparency.stage import observe

ROWS = scenarios.MATRIX.rows | scenarios_terminal.MATRIX.rows


@pytest.mark.parametrize("promise", ROWS)
def test_while_measured(promise: str, agreed: Developer) -> None:
    bare = observe(ROWS[promise], agreed.stage("bare", []))
    measured = observe(ROWS[promise], agreed.stage("measured"))

    assert bare == measured


@pytest.mark.parametrize("promise", ROWS)
def test_after_a_no(promise: str, refused: Developer) -> None:
    bare = observe(ROWS[promise], refused.stage("bare", []))
    through = observe(ROWS[promise], refused.stage("through"))

    assert bare == through


@settings(max_examples=40, deadline=None, database=None)
@given(status=st.integers(0, 255))
def test_every_exit_status_is_the_commands(agreed: Developer, status: int) -> None:
    assert status == agreed.stage("measured").run("sh", "-c", f"exit {status}").status


def test_the_matrix_measures(agreed: Developer) -> None:
    """Else everything above would prove nothing: each run of the stage `measured` is recorded, none of the others."""
    before = agreed.recorded()
    for stage in (agreed.stage("bare", []), agreed.stage("measured")):
        stage.run("true")
    with agreed.stage("measured").terminal() as terminal:
        terminal.answer("$W true")

    assert before + 2 == agreed.recorded()


def test_after_a_no_nothing_is_recorded(refused: Developer) -> None:
    refused.stage("through").run("true")

    assert not (refused.state / "spool").exists()
