"""HTTP driver test: tests/collector/test_keys_and_privacy.py with the store behind a URL."""

from tests.collector.test_keys_and_privacy import *  # noqa: F403
