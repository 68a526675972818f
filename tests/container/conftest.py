"""A host and its containers, new for every test; root only, since a container's root is what is tried."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client.recorder import Recorder
from tests.conftest import ROOT
from tests.container.roots import COLLECTOR, DEVELOPER, Mount, Root, fragment


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one file, built from this working tree."""
    built = tmp_path_factory.mktemp("pyz") / "innerloop.pyz"
    subprocess.run([sys.executable, ROOT / "tools" / "build_pyz.py", built], check=True, capture_output=True)
    return built


@pytest.fixture(scope="session")
def can_enter_roots() -> None:
    """Skip where no root can be entered."""
    if os.geteuid() != 0:
        pytest.skip("not root: no other root can be entered, so containers were not tried")
    if not Path("/usr/bin/python3").exists() or not Path("/bin").is_symlink():
        pytest.skip("this system has no python3 in /usr, or no merged /usr: its /usr makes no root")
    probe = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no private mount namespace can be made here: containers were not tried")


@pytest.fixture
def base(can_enter_roots: None) -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="innerloop-roots-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def server() -> Iterator[Recorder]:
    """The recording server that the project file names as its endpoint."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def host(base: Path, pyz: Path, server: Recorder) -> Root:
    """A host on which a developer stands in a checkout of a project that they were never asked about."""
    return Root(base / "host", pyz, "/home/dev", DEVELOPER).project("/home/dev/shop", server.url.replace("127.0.0.1", COLLECTOR))


@pytest.fixture
def agreed(host: Root) -> Root:
    """That host, after a yes."""
    assert "commands are measured from now on" in host.opt_in("yes").text
    return host


@pytest.fixture
def new_container(base: Path, pyz: Path, host: Root) -> Callable[..., Root]:
    """Make containers in which root stands in the developer's checkout, at another path than on the host."""

    def make(name: str = "container", directory: str = "/app") -> Root:
        container = Root(base / name, pyz, "/root", 0)
        container.mounts.append(Mount(str(host.inside(host.directory)), directory))
        container.directory = directory
        return container

    return make


@pytest.fixture
def alone(new_container: Callable[..., Root]) -> Root:
    """A container that shares the checkout with the host and nothing else."""
    return new_container()


@pytest.fixture
def share(agreed: Root) -> Callable[[Root], Root]:
    """Mount into a container what `innerloop init --container` prints on the host."""

    def mount(container: Root) -> Root:
        printed = agreed.innerloop("init", "--container")
        assert printed.status == 0, printed
        container.mounts += [Mount(str(agreed.inside(source)), target) for source, target in fragment(printed.out)]
        return container

    return mount


@pytest.fixture
def container(alone: Root, share: Callable[[Root], Root]) -> Root:
    """A container with the mount, on the host of somebody who said yes."""
    return share(alone)
