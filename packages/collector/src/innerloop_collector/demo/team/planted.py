"""What is planted: changes, a regression and a creep, each with the effect that it truly has.

The true effect is that of the model, so what analyses find can be held against it. Besides the effect that was meant, a `Tally` adds up what the
affected runs really had, week by week: a change reaches people only with their checkouts, and acts on each a little differently.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

Kind = Literal["helped", "nothing", "hurt", "regression", "creep"]
Metric = Literal["duration", "failure", "usage", "adoption"]


class Planted(NamedTuple):
    """Something that happened to a project in the simulated year."""

    name: str
    title: str
    kind: Kind
    metric: Metric
    project: str
    commands: tuple[str, ...]
    controls: tuple[str, ...]  # commands of the same project that nothing touches in this metric
    at: float  # when, as a share of the simulated time
    effect: float  # log of durations or of use; log odds of failing; of an adoption, the share of developers afterwards
    targets: tuple[str, ...] = ()  # only these targets of the commands; none: all of them alike
    by_checkout: bool = False  # it reaches a developer with the next pull, not at once
    per_week: bool = False  # the effect is that of one week, and adds up
    weeks: int = 0  # for so many weeks, where it adds up

    @property
    def registered(self) -> bool:
        """Whether somebody would have written down that something was changed. Nobody announces a regression or a creep."""
        return self.kind not in ("regression", "creep")

    def week(self, weeks: int) -> int:
        """In which of so many weeks it begins, counted from 0."""
        return max(1, round(self.at * weeks))

    def first_day(self, begin: date, weeks: int) -> date:
        """The Monday on which it begins."""
        return begin + timedelta(weeks=self.week(weeks))

    def shift(self, weeks_since: int) -> float:
        """The effect that is meant, so many weeks after its beginning."""
        return self.effect * min(weeks_since + 1, self.weeks) if self.per_week else self.effect


PLANTED = (
    Planted("shop-test-changed", "make test-changed, which tests only what changed", "helped", "adoption", "simulated-shop",
            ("test-changed",), ("lint", "migrate"), 0.20, 0.55),
    Planted("shop-compiler-cache", "A compiler cache in the checkout", "helped", "duration", "simulated-shop",
            ("build",), ("lint", "migrate"), 0.37, math.log(0.75), by_checkout=True),
    Planted("shop-linter-rules", "Linter rules reordered, said to be faster", "nothing", "duration", "simulated-shop",
            ("lint",), ("migrate", "setup"), 0.58, 0.0, by_checkout=True),
    Planted("shop-browser-tests", "Nobody noticed: browser tests start cold", "regression", "duration", "simulated-shop",
            ("test",), ("lint", "migrate"), 0.77, math.log(1.35)),
    Planted("platform-image-base", "Another base image", "nothing", "duration", "simulated-platform",
            ("image",), ("test", "lint"), 0.25, 0.0, by_checkout=True),
    Planted("platform-remote-cache", "A remote cache for compiling", "helped", "duration", "simulated-platform",
            ("build",), ("test", "lint"), 0.44, math.log(0.60), targets=("compile",), by_checkout=True),
    Planted("platform-pinned-deps", "Dependencies pinned", "helped", "failure", "simulated-platform",
            ("deps",), ("build", "test", "lint"), 0.62, math.log(0.45)),
    Planted("platform-lint-hint", "Review asks for make lint", "helped", "usage", "simulated-platform",
            ("lint",), ("build", "test"), 0.81, math.log(1.5)),
    Planted("mobile-test-creep", "Nobody noticed: each week a little more to test", "creep", "duration", "simulated-mobile",
            ("test",), ("lint", "install"), 0.31, 0.012, per_week=True, weeks=26),
    Planted("mobile-ui-kit", "The new UI kit", "hurt", "duration", "simulated-mobile",
            ("build",), ("lint", "install"), 0.52, math.log(1.30), by_checkout=True),
    Planted("data-faster-loader", "A loader that is said to be faster", "nothing", "duration", "simulated-data",
            ("load",), ("build", "lint"), 0.38, 0.0),
    Planted("data-shared-fixtures", "Fixtures shared between tests", "hurt", "failure", "simulated-data",
            ("test",), ("build", "load", "lint"), 0.60, math.log(2.2), by_checkout=True),
    Planted("firmware-parallel-make", "make -j in the Makefile", "helped", "duration", "simulated-firmware",
            ("build",), ("flash", "lint", "test"), 0.50, math.log(0.70), by_checkout=True),
    Planted("docs-spelling-guide", "The guide names make spell", "helped", "usage", "simulated-docs",
            ("spell",), ("html", "linkcheck"), 0.50, math.log(1.6)),
)  # fmt: skip


def in_checkouts(project: str) -> list[str]:
    """The changes of a project whose records lie in its repository, so that a run can say whether its checkout held them."""
    return [one.name for one in PLANTED if one.project == project and one.by_checkout and one.registered]


@dataclass(slots=True)
class Week:
    """What the affected runs of a week truly had. The counterfactual is the same run without the planted thing."""

    runs: int = 0
    reached: int = 0  # of them: it was in the checkout, or came at once
    effect: float = 0.0  # the sum over them


@dataclass(slots=True)
class Tally:
    """Adds up what was truly planted, week by week from its beginning on."""

    weeks: dict[int, Week] = field(default_factory=dict)

    def add(self, week: int, effect: float, *, reached: bool) -> None:
        """Count a run that may have been affected."""
        found = self.weeks.get(week)
        if found is None:
            found = self.weeks[week] = Week()
        found.runs += 1
        found.reached += reached
        found.effect += effect

    def mean(self, weeks: Iterable[int] | None = None) -> float:
        """The mean effect in some weeks, or in all."""
        chosen = [self.weeks[one] for one in (self.weeks if weeks is None else weeks) if one in self.weeks]
        runs = sum(one.runs for one in chosen)
        return sum(one.effect for one in chosen) / runs if runs else 0.0


@dataclass(slots=True)
class Truth:
    """What a simulation knows of itself when it has run."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {one.name: Tally() for one in PLANTED})
    events: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # by project, kind of event and actor
