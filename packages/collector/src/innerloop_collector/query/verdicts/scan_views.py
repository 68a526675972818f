"""A scan as it is published: everything else that is run in a change's project, each for itself, at one registered look."""

from datetime import date

from innerloop_collector.query.published import View
from innerloop_collector.query.verdicts.verdict_views import Finding

SCAN = "scan"  # a kind of release
SCAN_VERSION = 1
EVERYTHING = "everything"  # in `left_out`: all that is run in the project


class Scanned(View, frozen=True):
    """One command or target among all that were tested."""

    name: str
    finding: Finding  # its interval is its own, as if nothing else had been tested
    stands_out: bool  # among all of them: of those that do, at most a tenth is expected to be chance


class Scan(View, frozen=True):
    """What one registered look found of everything that a change is not registered to affect. Never computed again."""

    version: int
    project: str
    unit: str
    change: str
    title: str
    day: date  # of the change
    metric: str
    look: int
    looks: int
    weeks: int  # after the change
    first: date  # the weeks that were looked at
    end: date
    made: date
    k: int
    refused: str = ""  # a sentence: why nothing is said
    left_out: tuple[str, ...] = ()  # what a verdict or another scan tells of in these weeks, or is to, whether or not anybody ran it
    names: tuple[Scanned, ...] = ()  # the surest first

    @property
    def affected(self) -> tuple[tuple[str, str], ...]:
        """What was compared: each with all others."""
        return tuple((self.project, one.name) for one in self.names)

    @property
    def controls(self) -> tuple[tuple[str, str], ...]:
        """Nothing besides."""
        return ()

    @property
    def has_numbers(self) -> bool:
        """Whether it says more than why it says nothing."""
        return any(one.finding.percent is not None for one in self.names)


class Scans(View, frozen=True):
    """Every scan of a change."""

    project: str
    change: str
    title: str
    day: date
    scans: tuple[Scan, ...]  # the newest first
    due: date | None  # of the next one
