"""How long to wait after a failure. May import: the standard library."""

import random


class Pauses:
    """Growing pauses with jitter: after n failures in a row between half and all of first * 2 ** (n - 1) seconds."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self.failures = 0

    def next(self, asked: float = 0.0) -> float:
        """Seconds until the next attempt, and never fewer than the destination asked for."""
        self.failures += 1
        most = min(self._first * 2.0 ** min(self.failures - 1, 30), self._longest)
        return max(most * random.uniform(0.5, 1.0), asked)  # noqa: S311 (nothing depends on its being secret)

    def reset(self) -> None:
        """Something worked."""
        self.failures = 0
