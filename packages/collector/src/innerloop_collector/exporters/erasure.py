"""What becomes of an installation's events at the destinations, for its receipt. May import: state, source, worker, the store's catalogue.

None of the three kinds can be asked to delete with the key that sends: what was passed on cannot be shown to be gone. What was never
passed on can.
"""

from datetime import date
from typing import NamedTuple

from innerloop_collector.exporters.release import Terms
from innerloop_collector.exporters.source import Source
from innerloop_collector.exporters.state import State

ERASED = "erased"  # nothing of it was passed on, and nothing will be
REQUESTED = "requested"  # the destination was asked to delete it; no kind can be asked yet
NOT_PROVABLE = "not provable"  # something was passed on, or may have been


class Passed(NamedTuple):
    """What is known of a destination."""

    terms: dict[tuple[str, str], Terms]
    state: State
    attempted: int  # no event above this position was ever handed to it


def fate(project: str, installation: int, passed: Passed, source: Source, today: date) -> str:
    """Say what an erasure here means at one destination. Ask while the rows are still there, and after their tombstone was made."""
    terms, state, attempted = passed
    plans = {plan for of, plan in terms if of == project}
    if plans & source.plans_of(project, installation, state.started_position, max(attempted, state.position)):
        return NOT_PROVABLE
    # Nothing of it that is here was passed on. What is no longer here may have been, once a row that was passed on has expired.
    if state.sent.get(project) and state.ends[project] < today.isoformat():
        return NOT_PROVABLE
    return ERASED
