"""Collectors whose store is behind a URL. The tests of tests/collector that are about the store run here once more, on these."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.conftest import collector, idle, small_disk
from tests.store.servers import REAL, FrontServer, UrlCollector

EMBEDDED = {
    "test_the_journal_holds_every_erasure_and_brings_it_back_to_a_store_that_lost_it": "the files that it copies are the server's",
    "test_a_full_disk_is_answered_503_and_the_erasure_is_complete_once_there_is_room": "the disk is the server's",
    "test_the_disk_has_the_new_parts_before_the_old_ones_go_and_their_end_before_the_answer": "syncing is the server's",
}
__all__ = ["collector", "idle", "small_disk"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the second round to `make test-slow`."""
    for item in items:
        if not item.path.name.startswith("test_url_"):
            continue
        item.add_marker(pytest.mark.slow)
        if why := EMBEDDED.get(getattr(item, "originalname", "")):
            item.add_marker(pytest.mark.skip(reason=f"NOT TESTED by URL: {why}"))


@pytest.fixture
def new_collector(tmp_path: Path) -> Iterator[Callable[[], UrlCollector]]:
    """Makes collectors that do not run yet, each with a server of its own."""
    made: list[UrlCollector] = []

    def make() -> UrlCollector:
        directory = tmp_path / f"collector-{len(made)}"
        directory.mkdir()
        made.append(UrlCollector(directory))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UrlCollector]:
    """A running collector for tests that leave nothing behind in it."""
    one = UrlCollector(tmp_path_factory.mktemp("shared"))
    try:
        yield one.start_with()
    finally:
        one.close()


@pytest.fixture
def front(collector: UrlCollector) -> FrontServer:
    """The running collector's server, where it can be made to fail."""
    if REAL:
        pytest.skip("NOT TESTED: a real server is not made to fail")
    assert isinstance(collector.server, FrontServer)
    return collector.server
