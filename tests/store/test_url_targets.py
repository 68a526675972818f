"""HTTP driver test: tests/collector/test_targets.py with the store behind a URL."""

from tests.collector.test_targets import *  # noqa: F403
