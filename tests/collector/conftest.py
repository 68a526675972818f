"""Collectors for tests, each in a directory of its own."""

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
