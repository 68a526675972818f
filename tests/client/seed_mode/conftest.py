"""Somebody in a checkout like devstack's, at the founding system's own address."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client.founding import Devstack, ProxiedRecorder
from tests.client.people import Developer
from tests.client.recorder import Recorder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Recorder]:
    """What stands for the founding system's endpoint."""
    with ProxiedRecorder(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def devstack(hire: Callable[..., Developer], server: ProxiedRecorder) -> Devstack:
    return Devstack(hire(), server)


@pytest.fixture
def member(devstack: Devstack) -> Devstack:
    """Somebody who said yes to devstack."""
    devstack.opt_in()
    assert devstack.developer.status()["mode"] == "on"
    return devstack
