"""A run's work as a graph of jobs: how long each computes and waits, and which jobs have to be done before it.

The target log names what each target needs, so most of the graph is recorded. Two things are not:

- A prerequisite without a recipe is in no log, so what *it* needed is unknown. A name that is neither a target of the log nor a
  file that is older than the run is taken for one; a younger file may be one of two that a recipe makes. There are two graphs then: one without what is unknown, and a cautious one in which a target that needs
  such a name also needs everything that its make had done before. What is true lies between.
- Whether make could have run more at once. A make that ran without jobs ran its targets in their order, so in the graph each needs
  the one before it, unless the question is what jobs would do.
"""

import os
import stat
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Callable, NamedTuple, Optional

from innerloop.core.shared.deadline import TooLate, in_time
from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import Tree
from innerloop.tools.timeline import opening
from innerloop.tools.timeline.runs import Known
from innerloop.tools.timeline.whatif.load import Span, queued
from innerloop.tools.timeline.whatif.pieces import Pieces

LISTED, ORDER_LISTED = 64, 16  # prerequisites of a target that the log has room for
LOOKED_FOR, PATIENCE = 200_000, 2.0  # names that are looked for on the disk, and s for all of them
NEEDS_PER_JOB = 16  # so many needs take a simulation less time than a job does
NOTHING = frozenset(["FORCE", ".FORCE", "force"])  # what makefiles call a name that needs nothing (GNU make's manual)


Stood = Callable[[str], bool]  # whether a file has been there since before the run


class Job(NamedTuple):
    """A piece of work; one without time is a place where others meet."""

    target: Optional[int]  # place in the log's targets; None: the run's own time
    start: int  # as it was recorded (ns)
    make: Optional[int]  # the make that starts it, by its place in the log: one process, which starts one job after another
    lead: float  # ns in which nothing ran, before it: that make's own time
    compute: float  # ns, with all the processors that it can use
    wait: float  # ns
    demand: float  # processors at once, while it computes
    slot: bool  # whether it takes one of make's job slots


class Work(NamedTuple):
    """What all graphs of a run share."""

    log: Log
    pieces: Pieces
    jobs: "tuple[Job, ...]"  # one for each piece
    ends: "list[int]"
    processors: int
    computes: bool  # whether the log has figures of processor time
    unknown: "dict[int, tuple[str, ...]]"  # targets that need more than is recorded: names without a recipe, or none where a list was cut

    @property
    def serial(self) -> bool:
        """Whether no make ran with jobs."""
        return not any("j" in make.flags for make in self.log.makes)

    @property
    def mixed(self) -> bool:
        """Whether the make at the top ran without jobs, and one below it with some of its own."""
        return not self.serial and not any("j" in make.flags for make in self.log.makes if make.parent is None)

    @property
    def most(self) -> int:
        """How many jobs ran side by side, at most."""
        changes = [(one.start, 1) for one in self.pieces.all if one.target is not None and one.length]
        changes += [(one.end, -1) for one in self.pieces.all if one.target is not None and one.length]
        most = running = 0
        for _, change in sorted(changes):
            running += change
            most = max(most, running)
        return max(most, 1)


def work(run: Known, log: Log, processors: int, stood: "Optional[Stood]" = None, complete: bool = True) -> Work:
    """Look at a run that has targets. `complete`: whether its log was small enough to name all prerequisites.

    `stood` says which of some files have been there since before the run; it is asked for `PATIENCE` at most.
    """
    ends = path.close(list(log.targets), log.end_ns)
    within = Tree(list(log.targets), list(log.makes)).within()
    start = opening.origin(run, log)
    pieces = Pieces(log, ends, within, start, max(start + opening.span(run, log), log.end_ns))
    computes = any(one.cpu_us for one in log.targets)
    unknown = _unknown(log, stood or (lambda path: _stood(path, run.start)), complete)
    return Work(log, pieces, _jobs(log, pieces, processors, computes), ends, processors, computes, unknown)


def _jobs(log: Log, pieces: Pieces, processors: int, computes: bool) -> "tuple[Job, ...]":
    idle = pieces.idle()
    started = {number: log.targets[place].make for place, number in pieces.first.items()}
    held = queued([Span(*piece[1:]) for piece in pieces.all], processors) if computes else [0.0] * len(pieces.all)
    found = []
    for number, (piece, queue) in enumerate(zip(pieces.all, held)):
        cpu = piece.cpu if computes or piece.target is None else piece.length  # nobody knows: that it computes is the worse case
        compute = min(cpu, piece.length)
        wait = max(piece.length - compute - queue, 0.0)
        slot = piece.target is not None
        demand = max(cpu / max(piece.length, 1), 1.0)
        found.append(Job(piece.target, piece.start, started.get(number), idle.get(number, 0), compute, wait, demand, slot))
    return tuple(found)


