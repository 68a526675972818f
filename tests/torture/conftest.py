"""The fixtures of the collector's tests, for those that torture it."""

from tests.collector.conftest import collector, idle, new_collector, small_disk

__all__ = ["collector", "idle", "new_collector", "small_disk"]
