"""Sums over blocks of how runs are split by classes. What can be told of the sum is what all blocks that tell a split tell apart."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from innerloop_collector.query.releases.disclosure import STEP, common
from innerloop_collector.query.releases.document import Classes, Release
from innerloop_collector.query.releases.habits import CLASSES, UNDONE, UNSAID
from innerloop_collector.query.releases.shown import Key
from innerloop_collector.query.releases.sums import Rate

_TRIES = {"0": "1", "1": "2", "2": "3", "3+": "4 or later"}  # by the failures before a success: which try it was

_OTHERS = {UNSAID, UNDONE}
_FIRST = {"0", *_OTHERS}


class Added(NamedTuple):
    """Runs of some classes, and how many rounded numbers they are a sum of."""

    names: tuple[str, ...]
    runs: int
    numbers: int


class Share(NamedTuple):
    """Runs of some classes by their name, and their share in those of all."""

    name: str
    runs: int
    share: float


Splits = Mapping[str, Sequence[Added]]


def splits_of(releases: Iterable[Release], key: Key, *, both: bool = False) -> Splits:
    """All splits of a cell in a period; `both`: of the blocks that tell successes as well as failures apart, so that one can be held against the other."""
    found = [one for release in releases for one in release.splits if (one.breakdown, one.name) == key]
    if both:
        found = [one for one in found if one.solved and one.failed]
    return {split: _added(split, [getattr(one, split) for one in found if getattr(one, split)]) for split in CLASSES}


def shares(split: str, of: Sequence[Added]) -> list[Share]:
    """Every class that can be told. A split of which only one part can be told says nothing."""
    found = [one for one in of if one.names != (UNDONE,)]
    whole = sum(one.runs for one in found)
    return [Share(_name(split, one.names), one.runs, one.runs / whole) for one in found] if whole and len(found) > 1 else []


def first_time(of: Splits) -> Rate | None:
    """How often a command succeeds at once: of its first tries that ended, those that succeeded. With what rounding allows."""
    first, begun = (_only(of[split], "0") for split in ("solved", "failed"))
    if first is None or begun is None or not first.runs + begun.runs:
        return None
    off, other = first.numbers * STEP / 2, begun.numbers * STEP / 2
    least = max(first.runs - off, 0)
    low = least / (least + begun.runs + other) if least else 0.0
    return Rate(first.runs / (first.runs + begun.runs), low, (first.runs + off) / (first.runs + off + max(begun.runs - other, 0)))


def chains_given_up(of: Splits) -> int | None:
    """Chains of failures that began, less those that a success ended."""
    begun = _only(of["failed"], "0")
    if begun is None or _only(of["solved"], "0") is None:
        return None
    return max(begun.runs - sum(one.runs for one in of["solved"] if not _FIRST.issuperset(one.names)), 0)


def _added(split: str, many: Sequence[Sequence[Classes]]) -> list[Added]:
    """The same split of several blocks."""
    names = CLASSES[split][1]
    told = common(*(tuple(tuple(names.index(name) for name in one.names) for one in some) for some in many)) if many else ()
    out = []
    for part in told:
        inside = {names[place] for place in part}
        found = [one.runs for some in many for one in some if inside.issuperset(one.names)]
        out.append(Added(tuple(names[place] for place in part), sum(found), len(found)))
    return out


def _only(of: Sequence[Added], name: str) -> Added | None:
    """The runs of one class, with those that did not say theirs or did not finish where these are too few to be told apart."""
    return next((one for one in of if set(one.names) - _OTHERS == {name}), None)


def _name(split: str, names: Sequence[str]) -> str:
    said = [name for name in names if name not in _OTHERS]
    if not said:
        return "not said"
    if split == "solved":
        said = [_TRIES[name] for name in said]
    return said[0] if len(said) == 1 else f"{said[0]} to {said[-1]}"
