"""HTTP driver test: tests/collector/test_cli.py with the store behind a URL."""

from tests.collector.test_cli import *  # noqa: F403
