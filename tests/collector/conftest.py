"""Collectors for tests, each in a directory of its own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.support import Collector


@pytest.fixture
def new_collector(tmp_path: Path) -> Iterator[Callable[[], Collector]]:
    """Makes collectors that do not run yet."""
    made: list[Collector] = []

    def make() -> Collector:
        directory = tmp_path / f"collector-{len(made)}"
        directory.mkdir()
        made.append(Collector(directory))
        return made[-1]

    yield make
    for collector in made:
        collector.close()


@pytest.fixture
def idle(new_collector: Callable[[], Collector]) -> Collector:
    """A collector that was never started."""
    return new_collector()


@pytest.fixture
def collector(idle: Collector) -> Collector:
    """A running collector that knows the tests' project and its write key."""
    return idle.start_with()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A running collector for tests that leave nothing behind in it."""
    collector = Collector(tmp_path_factory.mktemp("shared"))
    try:
        yield collector.start_with()
    finally:
        collector.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, small enough to fill."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"NOT TESTED: no file system can be mounted here, so no disk can be filled ({mounted.stderr.decode().strip()})")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
