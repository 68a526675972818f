"""The tables of figures: views of values, each of which was published or derived from what was."""

from datetime import date

from innerloop_collector.query.published import Count, Milliseconds, Minutes, People, Rate, Ratio, View


class Time(View, frozen=True):
    """A quantile of durations: within a published bin. None: the bin has no end."""

    about: Milliseconds | None
    at_least: Milliseconds
    at_most: Milliseconds | None


class Waited(View, frozen=True):
    """Minutes that were waited: between bounds. None: it has no end, or the middle says nothing."""

    about: Minutes | None
    at_least: Minutes
    at_most: Minutes | None


class RateRange(View, frozen=True):
    """Between what a rate lies."""

    at_least: Rate
    at_most: Rate


class Spread(View, frozen=True):
    """How many times the median the 90th percentile is, of all runs of the cell. None: cannot be told."""

    about: Ratio | None
    at_least: Ratio
    at_most: Ratio | None


class Band(View, frozen=True):
    """Runs that took so long. None: cannot be told, since no published part of the durations begins and ends there."""

    name: str
    runs: Count | None
    share: Rate | None  # of the runs that have a duration
    waited: Waited | None  # in all of them


class Bin(View, frozen=True):
    """Runs whose duration lies in one published part, which neighbours are merged into until it passes."""

    took: Time  # from and to; nothing is about it
    runs: Count
    share: Rate  # of the runs that have a duration
    untimed: bool  # with runs that have none, since these are too few to be told apart


class Class(View, frozen=True):
    """Runs of one class, or of several that are too few to be told apart."""

    name: str
    runs: Count
    share: Rate | None  # of those of all classes


class Tries(View, frozen=True):
    """How successes come about, in whole blocks, by the failures of the same command before. Empty or None: not sent, may not be shown, or cannot be told."""

    first_time: Rate | None  # successes without a failure before, of those and all chains of failures that began
    first_time_range: RateRange | None
    solved: tuple[Class, ...]  # successes, by the try
    given_up: Count | None  # chains of failures that began, less those that a success ended
    green: tuple[Class, ...]  # successes after failures, by how long it took from the end of the first
    stopped: tuple[Class, ...]  # what people stopped, by how long it had run


class FigureRow(View, frozen=True):
    """The figures of one cell. None: may not be shown, or cannot be told."""

    name: str
    runs: Count
    developers: People | None
    p50: Time | None
    p90: Time | None
    failure_rate: Rate | None
    waited: Minutes | None
    failure_range: RateRange | None = None
    spread: Spread | None = None
    waited_per_developer_week: Waited | None = None
    bands: tuple[Band, ...] = ()
    tries: Tries | None = None
    critical: Minutes | None = None  # of a target: its own time on the critical path, in whole blocks


class FigureTable(View, frozen=True):
    """The figures of a breakdown."""

    rows: tuple[FigureRow, ...]
    hidden: tuple[tuple[str, str], ...]  # name, and why


class Unit(View, frozen=True):
    """One release: what was published of all runs, and of which commands and targets something was. The report of its period has their figures."""

    unit: str
    made: date
    whole: FigureRow | None
    commands: tuple[str, ...]
    targets: tuple[str, ...]
