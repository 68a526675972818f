"""HTTP driver test: tests/collector/test_violations.py with the store behind a URL."""

from tests.collector.test_violations import *  # noqa: F403
