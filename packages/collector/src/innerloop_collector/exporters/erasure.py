"""What becomes of an installation's events at the destinations, for its receipt. May import: state, source, worker, the store's catalogue.

None of the three kinds can be asked to delete with the key that sends: what was passed on cannot be shown to be gone. What was never
passed on can. What was so when it was sent counts: a destination that was configured otherwise then, or is configured no more, has what it has.
"""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from innerloop_collector.exporters.source import Source
from innerloop_collector.exporters.state import State

ERASED = "erased"  # nothing of it was passed on, and nothing will be
REQUESTED = "requested"  # the destination was asked to delete it; no kind can be asked yet
NOT_PROVABLE = "not provable"  # something was passed on, or may have been


class Passed(NamedTuple):
    """What is known of a destination."""

    terms: Collection[tuple[str, str]]  # the plans of which rows may pass, by today's configuration
    passable: Collection[tuple[str, str]]  # those of which rows may pass to anybody
    state: State
    attempted: int  # no event above this position was ever handed to it
    refused: bool  # whether it was ever handed an event of the project that it did not take


def fate(project: str, installation: int, passed: Passed, source: Source, today: date) -> str:
    """Say what an erasure here means at one destination. Ask while the rows are still there, and after their tombstone was made."""
    state = passed.state
    # What is no longer here may have been passed on, once a row that was passed on has expired.
    if project in state.ends and state.ends[project] < today.isoformat():
        return NOT_PROVABLE
    touched = state.sent.get(project) or state.declined or passed.refused
    might_have_passed = passed.passable if touched else passed.terms
    settled = source.plans_of(project, installation, state.started_position, state.position)
    under_way = source.plans_of(project, installation, state.position, passed.attempted)
    if any((project, plan) in might_have_passed for plan in settled) or any((project, plan) in passed.passable for plan in under_way):
        return NOT_PROVABLE
    return ERASED