def _unknown(log: Log, stood: Stood, complete: bool) -> "dict[int, tuple[str, ...]]":
    """Which targets need something that the log does not tell."""
    found: "dict[int, tuple[str, ...]]" = {}
    named = {(one.make, one.name) for one in log.targets}
    others = [
        [(one.directory, name) for name in (*one.prerequisites, *one.order_only) if (one.make, name) not in named and name not in NOTHING]
        for one in log.targets
    ]
    files = _standing(dict.fromkeys(key for keys in others for key in keys), stood)
    last = max((place for place, one in enumerate(log.targets) if one.prerequisites or one.order_only), default=-1)
    for place, one in enumerate(log.targets):
        missing = [key[1] for key in others[place] if key not in files]
        cut = len(one.prerequisites) >= LISTED or len(one.order_only) >= ORDER_LISTED or (not complete and place > last)
        if missing or cut:
            found[place] = tuple(missing)
    return found


def _standing(names: "Iterable[tuple[str, str]]", stood: Stood) -> "set[tuple[str, str]]":
    """Which names, each in its directory, stood, as far as they answer in time: a makefile can name a place on a network that hangs."""
    found: "set[tuple[str, str]]" = set()
    until = time.monotonic() + PATIENCE

    def look() -> None:
        for key in islice(names, LOOKED_FOR):
            if time.monotonic() > until:
                return
            if "\0" not in key[1] and stood(os.path.join(*key)):
                found.add(key)

    with suppress(TooLate):
        in_time(PATIENCE, look)
    return found.copy()  # who hangs may still come back, and add one


def _stood(path: str, start: float) -> bool:
    """Whether a file has been there since before a run (s since 1970): a younger one may be what a recipe made beside its target."""
    try:
        what = os.stat(path)
    except (OSError, ValueError):
        return False
    return what.st_mtime < start or stat.S_ISDIR(what.st_mode)  # a directory is as old as the youngest name in it


class Graph:
    """The jobs of a run, and for each those that have to be done before it."""

    def __init__(self, of: Work, cautious: bool = False, free: bool = False) -> None:
        """`cautious`: what is unknown is taken to be needed. `free`: a make that ran without jobs could have had some."""
        self.jobs = list(of.jobs)
        self.needs: "list[list[int]]" = [[] for _ in self.jobs]
        for number, make in enumerate(of.log.makes):
            chained = "j" not in make.flags and not (free and of.serial)
            self._connect(of, number, make.targets, chained, of.unknown if cautious else {})
        self.effort = len(self.jobs) + sum(map(len, self.needs)) // NEEDS_PER_JOB  # of one simulation

    def _connect(self, of: Work, number: int, mine: "tuple[int, ...]", chained: bool, unknown: "dict[int, tuple[str, ...]]") -> None:
        """Let the targets of one make need each other, the piece before it, and the piece after it need them."""
        before, after = of.pieces.around[number]
        first, last, targets = of.pieces.first, of.pieces.last, of.log.targets
        named = {targets[place].name: place for place in mine}
        needed: "set[int]" = set()
        barriers = self._barriers(of, mine, before) if any(place in unknown for place in mine) else ([], [])
        for at, place in enumerate(mine):
            one = targets[place]
            wanted = {named[name] for name in (*one.prerequisites, *one.order_only) if name in named}
            wanted = {other for other in wanted if other < place and of.ends[other] <= one.start_ns}  # so there are no circles
            if chained and at and of.ends[mine[at - 1]] <= one.start_ns:
                wanted.add(mine[at - 1])
            needed |= wanted
            self.needs[first[place]] += [last[other] for other in wanted] or [before]
            if place in unknown:
                so_far = (bisect_right if of.ends[place] > one.start_ns else bisect_left)(barriers[0], one.start_ns)  # not itself
                self.needs[first[place]] += barriers[1][so_far - 1 : so_far]
        self.needs[after] += [last[place] for place in mine if place not in needed]

    def _barriers(self, of: Work, mine: "tuple[int, ...]", before: int) -> "tuple[list[int], list[int]]":
        """Add a place to meet after each end of a target of a make: the moments, and the places."""
        moments, places = [], []
        previous = before
        for place in sorted(mine, key=lambda place: of.ends[place]):
            self.jobs.append(Job(None, of.ends[place], None, 0, 0, 0, 1.0, False))
            self.needs.append([previous, of.pieces.last[place]])
            previous = len(self.jobs) - 1
            moments.append(of.ends[place])
            places.append(previous)
        return moments, places
