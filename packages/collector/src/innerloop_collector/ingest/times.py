"""Times of events whose sender knows no plan. May import: `innerloop.plan`, the pipeline's event.

Segment's SDKs put the exact time into every message and offer no way to leave it out, and nobody has agreed to more
than a project's plan says. So it is made as coarse as that before anything looks at it. A sender that names a plan has
done so itself: if it sends a finer time, that is a violation, which nothing here may hide.
"""

import functools

from innerloop.plan.granularity import STEPS, instant
from innerloop_collector.pipeline.event import moment

UNREADABLE = ""  # stands for what is no instant, so that the event is set aside and the text is not kept
_LONGEST = 50  # characters of an instant


def as_agreed(stamp: object, granularity: str | None) -> str | None:
    """Cut an instant down to a granularity, in UTC. None: the plan has no such time, or there was none."""
    if granularity is None or stamp is None:
        return None
    return _cut(stamp, granularity) if isinstance(stamp, str) and len(stamp) <= _LONGEST else UNREADABLE


@functools.lru_cache(1024)
def _cut(stamp: str, granularity: str) -> str:
    time = moment(stamp)
    if time is None:
        return UNREADABLE
    return instant(time.timestamp(), granularity) if granularity in STEPS else time.isoformat()
