"""Cut a run into pieces of work: its targets, and of each that ran makes the times before, between and after those."""

from typing import NamedTuple, Optional

from innerloop.core.targets.target_log import Log


class Piece(NamedTuple):
    """A time of a target's own, or, without a target, of the run's own (ns)."""

    target: Optional[int]  # place in the log's targets
    start: int
    end: int
    cpu: int

    @property
    def length(self) -> int:
        """How long it took."""
        return self.end - self.start


class Pieces:
    """The pieces of a run, and where each target and make has its own."""

    def __init__(self, log: Log, ends: "list[int]", within: "dict[Optional[int], list[int]]", start: int, end: int) -> None:
        """`ends` of the targets, the makes `within` each, and the run's own `start` and `end` (ns)."""
        self.all: "list[Piece]" = []
        self.first: "dict[int, int]" = {}  # piece of each target
        self.last: "dict[int, int]" = {}
        self.around: "dict[int, tuple[int, int]]" = {}  # of each make: the pieces before and after it
        self._log, self._ends, self._within = log, ends, within
        cpu = [one.cpu_us * 1000 for one in log.targets]
        for one in log.targets:
            if one.parent is not None:  # who waits for a process is told its time as well
                cpu[one.parent] -= one.cpu_us * 1000
        self._cut(None, start, end, 0)
        for place, one in enumerate(log.targets):
            self.first[place] = len(self.all)
            if place in within:
                self._cut(place, one.start_ns, ends[place], max(cpu[place], 0))
            else:
                self.all.append(Piece(place, one.start_ns, ends[place], cpu[place]))
            self.last[place] = len(self.all) - 1

    def _cut(self, parent: Optional[int], start: int, end: int, cpu: int) -> None:
        """Add the times of a target, or of the run, in which no make below it ran its targets. Makes that overlap are one stage."""
        targets, makes = self._log.targets, self._log.makes
        spans = sorted(
            (targets[makes[number].targets[0]].start_ns, max(self._ends[place] for place in makes[number].targets), number)
            for number in self._within.get(parent, [])
        )
        edges, first = [start], len(self.all)
        for begun, ended, number in spans:
            if len(edges) == 1 or begun >= edges[-1]:
                edges += [max(begun, edges[-1])] * 2
            edges[-1] = max(edges[-1], ended)
            stage = first + len(edges) // 2 - 1
            self.around[number] = (stage, stage + 1)
        edges.append(max(end, edges[-1]))
        times = list(zip(edges[::2], edges[1::2]))
        total = max(sum(until - since for since, until in times), 1)
        self.all += [Piece(parent, since, until, cpu * (until - since) // total) for since, until in times]

    def idle(self) -> "dict[int, int]":
        """How long nothing ran before a piece (ns): make's own time."""
        found: "dict[int, int]" = {}
        reached = self.all[0].start
        for number in sorted(range(len(self.all)), key=lambda number: self.all[number].start):
            one = self.all[number]
            if one.start > reached:
                found[number] = one.start - reached
            reached = max(reached, one.end)
        return found
