"""Developers who answered differently, on whose stages the scenarios play."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Installed
from tests.transparency import developer
from tests.transparency.developer import NOBODY_LISTENS, Developer


@pytest.fixture(scope="session", autouse=True)
def nothing_goes_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End what a wrapper left behind, the deliberately bad ones above all: whatever still has a home of this session."""
    yield
    mark = f"HOME={tmp_path_factory.getbasetemp()}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue  # it ended meanwhile, or is not ours


@pytest.fixture(scope="session")
def hire(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Developer]:
    """Make a developer; see `developer.hire`."""

    def make(answered: str = "", endpoint: str = NOBODY_LISTENS) -> Developer:
        return developer.hire(installed.innerloop, tmp_path_factory.mktemp("developer"), answered, endpoint)

    return make


@pytest.fixture(scope="session")
def agreed(hire: Callable[..., Developer]) -> Developer:
    """Somebody who said yes: their commands are measured."""
    return hire("yes")


@pytest.fixture(scope="session")
def refused(hire: Callable[..., Developer]) -> Developer:
    """Somebody who said no: their commands are executed in place."""
    return hire("no")


@pytest.fixture(scope="session")
def unasked(hire: Callable[..., Developer]) -> Developer:
    """Somebody who was never asked."""
    return hire()


@pytest.fixture
def somebody(hire: Callable[..., Developer]) -> Developer:
    """Somebody who said yes, for one test only, which may do harm to their files."""
    return hire("yes")
