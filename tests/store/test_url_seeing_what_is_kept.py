"""HTTP driver test: tests/collector/test_seeing_what_is_kept.py with the store behind a URL."""

from tests.collector.test_seeing_what_is_kept import *  # noqa: F403
