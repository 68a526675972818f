"""How long targets that wanted a processor had to queue for one, as far as a record tells."""

from bisect import bisect_left
from typing import NamedTuple

FULL = 0.85  # share of all processors from which on they count as taken: between two lines of a recipe nobody computes


class Span(NamedTuple):
    """A piece of work as it was recorded (ns)."""

    start: int
    end: int
    cpu: int

    @property
    def rate(self) -> float:
        """Processors that it used, on average."""
        return self.cpu / max(self.end - self.start, 1)


def queued(spans: "list[Span]", processors: int) -> "list[float]":
    """How long each queued (ns): its waiting while more ran than there were processors, all of them were taken, and it had a usual share.

    The log has one number of processor time for each line, so a target that slept on its own while others computed, and computed for the rest of
    its time, is judged by its average.
    """
    events = sorted([(one.start, 1, one.rate) for one in spans] + [(one.end, -1, -one.rate) for one in spans])
    moments, full, crowd = [0], [0], [0.0]  # time that was full so far, and running pieces times time
    running, rate = 0, 0.0
    for moment, change, part in events:
        passed = moment - moments[-1] if len(moments) > 1 else 0
        taken = running > processors and rate >= FULL * processors
        moments.append(moment)
        full.append(full[-1] + (passed if taken else 0))
        crowd.append(crowd[-1] + running * passed)
        running, rate = running + change, rate + part
    found = []
    for one in spans:
        low, high = bisect_left(moments, one.start, 1), bisect_left(moments, one.end, 1)
        share = processors * (one.end - one.start) / max(crowd[high] - crowd[low], 1.0)  # of a processor, for each that ran meanwhile
        found.append((full[high] - full[low]) * (1 - one.rate) if share / 2 <= one.rate < 1 else 0.0)
    return found
