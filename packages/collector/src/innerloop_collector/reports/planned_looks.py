"""Which looks that are registered will be refused, in sentences: whoever registers them can still choose others."""

from collections.abc import Iterable

from innerloop_collector.query import ELSEWHERE, Change, Clash, clashes, weeks_apart

MOST = 6  # sentences: who deploys each day what is looked at meets many


def refused_looks(change: Change, others: Iterable[Change]) -> list[str]:
    """What to say of looks that lie too near each other. Of a change that names other projects, not its name."""
    found = sorted(clashes(change, others), key=lambda one: (one.change is not change, one.near is not change))  # its own first
    return [_sentence(one, change) for one in found[:MOST]]


def _sentence(clash: Clash, asked: Change) -> str:
    if clash.of_scan:
        return _of_scan(clash, asked)
    return _own(clash) if clash.near is clash.change else _of_two(clash, asked)


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
    theirs = _name(other, asked)
    refused, told = ("it", theirs) if mine else (theirs, "it")
    return (
        f"the look at {refused} on {clash.look.due} will be refused if the one at {told} on {clash.before.due} gives a number: both tell of the same command or "
        "control, and lie in one block of weeks or less than four weeks apart"
    )


def _of_scan(clash: Clash, asked: Change) -> str:
    return (
        f"the look at it on {clash.look.due} may be refused: {_name(clash.near, asked)} asks for a scan on {clash.before.due}, which tells of everything in "
        f"{clash.near.project} that enough developers run, and both lie in one block of weeks or less than four weeks apart"
    )


def _name(other: Change, asked: Change) -> str:
    return other.name if set(other.projects) <= set(asked.projects) else ELSEWHERE
