"""What is published of a week, or of what remains of a block, as it is kept for good: rounded numbers, and no id.

Parts of a release are many, and refer to numbers and names only: the garbage collector need not follow them (`gc=False`), which halves what reading takes.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Literal

import msgspec

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query.releases.contribution import BINS, FAILED, SUCCEEDED, UNFINISHED, WAITED_MS, People, amounts
from innerloop_collector.query.releases.disclosure import STEP, Rule
from innerloop_collector.query.releases.habits import COLUMNS, NAMES, Habits
from innerloop_collector.query.releases.publication import Publication
from innerloop_collector.query.releases.shown import WHOLE, Key, Shown

VERSION = 1
NOW = "now"  # the unit of what is shown at once, which is none
_COLUMNS = {"succeeded": SUCCEEDED, "failed": FAILED, "unfinished": UNFINISHED}
_WAYS = {column: way for way, column in _COLUMNS.items()}


class Outcomes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Runs that ended in one of some ways."""

    ways: tuple[Literal["succeeded", "failed", "unfinished"], ...]
    runs: int


class Durations(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Runs whose duration lies in one of some bins. The one after the last bin is of runs without a duration."""

    bins: tuple[int, ...]
    runs: int


class Atom(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The published numbers of one cell. Each run is in one of them at most, ever."""

    breakdown: str  # empty: the whole
    name: str
    runs: int
    outcomes: tuple[Outcomes, ...] = ()
    durations: tuple[Durations, ...] = ()
    waited_ms: int | None = None


class Classes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Runs that were sent with one of some classes. "": without any."""

    names: tuple[str, ...]
    runs: int


class Splits(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How the runs of a cell that are published in a block are split by classes."""

    breakdown: str
    name: str
    solved: tuple[Classes, ...] = ()  # successes by the failures before them
    failed: tuple[Classes, ...] = ()  # failures by those before them: "0" begins a chain
    stopped: tuple[Classes, ...] = ()  # what did not finish, by how long it had run
    green: tuple[Classes, ...] = ()  # successes after failures, by how long it took from the first of these


class Hidden(msgspec.Struct, frozen=True, gc=False):
    """A cell that enough people are behind, and that is not published all the same, with the rule that hides it."""

    breakdown: str
    name: str
    rule: Rule


class Release(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """What is published at once."""

    version: int
    project: str
    unit: str
    made: date
    position: int  # how far it read: rows with a higher one came later
    k: int
    min_active_weeks: int
    atoms: tuple[Atom, ...]
    hidden: tuple[Hidden, ...] = ()
    people: dict[str, dict[str, int]] = {}  # of a block: breakdown -> name -> at least so many; a range of STEP
    weeks: tuple[str, ...] | None = None  # of a block: those that its cells cover, where that is not all that were published
    weekly: tuple[tuple[str, str], ...] = ()  # of a block: the cells that are published by the week in the next one
    critical: dict[str, int] = {}  # of a block: a target's own time on the critical path, in all runs (ms)
    splits: tuple[Splits, ...] = ()  # of a block: all that is published of some cells in it, by classes that were sent
    jobs: int | None = None  # runs in CI, which are nobody's
    agents: Atom | None = None
    origin: str = ""  # "weekly totals": from an older version
    left_out: bool = False  # of a block: more people could have counted than the headcount says there are
    public: bool = False  # open to everybody: whoever has a run in it agreed to that

    @cached_property
    def cells(self) -> dict[Key, list[Atom]]:
        """Its atoms by cell; of one name that was two before there are two. It is made once, as the release never changes."""
        out: dict[Key, list[Atom]] = {}
        for one in self.atoms:
            out.setdefault((one.breakdown, one.name), []).append(one)
        return out


def encode(release: Release) -> bytes:
    """A release as one line of JSON."""
    return msgspec.json.encode(release)


def decode(text: bytes | str) -> Release:
    """Read a release. Raises msgspec.MsgspecError for what is none."""
    return msgspec.json.decode(text, type=Release)


def atoms(of: Publication) -> tuple[Atom, ...]:
    """The published numbers of all that is shown, rounded."""
    return tuple(atom(one) for _, one in sorted(of.shown.items()))


def hidden(of: Publication) -> tuple[Hidden, ...]:
    """What is hidden, and why. Never what too few ran: being named there would tell that somebody did."""
    return tuple(Hidden(*key, rule) for key, rule in sorted(of.hidden.items()) if rule is not Rule.FEW)


def atom(one: Shown) -> Atom:
    """The published numbers of a cell, rounded."""
    breakdown, name = one.key
    return Atom(
        breakdown,
        name,
        rounded(one.runs),
        outcomes=tuple(Outcomes(tuple(_WAYS[column] for column in part), _sum(one, part)) for part in one.outcomes),  # type: ignore[misc]
        durations=tuple(Durations(tuple(column - BINS[0] for column in part), _sum(one, part)) for part in one.durations),
        waited_ms=three_digits(round(sum(amounts(one.people, (WAITED_MS,))))) if one.waited else None,
    )


def splits(found: Iterable[Habits]) -> tuple[Splits, ...]:
    """How runs are split by classes, rounded."""
    return tuple(Splits(*one.key, *(tuple(_classes(one, part) for part in one.parts(split)) for split in COLUMNS)) for one in found)


def _classes(one: Habits, part: tuple[int, ...]) -> Classes:
    return Classes(tuple(NAMES[column] for column in part), rounded(sum(amounts(one.people, part))))


def shown(one: Atom, cells: Mapping[Key, People]) -> Shown:
    """What was published of a cell, with the people who are behind it now: somebody may have been erased since."""
    key = (one.breakdown, one.name)
    outcomes = tuple(tuple(_COLUMNS[way] for way in part.ways) for part in one.outcomes)
    durations = tuple(tuple(place + BINS[0] for place in part.bins) for part in one.durations)
    return Shown(key, cells.get(key, {}), outcomes, durations, one.waited_ms is not None)


def has_whole(of: Release) -> bool:
    """Tell whether the whole of a unit was published."""
    return WHOLE in of.cells


def people(cells: Iterable[tuple[Key, int]]) -> dict[str, dict[str, int]]:
    """How many people are behind the cells of a block, each as the lower end of a range."""
    out: dict[str, dict[str, int]] = {}
    for (breakdown, name), number in cells:
        out.setdefault(breakdown, {})[name] = at_least(number)
    return out


def at_least(number: int) -> int:
    """The lower end of a range of STEP: 8 people are "5 to 9"."""
    return number // STEP * STEP


def rounded(number: float) -> int:
    """A count as it is published."""
    return int(number + STEP / 2) // STEP * STEP


def _sum(one: Shown, part: tuple[int, ...]) -> int:
    return rounded(sum(amounts(one.people, part)))
