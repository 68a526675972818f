"""What was read or made before, kept while it is used: the least recently used goes first. From any thread.

Only for what cannot change under its key: nothing here is ever made anew.
"""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentlyUsed(Generic[K, V]):
    """Values, of which as many are kept as weigh so much together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._weight = 0

    def get(self, key: K) -> V | None:
        """A value. None: it is not kept."""
        with self._guard:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: K, value: V, weight: int) -> None:
        """Keep a value, instead of those that were not used for longest. What weighs more than all may is not kept."""
        with self._guard:
            _, before = self._kept.pop(key, (None, 0))
            self._weight -= before
            if weight > self._most:
                return
            self._kept[key] = value, weight
            self._weight += weight
            while self._weight > self._most:
                _, (_, less) = self._kept.popitem(last=False)
                self._weight -= less

    def clear(self) -> None:
        """Keep nothing."""
        with self._guard:
            self._kept.clear()
            self._weight = 0
