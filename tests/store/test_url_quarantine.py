"""HTTP driver test: tests/collector/test_quarantine.py with the store behind a URL."""

from tests.collector.test_quarantine import *  # noqa: F403
