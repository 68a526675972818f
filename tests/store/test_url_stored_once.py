"""HTTP driver test: tests/collector/test_stored_once.py with the store behind a URL."""

from tests.collector.test_stored_once import *  # noqa: F403
