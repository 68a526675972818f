"""HTTP driver test: tests/collector/test_erasure.py with the store behind a URL."""

from tests.collector.test_erasure import *  # noqa: F403
