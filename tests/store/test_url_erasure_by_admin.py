"""HTTP driver test: tests/collector/test_erasure_by_admin.py with the store behind a URL."""

from tests.collector.test_erasure_by_admin import *  # noqa: F403
