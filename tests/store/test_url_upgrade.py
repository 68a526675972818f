"""HTTP driver test: tests/store/test_upgrade.py with the store behind a URL."""

from tests.store.conftest import new_collector
from tests.store.test_upgrade import *  # noqa: F403

__all__ = ["new_collector"]
