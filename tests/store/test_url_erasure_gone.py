"""HTTP driver test: tests/collector/test_erasure_gone.py with the store behind a URL."""

from tests.collector.test_erasure_gone import *  # noqa: F403
