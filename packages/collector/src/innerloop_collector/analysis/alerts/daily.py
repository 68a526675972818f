"""What is known of one target, as sums by person and day: all that detection needs, and no run."""

from dataclasses import dataclass
from enum import Enum
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Measure(Enum):
    """What may have become worse, and the least rise that is worth telling."""

    DURATION = "duration", log(1.05), 0.025  # sums are of the logarithms of milliseconds, over runs that succeeded
    FAILURES = "failures", 0.02, 0.008  # sums are of failures, over runs that ended by themselves

    def __init__(self, word: str, least: float, unrest: float) -> None:
        self.word = word
        self.least = least
        self.unrest = unrest  # by so much a team's mean of two weeks moves without a reason that anybody would look for


@dataclass(frozen=True, eq=False, slots=True)
class Daily:
    """How many runs each person had on each day, and the sum of what is measured of them. A row is a person, a column a day."""

    runs: Numbers
    total: Numbers

    def __post_init__(self) -> None:
        if self.runs.ndim != 2 or self.runs.shape != self.total.shape:
            raise ValueError("runs and total are people x days, both")

    @classmethod
    def of(cls, shape: tuple[int, int], person: Codes, day: Codes, runs: Numbers, total: Numbers) -> Self:
        """Put a list of cells in its place: people and days are numbers from 0 on. Several of one person and day add up."""
        place, size = person * shape[1] + day, shape[0] * shape[1]
        filled = [np.bincount(place, weights=one, minlength=size).astype(np.float64).reshape(shape) for one in (runs, total)]
        return cls(*filled)

    @property
    def days(self) -> int:
        """How many there are."""
        return int(self.runs.shape[1])

    def span(self, days: range) -> tuple[Numbers, Numbers]:
        """Each person's runs and sums in some days."""
        return self.runs[:, days.start : days.stop].sum(1), self.total[:, days.start : days.stop].sum(1)
