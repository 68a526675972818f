"""HTTP driver test: tests/collector/test_retention.py with the store behind a URL."""

from tests.collector.test_retention import *  # noqa: F403
