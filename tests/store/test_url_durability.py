"""HTTP driver test: tests/collector/test_durability.py with the store behind a URL."""

from tests.collector.test_durability import *  # noqa: F403
