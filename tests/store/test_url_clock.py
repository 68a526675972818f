"""HTTP driver test: tests/collector/test_clock.py with the store behind a URL."""

from tests.collector.test_clock import *  # noqa: F403
