"""What reports are made of: frozen values that hold nothing but what may be shown. `report --json` and `totals --json` are exactly this.

`null` means "may not be shown, or cannot be known".
"""

from innerloop_collector.query import Count, Milliseconds, Minutes, Rate, View, WeeklyTotal


class About(View, frozen=True):
    """A small count: `about` is rounded to 5, or null with `text` "<5"."""

    about: Count
    text: str


class Span(View, frozen=True):
    """The window: whole ISO weeks in UTC that are over, `first_week` to `last_week`."""

    first_week: str
    last_week: str
    first_day: str
    last_day: str
    whole_weeks: int
    running_week: str | None  # in a throw-away store: the last week, which is not over


class Command(View, frozen=True):
    """The figures of one command."""

    command: str
    runs: Count  # rounded to 5
    developers: Count | None  # distinct installations, rounded to 5; null where it is the whole team
    p50_ms: Milliseconds | None  # wait, of runs that ended by themselves
    p90_ms: Milliseconds | None  # the same; needs 20 developers
    failure_rate: Rate | None  # failed / (failed + succeeded), to 0.01; interrupted and unknown are not in it
    interrupted: About
    unknown: About  # nobody saw how it ended
    waited_minutes: Minutes | None  # to three digits; also for what failed or was interrupted; null where few people's waiting dominates


class Target(View, frozen=True):
    """The figures of one make target, from what was sent of it: of each run its failed and its slowest targets, 50 at most."""

    target: str
    times: Count  # rounded to 5; more than once in a run counts as often
    developers: Count | None  # as of a command
    p50_ms: Milliseconds | None  # of what ended by itself, with what its recipe ran in other makes
    p90_ms: Milliseconds | None
    failure_rate: Rate | None  # failed / (failed + succeeded), to 0.01


class Total(View, frozen=True):
    """The sums of what is shown, and of nothing else."""

    runs: Count
    waited_minutes: Minutes


class Waiting(View, frozen=True):
    """Events that the collector holds back for a reason; they are in no figure. How many is for whoever operates it."""

    reason: str
    removed_from: str  # the Monday of the week in which the first of them are removed


class Report(View, frozen=True):
    """The team's report of a project."""

    project: str
    name: str
    window: Span
    min_active_weeks: int
    k: int
    state: str  # "figures", "no events", "too little history" or "too few developers"
    explanation: str
    first_figures: str | None  # while there is too little history: the first day on which figures can appear
    next_figures: str | None  # the day on which the running week is over; null in a throw-away store, which does not wait for it
    developers: About  # that take part and are active long enough
    commands: tuple[Command, ...]
    needs_more_developers: tuple[str, ...]  # commands that are hidden
    targets: tuple[Target, ...]  # the slowest first
    targets_need_more_developers: int  # how many are hidden
    total: Total
    waiting: tuple[Waiting, ...]
    rules: tuple[str, ...]


class Totals(View, frozen=True):
    """The weekly totals that stay of a project."""

    project: str
    totals: tuple[WeeklyTotal, ...]
