"""Which targets ran side by side: each that ran no make takes the first lane that is free when it starts."""

import heapq
from typing import Optional

from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log


def lanes(log: Log) -> "list[Optional[int]]":
    """The lane, from 0, of each target; None of those that ran a make, whose targets have lanes of their own."""
    parents = {make.parent for make in log.makes}
    ends = path.close(list(log.targets), log.end_ns)
    free: "list[int]" = []  # those of the lanes so far, the first one at the front
    taken: "list[tuple[int, int]]" = []  # when each other one will be free, and which it is; the soonest at the front
    found: "list[Optional[int]]" = []
    for place, one in enumerate(log.targets):  # by their start
        if place in parents:
            found.append(None)
            continue
        while taken and taken[0][0] <= one.start_ns:
            heapq.heappush(free, heapq.heappop(taken)[1])
        lane = heapq.heappop(free) if free else len(taken)
        heapq.heappush(taken, (ends[place], lane))
        found.append(lane)
    return found


def width(log: Log) -> int:
    """How many targets ran side by side, at most."""
    return max((lane + 1 for lane in lanes(log) if lane is not None), default=0)
