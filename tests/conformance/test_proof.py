"""The table can fail: probes that do what a probe must not are caught by the rows that are about it."""

import pytest

from tests.conformance.compare import differences
from tests.conformance.conftest import Bare
from tests.conformance.intrusive import INTRUDERS
from tests.conformance.play import play
from tests.conformance.table import Case, cases
from tests.conformance.test_conformance import unlike
from tests.conformance.ways import Core

QUIET = (
    "option make",
    "exit_statuses",
    "death_by_signals",
    "descriptors_of_a_recipe",
    "two_slots_in_a_sub_make",
    "the_environment_of_a_recipe",
)


def caught(case: Case, name: str, core: Core, bare: Bare) -> list[str]:
    """What the table says of an intruder; that targets were not seen is not enough."""
    found: list[str] = []
    measured = core.measured(name, INTRUDERS[name].probe(name, core))
    for count in range(2):
        found = differences(case, bare(case, core.bare(), count), play(case, measured))
        if not found:
            return []
    return found


@pytest.mark.parametrize(("name", "row"), [(name, intruder.rows[0]) for name, intruder in INTRUDERS.items() if intruder.rows])
def test_an_intrusive_probe_is_caught(name: str, row: str, core: Core, bare: Bare) -> None:
    assert [] != caught(cases()[row], name, core, bare)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "row"), [(name, row) for name, intruder in INTRUDERS.items() for row in intruder.rows[1:]])
def test_it_is_caught_by_each_row_that_is_about_it(name: str, row: str, core: Core, bare: Bare) -> None:
    assert [] != caught(cases()[row], name, core, bare)


@pytest.mark.parametrize("row", QUIET)
def test_a_script_around_the_shim_is_not_what_is_caught(row: str, core: Core, bare: Bare) -> None:
    """So what is caught above is what the intruder adds."""
    probe = INTRUDERS["harmless"].probe("harmless", core)

    assert [] == unlike(cases()[row], bare, core.bare(), core.measured("harmless", probe))


def test_a_probe_that_sees_nothing_is_caught(core: Core, bare: Bare) -> None:
    """Nothing would be the same as nothing: so each row asks what the target log says."""
    blind = core.measured("blind", core.changed("blind", {"probe.mk": "# nothing\n"}))

    assert ["not seen: all"] == unlike(cases()["oneshell"], bare, core.bare(), blind)
