"""Student's t, and the wider of two intervals."""

from dataclasses import dataclass

from scipy.special import ndtri, stdtr, stdtrit


def quantile(freedom: float, probability: float) -> float:
    """Return Student's t that is not exceeded with that probability."""
    return float(stdtrit(freedom, probability))


def normal_quantile(probability: float) -> float:
    """Return what a standard normal number does not exceed with that probability."""
    return float(ndtri(probability))


@dataclass(frozen=True)
class Uncertainty:
    """A standard error and its degrees of freedom."""

    error: float
    freedom: float

    def half_width(self, level: float) -> float:
        """Half the interval that misses with the chance `level`."""
        return self.error * quantile(self.freedom, 1 - level / 2)

    def p(self, value: float) -> float:
        """How often chance alone is as far from 0."""
        return float(2 * stdtr(self.freedom, -abs(value) / self.error))

    def detectable(self, level: float, power: float = 0.8) -> float:
        """What would be told from 0 with the probability `power`."""
        return self.error * (quantile(self.freedom, 1 - level / 2) + quantile(self.freedom, power))


@dataclass(frozen=True)
class Wider:
    """The wider of two intervals around the same number, and what follows from both: it holds no 0 exactly where `p` is below the level."""

    low: float
    high: float
    p: float
    detectable: float
    by_weeks: bool  # the wider is the one by weeks


def wider(value: float, people: Uncertainty, weeks: Uncertainty | None, level: float) -> Wider:
    """Take the wider interval."""
    both = [people] if weeks is None else [people, weeks]
    half = max(one.half_width(level) for one in both)
    p, detectable = max(one.p(value) for one in both), max(one.detectable(level) for one in both)
    return Wider(value - half, value + half, p, detectable, weeks is not None and weeks.half_width(level) == half)
