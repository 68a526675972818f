"""A make that is measured builds what it builds without us, says what it says without us, and ends as it ends without us."""

import pytest

from tests.conformance.compare import differences, missing
from tests.conformance.conftest import Bare
from tests.conformance.play import Way, play
from tests.conformance.table import Case, cases, make_version, playable
from tests.conformance.ways import Core, of_developer
from tests.transparency.developer import Developer

TRIES = 3  # a difference that make shows by itself between two runs is none of ours, and one that does not repeat is noise
EVERY = [name for name, case in cases().items() if playable(case, make_version())]
IN_4_4 = [name for name, case in cases().items() if playable(case, (4, 4))]
FORCED = [name for name in EVERY if cases()[name].forced and not cases()[name].deviation]

# What the shim in sh cannot do: it runs a line through the shell also where make would execute it directly, and it is itself a
# shell, which cannot end by every signal, nor pass one on while its child runs.
NOT_IN_SH = {
    "a_sub_make_that_is_killed", "an_interpreter_in_a_recipe_survives_ctrl_c", "commands_that_are_not_there", "ctrl_backslash", "ctrl_c",
    "ctrl_c_in_a_sub_make_with_two_jobs", "ctrl_c_removes_the_half_made_target", "death_by_signals", "exit_statuses", "odd_names",
    "shell_that_is_not_there", "sighup_to_make", "sigterm_to_make", "sigterm_to_make_with_a_recipe_that_knows_nothing_of_it",
    "sigterm_to_the_group_arrives_once",
}  # fmt: skip
IN_SH = [name for name in EVERY if not cases()[name].deviation and name not in NOT_IN_SH]


def unlike(case: Case, bare: Bare, unmeasured: Way, measured: Way) -> list[str]:
    """In what a measured make is unlike every bare one."""
    found: list[str] = []
    for count in range(TRIES):
        seen = play(case, measured)
        for other in range(count + 1):
            found = [*differences(case, bare(case, unmeasured, other), seen), *missing(case, seen, make_version(measured.env["PATH"]))]
            if not found:
                return []
    return found


@pytest.mark.parametrize("name", EVERY)
def test_the_probe_changes_nothing(name: str, core: Core, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, core.bare(), core.way("probe"))


@pytest.mark.parametrize("name", IN_4_4)
def test_the_probe_changes_nothing_for_make_4_4(name: str, core_of_4_4: Core, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, core_of_4_4.bare(), core_of_4_4.way("probe"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FORCED)
@pytest.mark.parametrize("mode", ["shell", "flags"])
def test_neither_mode_changes_anything(name: str, mode: str, core: Core, bare: Bare) -> None:
    """Where the text of SHELL matters the probe chooses by itself; everywhere else it may be in either."""
    assert [] == unlike(cases()[name], bare, core.bare(), core.way(mode))


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_SH)
def test_the_shim_in_sh_changes_nothing_but_what_it_is_known_for(name: str, core: Core, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, core.bare(), core.way("fallback"))


@pytest.mark.parametrize("name", [name for name in EVERY if "attach" in cases()[name].ways])
def test_a_make_that_is_attached_to_is_as_without_us(name: str, developer: Developer, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, of_developer(developer, "bare"), of_developer(developer, "attach"))


@pytest.mark.parametrize("name", [name for name in EVERY if "run" in cases()[name].ways])
def test_innerloop_run_make_is_make(name: str, developer: Developer, bare: Bare) -> None:
    assert [] == unlike(cases()[name], bare, of_developer(developer, "bare"), of_developer(developer, "run"))
