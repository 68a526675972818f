"""Where the table is played, and what was seen of bare make there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import makes
from tests.conformance.play import Observation, Way, play
from tests.conformance.table import Case
from tests.conformance.ways import Core
from tests.conftest import Installed
from tests.transparency.developer import Developer, hire

Bare = Callable[[Case, Way, int], Observation]


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    """The probe, without any of the rest."""
    return Core(tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="session")
def core_of_4_4(tmp_path_factory: pytest.TempPathFactory) -> Core:
    """The same with GNU make 4.4.1."""
    try:
        return Core(tmp_path_factory.mktemp("core-of-4.4"), makes.directory())
    except (OSError, LookupError) as error:
        pytest.skip(f"GNU make 4.4.1 could not be had, so only the system's make is tried: {error}")


@pytest.fixture(scope="session")
def developer(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Developer:
    """Somebody who agreed."""
    return hire(installed.innerloop, tmp_path_factory.mktemp("developer"), "yes")


@pytest.fixture(scope="session")
def bare() -> Bare:
    """What is seen of bare make, the first time, the second time and so on; remembered, because it is asked for often."""
    known: dict[tuple[str, Path, int], Observation] = {}

    def observation(case: Case, way: Way, count: int) -> Observation:
        key = (case.name, way.project, count)
        if key not in known:
            known[key] = play(case, way)
        return known[key]

    return observation
