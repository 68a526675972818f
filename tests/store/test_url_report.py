"""HTTP driver test: tests/collector/test_report.py with the store behind a URL."""

from tests.collector.test_report import *  # noqa: F403
