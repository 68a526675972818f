"""Which of a run's targets become events, and under which names: those that failed, then the slowest; the rest are counted."""

import os
import uuid
from typing import Optional

from innerloop.core.outbound.event import Probed, SentTarget
from innerloop.core.plan.check import Names
from innerloop.core.plan.project import PROJECT_FILE
from innerloop.core.shared.names import OTHER, directory_prefix, group_of, public_name
from innerloop.core.spool.facts import RunFacts
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import IGNORED, Target

MOST = 50  # target events of one run
MS = 1_000_000  # ns
# The plan's bounds: what a damaged log says beyond them must not keep a run from leaving.
MOST_COUNTED = 1_000_000  # targets of a run
LONGEST = 31_500_000_000  # ms
STATUSES = range(-64, 256)


def probed(log: Log) -> Probed:
    """What is said of the run: a new random number, how many targets it made and how many failed."""
    failed = sum(one.failed for one in log.targets)
    cpu_us = sum(one.cpu_us for one in log.targets if one.lane is not None)
    return Probed(str(uuid.uuid4()), min(len(log.targets), MOST_COUNTED), min(failed, MOST_COUNTED), log.lanes, cpu_us)


def chosen(log: Log) -> "list[int]":
    """The places of the targets that are sent, by their start: what failed by itself, what failed with it, then the slowest."""

    def rank(place: int) -> "tuple[bool, bool, int]":
        one = log.targets[place]
        return not (one.failed and one.cause is None), not one.failed, -(one.duration_ns or 0)

    return sorted(place for place in sorted(range(len(log.targets)), key=rank)[:MOST] if place < MOST_COUNTED)


def sent(log: Log, facts: RunFacts, listed: Names) -> "list[SentTarget]":
    """The targets of a run as they may leave, by their start."""
    places = chosen(log)
    root = os.path.dirname(facts.root)
    return [_sent(log.targets[place], place, _above(log, place, set(places)), facts, listed, root) for place in places]


def _sent(one: Target, place: int, above: Optional[int], facts: RunFacts, listed: Names, root: str) -> SentTarget:
    status = 0 if one.outcome == IGNORED else one.status
    return SentTarget(
        name=name(one, root, listed),
        sequence=place + 1,
        parent=0 if above is None else above + 1,
        offset_ms=_milliseconds(one.start_ns - facts.awake),
        duration_ms=None if one.duration_ns is None else _milliseconds(one.duration_ns),
        status=status if status in STATUSES else None,
        critical=one.critical,
    )


def _milliseconds(time: int) -> int:
    return min(max(time // MS, 0), LONGEST)


def _above(log: Log, place: int, places: "set[int]") -> Optional[int]:
    """The nearest target above that is sent too."""
    above = log.targets[place].parent
    while above is not None and above not in places:
        above = log.targets[above].parent
    return above


def name(one: Target, root: str, listed: Names) -> str:
    """The listed name of a target, its group, or `other`. Its make's directory counts where the list, or a group, is of that.

    What ran outside the project's directory, or in a project of its own below it, was never listed here.
    """
    if not _belongs(one.directory, root):
        return OTHER
    prefix = directory_prefix(one.directory, root, listed.allow)
    found = public_name([prefix + one.name], listed.allow, listed.stems, listed.separator)
    if found != OTHER:
        return found
    return group_of([one.name], listed.groups, directory_prefix(one.directory, root, listed.groups))


def _belongs(directory: str, root: str) -> bool:
    """Tell whether a directory is the project's: at or below its root, with no other project file in between."""
    while directory != root:
        if not directory.startswith(root.rstrip("/") + "/") or os.path.exists(f"{directory}/{PROJECT_FILE}"):
            return False
        above = os.path.dirname(directory)
        if above == directory:
            return False
        directory = above
    return True
