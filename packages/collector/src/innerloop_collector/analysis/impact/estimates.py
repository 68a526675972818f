"""What is answered: an estimate with its uncertainty, or a refusal with its reason. Nothing in it is about one person."""

import math
from dataclasses import dataclass
from enum import StrEnum

from innerloop_collector.analysis.impact.question import Assignment, Exposure, Metric


class Reason(StrEnum):
    """Why no number is given."""

    NO_TREATED_RUNS = "no treated runs"
    NONE_SUCCEEDED = "none succeeded"
    ONLY_CHECKS = "only checks"  # of failures that are friction: whatever is affected fails to inform
    NO_CONTROL_RUNS = "no control runs"
    TOO_FEW_WEEKS_BEFORE = "too few weeks before"
    TOO_FEW_WEEKS_AFTER = "too few weeks after"  # too early
    TOO_FEW_USERS = "too few users"
    TOO_FEW_EFFECTIVE_USERS = "too few effective users"
    TOO_FEW_PROJECTS = "too few projects"
    TOO_FEW_RUNS = "too few runs"
    EXPOSURE_UNKNOWN = "exposure unknown"
    NOTHING_EXPOSED = "nothing exposed"
    WORK_UNKNOWN = "work unknown"
    HARDLY_EXPOSED = "hardly exposed"  # by date: it has not arrived
    NOT_DETERMINED = "not determined"  # without one developer or project there would be nothing to compare
    NO_VARIATION = "no variation"  # nothing differs from anything, so nothing says how sure a number is


class Warned(StrEnum):
    """What a reader should know before relying on the number."""

    NO_CONTROL = "no control"  # it is assumed that the trend would have gone on
    FEW_EFFECTIVE_USERS = "few effective users"
    ONE_USER_DOMINATES = "one user dominates"
    FEW_PROJECTS = "few projects"
    FEW_FAILURES = "few failures"
    SMALL_CONTROL = "small control"
    USERS_CHANGED = "users changed"
    MANY_INTERRUPTED = "many interrupted"
    INTERRUPTIONS_MOVED = "interruptions moved"
    USERS_ONLY = "users only"  # too few weeks to see whether weeks differ more than people do
    WEEKS_MISSING = "weeks missing"
    STOPPED_AS_LONGER = "stopped as longer"  # interrupted runs count with what they would have taken
    EXPOSED_IN_PART = "exposed in part"  # by date: the change has not reached every checkout
    EXPOSURE_PARTLY_UNKNOWN = "exposure partly unknown"
    FIRST_RUNS_UNKNOWN = "first runs unknown"  # by exposure: those that pulling made slow count as well


class Label(StrEnum):
    """What the number may be called."""

    EFFECT = "effect"
    CHANGE = "change"  # there was nothing to compare with


class Width(StrEnum):
    """What made the interval as wide as it is."""

    USERS = "users"
    WEEKS = "weeks"


@dataclass(frozen=True)
class Counts:
    """How much the answer rests on."""

    users: int = 0  # seen before and after
    runs_before: int = 0  # of treated targets
    runs_after: int = 0
    weeks_before: int = 0
    weeks_after: int = 0
    effective_users: float | None = None  # G*: as many equally informative developers would tell as much
    projects: int | None = None  # where projects were assigned
    effective_projects: float | None = None


@dataclass(frozen=True)
class Gap:
    """How far treated and control runs were apart in a week, relative to the weeks before the change. None: too few developers to tell."""

    week: int
    value: float | None


_RELATIVE = (Metric.DURATION, Metric.USAGE)
_MOST = 20.0  # of a logarithm: whatever is more is no number that anybody could use


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty.

    Of durations and usage it is the natural logarithm of a ratio, of failures and adoption a difference of shares.
    """

    metric: Metric
    label: Label
    exposure: Exposure
    assignment: Assignment
    value: float
    low: float
    high: float
    confidence: float  # of the interval, such as 0.95
    p: float
    detectable: float  # what would be found with 80 % probability, on the same scale
    width: Width
    counts: Counts
    warnings: tuple[Warned, ...] = ()
    gaps: tuple[Gap, ...] = ()
    exposed_share: float | None = None  # of treated runs since the date, of those of which it is known; None: of most it is not
    exposed_before: float = 0.0  # the same before it, of those who tried it early

    @property
    def half_width(self) -> float:
        """Half the interval."""
        return (self.high - self.low) / 2

    @property
    def relative(self) -> bool:
        """Whether it is a logarithm of a ratio."""
        return self.metric in _RELATIVE

    @property
    def detectable_percent(self) -> float:
        """What would be found, in percent or points: as much less of a duration, as much more of what is used."""
        return self.percent(self.detectable) if self.metric is Metric.USAGE else abs(self.percent(-self.detectable))

    def percent(self, value: float) -> float:
        """A number of its scale in percent, or in percentage points."""
        return self.percent_of(self.metric, value)

    @staticmethod
    def percent_of(metric: Metric, value: float) -> float:
        """A number of a metric's scale in percent, or in percentage points."""
        return 100 * math.expm1(min(value, _MOST)) if metric in _RELATIVE else 100 * value


@dataclass(frozen=True)
class Refusal:
    """No number, and why."""

    metric: Metric
    label: Label
    exposure: Exposure
    reason: Reason
    needed: float | None = None
    found: float | None = None
    counts: Counts = Counts()


Answer = Estimate | Refusal
