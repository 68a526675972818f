"""A make that is measured builds what it builds without us, says what it says without us, and ends as it ends without us."""

import pytest

from tests.conformance.compare import differences, missing
from tests.conformance.conftest import Bare
from tests.conformance.play import Way, play
from tests.conformance.table import Case, cases, playable
from tests.conformance.ways import Core, of_developer
from tests.transparency.developer import Developer

TRIES = 3  # a difference that make shows by itself between two runs is none of ours, and one that does not repeat is noise
EVERY = [name for name, case in cases().items() if playable(case)]
FORCED = [name for name in EVERY if cases()[name].forced and not cases()[name].deviation]


def unlike(case: Case, bare: Bare, unmeasured: Way, measured: Way) -> list[str]:
    """In what a measured make is unlike every bare one."""
    found: list[str] = []
    for count in range(TRIES):
        seen = play(case, measured)
        for other in range(count + 1):
            found = [*differences(case, bare(case, unmeasured, other), seen), *missing(case, seen)]
            if not found:
                return []
    return found


@pytest.mark.parametrize("name", EVERY)
def test_the_probe_changes_nothing(name: str, core: Core, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, core.bare(), core.way("probe"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FORCED)
@pytest.mark.parametrize("mode", ["shell", "flags"])
def test_neither_mode_changes_anything(name: str, mode: str, core: Core, bare: Bare) -> None:
    """Where the text of SHELL matters the probe chooses by itself; everywhere else it may be in either."""
    assert [] == unlike(cases()[name], bare, core.bare(), core.way(mode))


@pytest.mark.parametrize("name", [name for name in EVERY if "attach" in cases()[name].ways])
def test_a_make_that_is_attached_to_is_as_without_us(name: str, developer: Developer, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, of_developer(developer, "bare"), of_developer(developer, "attach"))


@pytest.mark.parametrize("name", [name for name in EVERY if "run" in cases()[name].ways])
def test_innerloop_run_make_is_make(name: str, developer: Developer, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, of_developer(developer, "bare"), of_developer(developer, "run"))
