"""The developers and the recording server of the client's tests, here for every requirement."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.conftest import agreed, developer, hire, machine_file, root, server, small_disk
from tests.client.people import Developer
from tests.requirements.support import NETWORKS, Network

__all__ = ["agreed", "developer", "hire", "machine_file", "root", "server", "small_disk"]


@pytest.fixture
def queued(agreed: Developer) -> Developer:
    """Somebody who agreed and has three runs that may leave at once, with a delivery that is due."""
    for target in ("test", "build", "fail"):
        agreed.run("make", target)
    assert len(agreed.pending()) == 3
    agreed.let_releases_pass()
    agreed.make_delivery_due()
    return agreed


@pytest.fixture
def namespace() -> Callable[..., list[str]]:
    """Words to put before a command so that it runs in namespaces of its own: `net`, `mount`, `time`."""
    unshare = shutil.which("unshare")

    def words(*kinds: str) -> list[str]:
        found = [unshare or "", "--map-root-user", *(f"--{kind}" for kind in kinds)]
        if unshare is None or subprocess.run([*found, "true"], capture_output=True, check=False).returncode:
            pytest.skip(f"no private {' and '.join(kinds)} namespace can be made here: this was not tried")
        return found

    return words


@pytest.fixture(params=NETWORKS)
def dead_network(request: pytest.FixtureRequest, namespace: Callable[..., list[str]]) -> Network:
    """A machine whose network is of no use, in one of the ways of which it may be."""
    made = NETWORKS[request.param]
    return made._replace(words=(*namespace("net", "mount"), sys.executable, "-I", str(Path(__file__).parent / "network.py"), made.how))


@pytest.fixture
def hung(namespace: Callable[..., list[str]], tmp_path: Path) -> Callable[[Path], list[str]]:
    """Words to put before a command so that, for it alone, a directory hangs: whoever asks it anything waits."""
    before = [*namespace("mount"), sys.executable, "-I", str(Path(__file__).parent / "hang.py")]
    tried = subprocess.run([*before, str(tmp_path), "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no file system that hangs can be made here: {tried.stderr.strip()}")
    return lambda directory: [*before, str(directory)]
