"""HTTP driver test: tests/collector/test_schema.py with the store behind a URL."""

from tests.collector.test_schema import *  # noqa: F403
