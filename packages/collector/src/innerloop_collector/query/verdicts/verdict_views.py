"""A verdict as it is published, and as it is kept: frozen values that passed the rules. What is kept is read back and never computed again."""

from datetime import date

from innerloop_collector.query.published import Minutes, People, Percent, Rate, Saved, View

KIND, DETECTABLE = "verdict", "detectable"  # kinds of releases
VERSION = 1

AS_FELT, SAME_WORK = "as felt", "same work"


class Finding(View, frozen=True):
    """One comparison: what it comes to, in a word, and the numbers that may be said with it. Percent, or points of failures and adoption; below 0 is less."""

    metric: str
    by: str  # "by date": in the team so far; "by exposure": where the checkout held the change
    work: str  # "as felt": whatever was to be done; "same work": among runs of as many targets
    label: str  # "effect", or "change" where nothing served as a control
    verdict: str  # "faster", "no change", "cannot tell", "too early" and so on
    percent: Percent | None = None
    low: Percent | None = None
    high: Percent | None = None
    confidence: float | None = None  # of the interval: 0.95, and more where there are several looks
    detectable: Percent | None = None  # a change as large as this would be found in four of five cases
    bound: Percent | None = None  # of "no change": none beyond it
    reason: str = ""  # why there is no number
    warnings: tuple[str, ...] = ()


class Gap(View, frozen=True):
    """How far affected and control runs were apart in a week, beside the first. None: too few developers to tell."""

    week: date
    gap: Percent | None


class Span(View, frozen=True):
    """A number with its interval, in percent."""

    percent: Percent
    low: Percent
    high: Percent


class Placebos(View, frozen=True):
    """What the same comparison finds at dates before the change, where nothing happened."""

    dates: int
    rank: int  # of the real one, by size, among them: 1 is larger than all
    largest: Percent


class Verdict(View, frozen=True):
    """What one registered look at a change found. Never computed again."""

    version: int
    project: str
    unit: str
    change: str
    title: str
    day: date  # of the change
    metric: str  # the one that was registered
    look: int
    looks: int
    weeks: int  # after the change
    first: date  # the weeks that were looked at
    end: date
    made: date
    k: int
    affected: tuple[tuple[str, str], ...]  # project, and command or target
    controls: tuple[tuple[str, str], ...]
    refused: str = ""  # a sentence: why nothing is said at this look
    at_once: tuple[str, ...] = ()  # other changes of the same commands in these weeks
    expected: float | None = None  # percent, as its author wrote
    developers: People | None = None  # seen before and after
    findings: tuple[Finding, ...] = ()  # the registered one first
    exposed: Rate | None = None  # the share of affected runs since the date whose checkout held the change
    where_exposed: Span | None = None  # the duration by date, divided by that share
    saved: Saved | None = None  # minutes per developer and month
    saved_low: Saved | None = None
    saved_high: Saved | None = None
    waited: Minutes | None = None  # per developer and month, with the change
    minutes_of: People | None = None  # who ran it since the change: the minutes are each one's
    placebos: Placebos | None = None
    control_split: Finding | None = None  # half of the controls against the other: nothing should be found
    drifting: Span | None = None  # if both had drifted apart before as they did
    completed: Span | None = None  # without runs that somebody stopped, where those count with what they would have taken
    gaps: tuple[Gap, ...] = ()  # of weeks of which none was told before

    @property
    def has_numbers(self) -> bool:
        """Whether it says more than why it says nothing."""
        return any(one.percent is not None for one in self.findings)


class Coming(View, frozen=True):
    """The next look at a change."""

    look: int
    looks: int
    due: date


class Detectable(View, frozen=True):
    """What could be seen of a change: as large as this it would be found in four of five cases, with as many weeks after it as before. None: nothing."""

    project: str
    unit: str
    made: date
    metric: str
    percent: Percent | None = None
    developers: People | None = None
    reason: str = ""


class Impact(View, frozen=True):
    """How it stands with a change: what was published, and what comes."""

    project: str
    change: str
    title: str
    day: date
    expected: float | None  # percent, as its author wrote
    affected: tuple[tuple[str, str], ...]  # project, and command or target
    verdicts: tuple[Verdict, ...]  # the newest first
    coming: Coming | None
    detectable: Detectable | None  # as it was told at registration


class Programme(View, frozen=True):
    """Every change of a project, also those of which nothing can be told."""

    project: str
    changes: tuple[Impact, ...]
    told: int  # changes of whose duration there is an effect, however unsure
    mean: Span | None  # of them, drawn towards each other as far as they are uncertain; never a sum of winners
    minutes: Saved | None  # that all of them save in a month, by that
    minutes_low: Saved | None
    minutes_high: Saved | None
