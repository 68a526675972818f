"""HTTP driver test: tests/collector/test_tokens.py with the store behind a URL."""

from tests.collector.test_tokens import *  # noqa: F403
