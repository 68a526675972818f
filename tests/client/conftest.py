"""Developers and a server that records what they send, one of each for every test that asks."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import Installed


@pytest.fixture
def server() -> Iterator[Recorder]:
    """The recording server that every project file names as its endpoint."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def hire(installed: Installed, tmp_path: Path, server: Recorder) -> Callable[..., Developer]:
    """Hire developers: each with an empty home, standing in no project yet."""

    def make(name: str = "developer", innerloop: Path | None = None) -> Developer:
        return Developer(innerloop or installed.innerloop, tmp_path / name, server.url)

    return make


@pytest.fixture
def developer(hire: Callable[..., Developer]) -> Developer:
    """Somebody with an empty home, in a checkout of a project that they were never asked about."""
    return hire().project()


@pytest.fixture
def agreed(developer: Developer) -> Developer:
    """Somebody who said yes."""
    developer.opt_in("yes")
    assert developer.consent["decision"] is True
    return developer


@pytest.fixture
def root() -> None:
    """Only root can give files to somebody else."""
    if os.geteuid() != 0:
        pytest.skip("not root: a file of somebody else's cannot be made here")


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[..., list[str]]:
    """Words to put before a command so that a directory is, for it alone, a disk of a given size."""
    unshare = shutil.which("unshare")
    probe = [unshare or "", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if unshare is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no private mount namespace can be made here: a full disk was not tried")

    def words(directory: Path, script: str, size: str = "64k") -> list[str]:
        mount = f'mount -t tmpfs -o size={size} tmpfs "$1" && shift && {script}'
        return [unshare, "--mount", "--map-root-user", "sh", "-ec", mount, "sh", str(directory)]

    return words


@pytest.fixture
def machine_file(tmp_path: Path) -> Callable[[str], list[str]]:
    """Words to put before a command so that, for it alone, the machine has an /etc/innerloop.toml with this content."""
    unshare = shutil.which("unshare")
    scratch = tmp_path / "scratch-of-etc"
    scratch.mkdir()
    script = """
mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
printf '%s' "$2" > /etc/innerloop.toml
shift 2
exec "$@"
"""

    def words(text: str) -> list[str]:
        return [unshare or "", "--mount", "--map-root-user", "sh", "-ec", script, "sh", str(scratch), text]

    if unshare is None or subprocess.run([*words(""), "true"], capture_output=True, check=False).returncode:
        pytest.skip("no private /etc can be made here: the machine-wide file was not tried")
    return words


@pytest.fixture
def queued(agreed: Developer) -> Developer:
    """Somebody who agreed and has three runs that wait for delivery."""
    for target in ("test", "build", "fail"):
        agreed.run("make", target)
    assert len(agreed.pending()) == 3
    return agreed
