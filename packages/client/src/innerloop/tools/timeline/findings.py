"""What a record shows of where time was lost: targets in a row, waiting, work that was done again, time outside of targets."""

from collections.abc import Iterator
from typing import NamedTuple, Optional

from innerloop.core.shared.printable import clean
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import DONE
from innerloop.tools.timeline import words
from innerloop.tools.timeline.rows import directory
from innerloop.tools.timeline.whatif.graph import Work
from innerloop.tools.timeline.whatif.stretches import Stretch, stretches, waiting_for

WORTH = 0.05  # of the run, from which on it is worth a sentence
SHORTEST = 50_000_000  # ns
WAITED = 0.2  # of the targets' time
IN_A_ROW = 3  # targets


class Finding(NamedTuple):
    """One thing to know about a run."""

    kind: str
    text: str
    lost: int  # ns
    targets: "tuple[int, ...]" = ()  # places in the log


def findings(of: Work, recorded: int, before: Optional[Log]) -> "list[Finding]":
    """All of them. `before` is the log of the run before that one of the same name."""
    worth = max(int(WORTH * recorded), SHORTEST)
    return [*_rows(of, worth), *_waiting(of, worth), *_again(of, before), *_outside(of, recorded)]


def name(of: Work, place: int) -> str:
    """A target's name in a sentence."""
    return words.cut(clean(of.log.targets[place].name), 40, "...")


def names(of: Work, places: "tuple[int, ...]", most: int = 3) -> str:
    """Some names in a sentence; of more, the first."""
    shown = [name(of, place) for place in places[:most]]
    return ", ".join(shown) + (f" and {len(places) - most:,} more" if len(places) > most else "")


def _rows(of: Work, worth: int) -> "Iterator[Finding]":
    """Targets that ran alone although make ran jobs."""
    if of.serial:
        return
    some = [one for one in stretches(of.log, of.ends) if one.length >= worth]
    for one in some[:2]:
        took = words.duration(one.length)
        if len(one.targets) >= IN_A_ROW:
            text = f"These {len(one.targets):,} targets ran one after another, for {took}: {names(of, one.targets)}; {_why(of, one)}."
            yield Finding("row", text, one.length, one.targets)
            continue
        length, place = max(zip(one.times, one.targets))
        after = tuple(waiting_for(of.log, [place], of.ends))
        waited = f"; {words.count(len(after), 'target')} that need{'s' if len(after) == 1 else ''} it waited" if after else ""
        yield Finding("alone", f"{name(of, place)} ran alone for {words.duration(length)}{waited}.", length, (place, *after))


def _why(of: Work, one: Stretch) -> str:
    """Why targets ran in a row."""
    makes = {of.log.targets[place].make for place in one.targets}
    if len(makes) == 1:
        make = of.log.makes[min(makes)]
        if "j" not in make.flags:
            return f"the make in {clean(directory(of.log, make))} ran without jobs (-j)"
        pairs = list(zip(one.targets, one.targets[1:]))
        needing = [now for before, now in pairs if of.log.targets[before].name in of.log.targets[now].prerequisites]
        if len(needing) == len(pairs):
            return "each needs the one before it"
    return "perhaps make had one job only, which is not recorded" if of.most == 1 else "the record does not say why"


def _waiting(of: Work, worth: int) -> "Iterator[Finding]":
    """How much of the targets' time was no computing."""
    if not of.computes:
        yield Finding("waiting", "How much of the time was computing is not recorded.", 0)
        return
    jobs = [(job, piece) for job, piece in zip(of.jobs, of.pieces.all) if job.target is not None]
    total = sum(piece.length for _, piece in jobs)
    computed = sum(job.compute for job, _ in jobs)
    waited = sum(job.wait for job, _ in jobs)
    queue = total - computed - waited
    if waited >= max(WAITED * total, worth):
        by_target: "dict[int, float]" = {}
        for job, _ in jobs:
            by_target[job.target or 0] = by_target.get(job.target or 0, 0) + job.wait
        most = max(by_target, key=lambda place: by_target[place])
        where = f", most in {name(of, most)} ({words.duration(by_target[most])})" if len(of.log.targets) > 1 else ""
        text = f"Waiting, not computing, for {waited / total:.0%} of the targets' {words.duration(total)} (network, disk, locks, sleep, or other programs on the processors){where}."
        yield Finding("waiting", text, int(waited), (most,))
    if queue >= max(WAITED * total, worth):
        share = f"{queue / total:.0%} of the targets' {words.duration(total)}"
        yield Finding("queue", f"Waiting for one of {words.count(of.processors, 'processor')}: {share}.", int(queue))


def _again(of: Work, before: Optional[Log]) -> "Iterator[Finding]":
    """What was made in the run before as well and needs nothing; with what needs it.

    Whether a file changed is not recorded. But what needs nothing has nothing that could change: it is phony, or its file was gone. Where
    everything was made again, somebody cleaned up, and it says nothing.
    """
    if before is None:
        return
    log = of.log
    here, there = ([directory(some, make) for make in some.makes] for some in (log, before))
    made = {(there[one.make], one.name) for one in before.targets if one.outcome == DONE}
    both = {place for place, one in enumerate(log.targets) if one.outcome == DONE and (here[one.make], one.name) in made}
    needed = {(one.make, name) for one in log.targets for name in one.prerequisites}
    roots = [
        place
        for place in sorted(both)
        if place not in of.unknown and _needs_nothing(log, place) and (log.targets[place].make, log.targets[place].name) in needed
    ]
    because = {*roots, *(other for other in waiting_for(log, roots, of.ends) if other in both)}
    leaves = {place for place, one in enumerate(log.targets) if one.lane is not None}
    if not roots or (len(both) == len(made) and not leaves <= because):
        return
    lost = sum(log.targets[place].own_ns for place in because)
    if lost < SHORTEST:
        return
    others = len(because) - len(roots)
    what = (
        f", with {words.count(others, 'target')} that need{'s' if others == 1 else ''} {'it' if len(roots) == 1 else 'them'}"
        if others
        else ""
    )
    text = (
        f"Made again, as in the run before, though {'it needs' if len(roots) == 1 else 'they need'} nothing: "
        f"{names(of, tuple(roots))}{what}: {words.duration(lost)}. {'It is' if len(roots) == 1 else 'They are'} phony, or a file was gone."
    )
    yield Finding("again", text, lost, tuple(sorted(because)))


def _needs_nothing(log: Log, place: int) -> bool:
    return not log.targets[place].prerequisites and not log.targets[place].order_only


def _outside(of: Work, recorded: int) -> "Iterator[Finding]":
    """Time in which no target ran."""
    own = [piece.length for piece in of.pieces.all if piece.target is None]
    between = sum(own[1:-1]) + sum(int(job.lead) for job in of.jobs)
    lost = own[0] + own[-1] + between
    if lost < max(int(WORTH * recorded), SHORTEST):
        return
    parts = [(own[0], "before the first one"), (between, "between them"), (own[-1], "after the last one")]
    said = ", ".join(f"{words.duration(length)} {where}" for length, where in parts if length >= max(lost // 20, 1_000_000))
    yield Finding("outside", f"Outside of any target: {words.duration(lost)} ({lost / max(recorded, 1):.0%} of the run): {said}.", lost)
