"""What is asked of a panel."""

from dataclasses import dataclass
from enum import StrEnum


class Invalid(ValueError):
    """What was given is no panel, or no question that a panel can answer. The message says what is wrong, in one line."""


class Metric(StrEnum):
    """What a change may have altered."""

    DURATION = "duration"  # time until success
    FAILURES = "failures"  # share of runs that fail, of targets whose failure is friction
    FAILED_CHECKS = "failed_checks"  # the same of checks, whose failure is information
    USAGE = "usage"  # runs, relative to the controls
    ADOPTION = "adoption"  # share of developers who ran it at all


class Assignment(StrEnum):
    """What got the change, or not, at its date."""

    USER = "user"
    PROJECT = "project"  # some projects got it and others serve as controls


class Exposure(StrEnum):
    """From when on a run counts as changed."""

    BY_DATE = "by date"  # from the change's date on, for everybody: "in the team so far"
    BY_EXPOSURE = "by exposure"  # as soon as the checkout held it


@dataclass(frozen=True)
class Group:
    """Which runs: those of these targets in these projects. None: of all."""

    targets: frozenset[int] | None = None
    projects: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.targets is not None and not self.targets:
            raise Invalid("a group names no target; None means all of them")
        if self.projects is not None and not self.projects:
            raise Invalid("a group names no project; None means all of them")


# No limit can be put below these: with less there is nothing to compare.
_LEAST = {
    "users": 2,
    "effective_users": 2,
    "projects": 4,
    "effective_projects": 2,
    "runs": 2,
    "weeks_before": 1,
    "weeks_after": 1,
    "users_a_week": 1,
}


@dataclass(frozen=True)
class Limits:
    """Below what no number is given, and from where on a claim of no change is worth something."""

    users: int = 8  # seen before and after
    effective_users: float = 5.0  # who publishes asks for 8
    projects: int = 5  # where projects were assigned, as many on either side together
    effective_projects: float = 4.0  # of those: one that does most of the runs is a team of its own
    runs: int = 30  # of treated targets, before and after each
    weeks_before: int = 3
    weeks_after: int = 1
    users_a_week: int = 5  # for a week's gap to be told
    no_change: float = 0.15  # what "no change" may leave open: 15 %
    no_change_points: float = 0.05  # of shares: 5 points

    def __post_init__(self) -> None:
        for name, floor in _LEAST.items():
            if getattr(self, name) < floor:
                raise Invalid(f"{name} is below {floor}")
        if not (0 < self.no_change < 1 and 0 < self.no_change_points < 1):
            raise Invalid("no_change is not between 0 and 1")


@dataclass(frozen=True)
class Question:
    """What is asked, fixed before anybody looks."""

    week: int  # the first week after the change
    treated: Group  # whom it affects
    control: Group | None = None  # whom it does not; None: nothing serves, so what is found is a change and no effect
    metric: Metric = Metric.DURATION
    exposure: Exposure = Exposure.BY_DATE
    assignment: Assignment = Assignment.USER
    checks: frozenset[int] = frozenset()  # targets whose failure is information
    dropped: frozenset[int] = frozenset()  # weeks that count for nothing, such as those of a gradual roll-out
    weeks_before: int | None = None  # how many weeks of the panel are looked at; None: all
    weeks_after: int | None = None
    same_work: bool = False  # compare runs of the same class of targets made
    alpha: float = 0.05
    looks: int = 1  # how often the answer is looked at, all told
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise Invalid("alpha is not between 0 and 0.5")
        if not 1 <= self.looks <= 100:
            raise Invalid("looks is not between 1 and 100")
        if any(weeks is not None and weeks < 1 for weeks in (self.weeks_before, self.weeks_after)):
            raise Invalid("a number of weeks is below 1")
        if self.assignment is Assignment.PROJECT and (
            self.treated.projects is None or self.control is None or self.control.projects is None
        ):
            raise Invalid("where projects were assigned, the treated and the control projects are named")
        if self.assignment is Assignment.USER and self.control is not None and _apart(self.treated, self.control):
            raise Invalid(
                "the controls are runs of other projects, so projects and not developers got the change: ask by project (--by-project)"
            )
        if self.control is not None and _overlap(self.treated, self.control):
            raise Invalid("a target or project is treated and a control at once")

    @property
    def level(self) -> float:
        """The chance of being wrong that each look may take, so that all of them together keep `alpha`."""
        return self.alpha / self.looks


def _overlap(one: Group, other: Group) -> bool:
    return _meet(one.targets, other.targets) and _meet(one.projects, other.projects)


def _apart(one: Group, other: Group) -> bool:
    return not _meet(one.projects, other.projects)


def _meet(one: frozenset[int] | None, other: frozenset[int] | None) -> bool:
    return one is None or other is None or bool(one & other)
