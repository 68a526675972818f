"""HTTP driver test: tests/collector/test_erasure_catches.py with the store behind a URL."""

from tests.collector.test_erasure_catches import *  # noqa: F403
