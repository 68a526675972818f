"""A collector for each test with an SDK, with two projects: one of ours, and the founding system's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.support import Collector, project
from tests.sdks.sdks import ROOT

EXACT = project(fields={"duration_ms": "exact"})  # the tests number events with it


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """A running collector that knows both."""
    directory = tmp_path / "collector"
    directory.mkdir()
    collector = Collector(directory)
    try:
        collector.start_with(EXACT)
        done = collector.cli("projects", "apply", str(ROOT / "examples" / "devstack" / "innerloop.toml"))
        assert 0 == done.returncode, done.stderr
        yield collector
    finally:
        collector.close()
