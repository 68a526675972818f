"""HTTP driver test: tests/collector/test_forget_by_its_developer.py with the store behind a URL."""

from tests.collector.test_forget_by_its_developer import *  # noqa: F403
