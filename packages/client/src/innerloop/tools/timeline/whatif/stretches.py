"""Times in which one target ran alone while make could have run more: which ones, for how long, one after another."""

from typing import NamedTuple

from innerloop.core.targets.target_log import Log


class Stretch(NamedTuple):
    """Targets that ran one after another, with nothing beside them."""

    targets: "tuple[int, ...]"  # places in the log, in their order
    times: "tuple[int, ...]"  # ns that each of them ran alone

    @property
    def length(self) -> int:
        """How long all of them ran alone (ns)."""
        return sum(self.times)


def stretches(log: Log, ends: "list[int]") -> "list[Stretch]":
    """All of them, the longest first, of targets that ran alone for half of their time at least. For those that ran makes stand those below them."""
    events = sorted(
        event
        for place, one in enumerate(log.targets)
        if one.lane is not None and ends[place] > one.start_ns
        for event in ((one.start_ns, 1, place), (ends[place], 0, place))
    )
    found: "list[Stretch]" = []
    mine: "dict[int, int]" = {}  # how long each of the stretch so far ran alone
    running: "set[int]" = set()
    reached = 0
    for moment, begins, place in events:
        if moment > reached and len(running) > 1 and mine:
            found.append(_stretch(log, ends, mine))
            mine = {}
        elif moment > reached and len(running) == 1:
            (alone,) = running
            mine[alone] = mine.get(alone, 0) + moment - reached
        (running.add if begins else running.discard)(place)
        reached = moment
    found.append(_stretch(log, ends, mine))
    return sorted(found, key=lambda one: -one.length)


def _stretch(log: Log, ends: "list[int]", alone: "dict[int, int]") -> Stretch:
    mine = {place: time for place, time in alone.items() if 2 * time >= ends[place] - log.targets[place].start_ns}
    return Stretch(tuple(mine), tuple(mine.values()))


def waiting_for(log: Log, places: "list[int]", ends: "list[int]") -> "list[int]":
    """The targets that need some of the same make, by others too, and started after the first of those."""
    needing: "dict[int, set[str]]" = {}
    for place in places:
        needing.setdefault(log.targets[place].make, set()).add(log.targets[place].name)
    reached = min((ends[place] for place in places), default=0)
    found, given = [], set(places)
    for number, names in needing.items():
        for other in log.makes[number].targets:  # by their start: what needs others comes after them
            one = log.targets[other]
            if one.start_ns >= reached and other not in given and not names.isdisjoint((*one.prerequisites, *one.order_only)):
                names.add(one.name)
                found.append(other)
    return found
