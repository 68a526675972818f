"""How fast something may go on, with a burst."""

import math


class Bucket:
    """Fills with so many events a second, up to a burst. What is taken out may be more than is in it: then it is in debt."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, events: int, now: float) -> int:
        """Take events out. Returns 0, or after how many seconds there are enough, and nothing is taken."""
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        missing = min(events, self._burst) - self._level
        if missing > 0:
            return math.ceil(missing / self._rate)
        self._level -= events
        return 0
