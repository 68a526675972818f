"""What reports are made of: frozen values that hold nothing but what was published. `report --json` and `releases --json` are exactly this.

`null` means "may not be shown, or cannot be told".
"""

from datetime import date

from innerloop_collector.query import (
    Band,
    Bin,
    Count,
    Milliseconds,
    Minutes,
    People,
    Point,
    Rate,
    RateRange,
    Spread,
    Time,
    Tries,
    Unit,
    View,
    Waited,
)


class Span(View, frozen=True):
    """The period: `2026-W48`, `2026-B12`, `2026-Q4` or `2026`, and the days of it that are published."""

    period: str | None  # null: in a store that publishes at once, or where nothing is published
    first_day: str | None
    last_day: str | None
    complete: bool  # nothing more will be published of it


class ProjectName(View, frozen=True):
    """A project, and what it is called."""

    project: str
    name: str


class Offered(View, frozen=True):
    """A period that can be asked for: something of it is published."""

    period: str
    first: date
    last: date  # of what is published
    complete: bool


class Command(View, frozen=True):
    """The figures of one command."""

    command: str
    kind: str  # "session": use, and no waiting; "check": its failures are information; else empty
    runs: Count  # each number is a sum of counts that are rounded to 5
    developers: People | None  # at least and at most so many; in the last block of the period
    p50: Time | None  # wait, of runs that ended by themselves
    p90: Time | None
    failure_rate: Rate | None  # failed / (failed + succeeded), to 0.01
    waited_minutes: Minutes | None  # to three digits; also for what failed or was interrupted
    runs_before: Count | None  # in the period before
    p50_before: Milliseconds | None
    failure_rate_before: Rate | None
    failure_range: RateRange | None = None  # by rounding and by chance (95 %)
    spread: Spread | None = None  # p90 / p50
    waited_per_developer_week: Waited | None = None  # of those who ran it, in whole blocks
    bands: tuple[Band, ...] = ()  # runs by how long they took
    tries: Tries | None = None  # how successes come about, in whole blocks; null: not sent, or may not be shown


class Target(View, frozen=True):
    """The figures of one make target, from what was sent of it: of each run its failed and its slowest targets, 50 at most."""

    target: str
    times: Count  # more than once in a run counts as often
    developers: People | None  # as of a command
    p50: Time | None  # of what ended by itself, with what its recipe ran in other makes
    p90: Time | None
    failure_rate: Rate | None
    failure_range: RateRange | None = None
    spread: Spread | None = None
    critical_minutes: Minutes | None = None  # of its own on the critical path, in all runs of whole blocks


class Part(View, frozen=True):
    """The runs of one operating system, architecture, version or cohort."""

    by: str
    name: str
    runs: Count
    developers: People | None
    p50: Time | None
    failure_rate: Rate | None
    failure_range: RateRange | None = None


class Hidden(View, frozen=True):
    """What is not shown, and the rule that hides it."""

    name: str
    why: str


class Whole(View, frozen=True):
    """All runs."""

    runs: Count
    waited_minutes: Minutes | None
    failure_rate: Rate | None  # of commands that are neither checks nor sessions
    failure_rate_of_checks: Rate | None
    failure_range: RateRange | None = None  # by rounding and by chance (95 %)
    failure_range_of_checks: RateRange | None = None
    waited_per_developer_week: Waited | None = None  # in whole blocks
    bands: tuple[Band, ...] = ()  # runs by how long they took
    tries: Tries | None = None  # how successes come about, in whole blocks; null: not sent, or may not be shown
    runs_before: Count | None = None  # in the period before, as the next four
    developers_before: People | None = None
    waited_minutes_before: Minutes | None = None
    waited_per_developer_week_before: Waited | None = None
    failure_rate_before: Rate | None = None


class Actor(View, frozen=True):
    """Runs that no person waited for, by who ran them: "agent" (coding agents, by the people they work for) or "ci" (which is nobody's)."""

    actor: str
    runs: Count
    people: People | None = None
    p50: Time | None = None
    failure_rate: Rate | None = None
    waited_minutes: Minutes | None = None


class Report(View, frozen=True):
    """The team's report of a project."""

    project: str
    name: str
    period: Span
    min_active_weeks: int
    k: int
    state: str  # "figures", "not published yet" or "too few developers"; in a store that publishes at once also "no events"
    explanation: str
    next_figures: str | None  # the next day on which a week is published; null where figures are of what is there now
    developers: People | None  # that take part and are active long enough
    headcount: int | None  # developers there are, where somebody said so
    whole: Whole | None
    commands: tuple[Command, ...]
    hidden_commands: tuple[Hidden, ...]
    targets: tuple[Target, ...]  # the slowest first
    hidden_targets: tuple[Hidden, ...]
    parts: tuple[Part, ...]
    rules: tuple[str, ...]
    participation: RateRange | None = None  # developers / headcount
    actors: tuple[Actor, ...] = ()  # besides people; published by the block
    notes: tuple[str, ...] = ()  # what else is to be known, in sentences


class InAll(View, frozen=True):
    """One project in the report of all."""

    project: str
    name: str
    state: str  # as in its report
    runs: Count | None
    developers: People | None
    failure_rate: Rate | None  # of commands that are neither checks nor sessions
    waited_minutes: Minutes | None
    waited_per_developer_week: Waited | None


class AllProjects(View, frozen=True):
    """The report of all projects that somebody may see: the sums of what is published of each. People are not added up."""

    period: str | None  # null: in a store that publishes at once, or where nothing is published
    next_figures: str | None
    projects: tuple[InAll, ...]
    whole: Whole | None
    actors: tuple[Actor, ...]
    rules: tuple[str, ...]


class Trend(View, frozen=True):
    """The figures of all runs, or of one command, target or other cell, block by block."""

    project: str
    by: str  # empty: all runs
    name: str
    points: tuple[Point, ...]
    renamed_from: tuple[str, ...] = ()  # what it was called before: these numbers are in the points


class Distribution(View, frozen=True):
    """The runs of one command, target or other cell in a period, by how long they took."""

    project: str
    by: str
    name: str
    period: str | None  # null: in a store that publishes at once
    bins: tuple[Bin, ...]  # empty: nothing of it is published, or its durations may not be told apart


class Releases(View, frozen=True):
    """Everything that was published of a project, the oldest first."""

    project: str
    releases: tuple[Unit, ...]
