"""Where a run's time went: the critical path, the lanes of targets that ran side by side, and each target's own time.

The critical path of a make is its longest chain, by duration, of targets of which each is a prerequisite of the next: so
long it takes with any number of jobs. A target that ran makes is one link, as long as its own time and the critical paths
inside it. What a log cannot show: a prerequisite without a recipe is in no log, so what *it* needed is unknown and the chain
ends there; the path is then a lower bound.
"""

import heapq
from bisect import bisect_right

from innerloop.core.targets.tree import Target, Tree


def close(targets: "list[Target]", last: int) -> "list[int]":
    """When each target ended (ns): those without an end are taken to have run until `last`."""
    return [max(last, one.start_ns) if one.end_ns is None else one.end_ns for one in targets]


class Paths:
    """The critical paths of a tree's makes. A path is its length (ns) and its targets, which never overlap."""

    def __init__(self, tree: Tree, ends: "list[int]", owns: "list[int]") -> None:
        """`owns` are the targets' own times (ns)."""
        self.tree = tree
        self.ends = ends
        self.within = tree.within()
        self.weights = list(owns)
        for parent in sorted((place for place in self.within if place is not None), reverse=True):  # the innermost first
            duration = ends[parent] - tree.targets[parent].start_ns
            self.weights[parent] = min(owns[parent] + self.chain(self.within[parent])[0], duration)

    def whole(self) -> "tuple[int, list[int]]":
        """The run's path: its length (ns), and every target on it by the start, inside of sub-makes too."""
        length, waiting = self.chain(self.within.get(None, []))
        found = []
        while waiting:
            place = waiting.pop()
            found.append(place)
            waiting += self.chain(self.within.get(place, []))[1]
        return length, sorted(found)

    def chain(self, makes: "list[int]") -> "tuple[int, list[int]]":
        """The longest path through makes of which none starts before the one ahead of it ended, as a script starts them."""
        spans = []
        for number in makes:
            mine = self.tree.makes[number].targets
            spans.append((max(self.ends[place] for place in mine), self.tree.targets[mine[0]].start_ns, number))
        spans.sort()
        ended = [end for end, _, _ in spans]
        # up to and with the makes so far: the length, how many makes are behind the last one on the path, and its own part of it
        best: "list[tuple[int, int, list[int]]]" = [(0, 0, [])]
        for at, (_, start, number) in enumerate(spans):
            length, path = self.of_make(number)
            behind = min(bisect_right(ended, start), at)
            best.append(max(best[-1], (best[behind][0] + length, behind, path), key=lambda one: one[0]))
        length, behind, path = best[-1]
        parts = []
        while path:
            parts.append(path)
            _, behind, path = best[behind]
        return length, [place for part in reversed(parts) for place in part]

    def of_make(self, number: int) -> "tuple[int, list[int]]":
        """The longest chain of prerequisites among one make's targets."""
        targets, mine = self.tree.targets, self.tree.makes[number].targets
        named = {targets[place].name: place for place in mine}
        length: "dict[int, int]" = {}
        ahead: "dict[int, int]" = {}
        for place in mine:
            one = targets[place]
            length[place] = self.weights[place]
            needed = [named[name] for name in (*one.prerequisites, *one.order_only) if name in named]
            needed = [other for other in needed if other in length and other != place and self.ends[other] <= one.start_ns]
            if needed:
                ahead[place] = max(needed, key=lambda other: length[other])
                length[place] += length[ahead[place]]
        last = max(mine, key=lambda place: length[place])
        path = [last]
        while path[-1] in ahead:
            path.append(ahead[path[-1]])
        return length[last], path[::-1]


def own_times(tree: Tree, ends: "list[int]") -> "list[int]":
    """Each target's duration without the time in which targets below it ran (ns), so that nothing counts twice."""
    below: "dict[int, list[tuple[int, int]]]" = {}
    for place, one in enumerate(tree.targets):
        if one.parent is not None:
            below.setdefault(one.parent, []).append((one.start_ns, min(ends[place], ends[one.parent])))
    return [ends[place] - one.start_ns - union(below.get(place, [])) for place, one in enumerate(tree.targets)]


def union(spans: "list[tuple[int, int]]") -> int:
    """How much time spans cover together (ns); they are ordered by their start."""
    total, reached = 0, 0
    for start, end in spans:
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def lanes(tree: Tree, ends: "list[int]") -> "dict[int, int]":
    """The lane, from 0, of each target that ran no make: the first one that is free when it starts."""
    parents = {make.parent for make in tree.makes}
    free: "list[int]" = []  # those of the lanes so far, the first one at the front
    taken: "list[tuple[int, int]]" = []  # when each other one will be free, and which it is; the soonest at the front
    found = {}
    for place, one in enumerate(tree.targets):  # by their start
        if place in parents:
            continue
        while taken and taken[0][0] <= one.start_ns:
            heapq.heappush(free, heapq.heappop(taken)[1])
        lane = heapq.heappop(free) if free else len(taken)
        heapq.heappush(taken, (ends[place], lane))
        found[place] = lane
    return found
