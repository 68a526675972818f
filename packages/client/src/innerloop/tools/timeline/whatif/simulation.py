"""Run a graph of jobs again as make would: in the recorded order, each as soon as what it needs is done and a slot is free.

A make is one process: its own time, before a job, holds up whatever it starts after that. Jobs first compute, then wait. Those that compute share the processors: where they want more than there are, all of them take longer
by the same factor. So one clock, which goes slower then, tells when each is through, and a run of n jobs takes n log n steps.
"""

import heapq
from collections.abc import Collection

from innerloop.tools.timeline.whatif.graph import Graph

NEVER = float("inf")


class Simulation:
    """One run of a graph."""

    def __init__(self, graph: Graph, slots: int, processors: int, instant: "Collection[int]" = ()) -> None:
        """`instant`: targets, by their places in the log, whose own work takes no time."""
        self.jobs, self.slots, self.processors, self.instant = graph.jobs, slots, processors, frozenset(instant)
        self.missing = [len(needs) for needs in graph.needs]
        self.followers: "list[list[int]]" = [[] for _ in graph.jobs]
        for job, needs in enumerate(graph.needs):
            for other in needs:
                self.followers[other].append(job)
        self.now = self.clock = 0.0  # ns; the second one goes slower while processors are scarce
        self.demand = 0.0
        self.used = 0
        self.free: "dict[int, float]" = {}  # when each make is through with what it does itself
        self.ready: "list[tuple[int, int]]" = []  # by their recorded start
        self.leading: "list[tuple[float, int]]" = []  # by the time
        self.computing: "list[tuple[float, int]]" = []  # by the clock
        self.waiting: "list[tuple[float, int]]" = []  # by the time

    def length(self) -> float:
        """How long the run takes (ns)."""
        self._release([job for job, missing in enumerate(self.missing) if not missing])
        while self.leading or self.computing or self.waiting:
            speed = min(1.0, self.processors / self.demand) if self.demand > 0 else 1.0
            through = self.now + max(self.computing[0][0] - self.clock, 0) / speed if self.computing else NEVER
            done, led = (some[0][0] if some else NEVER for some in (self.waiting, self.leading))
            if done <= min(led, through):
                self._advance(done, speed)
                self._done(heapq.heappop(self.waiting)[1])
            elif led <= through:
                self._advance(led, speed)
                self._compute(heapq.heappop(self.leading)[1])
            else:
                self._advance(through, speed)
                _, job = heapq.heappop(self.computing)
                self.demand = self.demand - self.jobs[job].demand if self.computing else 0.0  # no errors of rounding are carried on
                self._wait(job)
        return self.now

    def _advance(self, moment: float, speed: float) -> None:
        self.clock += max(moment - self.now, 0) * speed
        self.now = max(moment, self.now)

    def _release(self, jobs: "list[int]") -> None:
        """Start what may start: what needs no slot at once, the rest as slots become free."""
        for job in jobs:
            if self.jobs[job].slot:
                heapq.heappush(self.ready, (self.jobs[job].start, job))
            else:
                self._start(job)
        while self.ready and self.used < self.slots:
            self.used += 1
            self._start(heapq.heappop(self.ready)[1])

    def _start(self, job: int) -> None:
        one = self.jobs[job]
        begin = self.now + one.lead
        if one.make is not None:
            begin = self.free[one.make] = max(self.now, self.free.get(one.make, 0.0)) + one.lead
        if begin > self.now:
            heapq.heappush(self.leading, (begin, job))
        else:
            self._compute(job)

    def _compute(self, job: int) -> None:
        one = self.jobs[job]
        if one.compute > 0 and one.target not in self.instant:
            self.demand += one.demand
            heapq.heappush(self.computing, (self.clock + one.compute, job))
        else:
            self._wait(job)

    def _wait(self, job: int) -> None:
        one = self.jobs[job]
        heapq.heappush(self.waiting, (self.now + (0 if one.target in self.instant else one.wait), job))

    def _done(self, job: int) -> None:
        self.used -= self.jobs[job].slot
        freed = []
        for follower in self.followers[job]:
            self.missing[follower] -= 1
            if not self.missing[follower]:
                freed.append(follower)
        self._release(freed)
