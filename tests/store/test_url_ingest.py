"""HTTP driver test: tests/collector/test_ingest.py with the store behind a URL."""

from tests.collector.test_ingest import *  # noqa: F403
