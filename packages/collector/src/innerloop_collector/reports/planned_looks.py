"""Which looks that are registered will be refused, in sentences: whoever registers them can still choose others."""

from collections.abc import Iterable

from innerloop_collector.query import ELSEWHERE, Change, Clash, clashes, weeks_apart

MOST = 6  # sentences: who deploys each day what is looked at meets many


def refused_looks(change: Change, others: Iterable[Change]) -> list[str]:
    """What to say of looks that lie too near each other. Of a change that names other projects, not its name."""
    found = sorted(clashes(change, others), key=lambda one: (one.change is not change, one.near is not change))  # its own first
    return [_own(one) if one.near is one.change else _of_two(one, change) for one in found[:MOST]]


def _own(clash: Clash) -> str:
    weeks = weeks_apart(clash.change, clash.look, clash.before)
    instead = f"; {weeks} weeks after it would be told" if weeks else ""
    return (
        f"the look {clash.look.weeks} weeks after it, on {clash.look.due}, will be refused: it lies in one block of weeks with, or less than four weeks after, "
        f"the one on {clash.before.due}{instead}"
    )


def _of_two(clash: Clash, asked: Change) -> str:
    mine = clash.change is asked
    other = clash.near if mine else clash.change
    theirs = other.name if set(other.projects) <= set(asked.projects) else ELSEWHERE
    refused, told = ("it", theirs) if mine else (theirs, "it")
    return (
        f"the look at {refused} on {clash.look.due} will be refused if the one at {told} on {clash.before.due} gives a number: both tell of the same command or "
        "control, and lie in one block of weeks or less than four weeks apart"
    )
