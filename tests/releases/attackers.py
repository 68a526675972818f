"""A library of attackers.

Each knows all that was published, who has which machine, what is talked about in the team (who came, who left, who was erased, who was on leave for
a while), how people usually work, and the rows of two developers who help; and guesses something of one of the others.

An attacker that finds nothing to work with returns None and guesses what is usual.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np

from innerloop_collector.query.releases.calendar import Unit, week
from innerloop_collector.query.releases.contribution import EDGES_MS, FAILED, RUNS, WAITED_MS
from innerloop_collector.query.releases.document import Atom, Release, at_least
from innerloop_collector.query.releases.shown import WHOLE, Key
from tests.releases.simulated_team import Person, Team

BREAKDOWNS = ("command", "os", "arch", "version", "cohort")
_MINUTE_MS = 60_000


@dataclass
class Knowledge:
    """What an attacker knows."""

    documents: Mapping[str, Release]
    people: Mapping[int, Person]
    target: int
    insiders: tuple[int, ...]
    own: Team  # of which only the insiders' rows are looked at
    week: date  # which is asked about
    blocks: tuple[Unit, Unit]  # the first lies before what happens
    dominant: bool  # whether the target is the one who works most
    minted: Mapping[Key, float]  # runs in the second block, of invented people

    def atom(self, unit: str, key: Key = WHOLE) -> Atom | None:
        """A published cell."""
        found = self.documents.get(unit)
        return next((one for one in found.atoms if (one.breakdown, one.name) == key), None) if found else None

    def whole(self, day: date) -> Atom | None:
        """The whole of a week."""
        return self.atom(week(day).name)

    def level(self, days: tuple[date, ...]) -> float | None:
        """Runs in a usual one of some weeks."""
        found = [one.runs for one in map(self.whole, days) if one]
        return sum(found) / len(found) if found else None

    def wholes(self, block: Unit) -> list[Atom]:
        """All published wholes of a block."""
        found = [*map(self.whole, block.weeks), self.atom(block.name)]
        return [one for one in found if one]

    def cells(self, block: Unit, breakdown: str) -> dict[str, list[Atom]]:
        """All published atoms of a breakdown's cells in a block, by name."""
        out: dict[str, list[Atom]] = {}
        for unit in [*(week(day).name for day in block.weeks), block.name]:
            for one in self.documents[unit].atoms if unit in self.documents else ():
                if one.breakdown == breakdown:
                    out.setdefault(one.name, []).append(one)
        return out

    def rows_of_insiders(self, first: date, end: date, column: int, key: Key = WHOLE) -> float:
        """What the insiders did."""
        return sum(added(self.own, one, first, end, column, key) for one in self.insiders)

    @property
    def usual_share(self) -> float:
        """How much of the runs is the target's, most likely."""
        return share(len(self.people), 0, self.dominant)


@dataclass(frozen=True)
class Attacker:
    """Who asks something about the target, and how it is guessed."""

    name: str
    asks: str  # runs, failed, minutes, present; in the week or in a block
    guess: Callable[[Knowledge], float | bool | None]
    scenarios: tuple[str, ...] = ()  # none: all


def added(team: Team, number: int, first: date, end: date, column: int, key: Key = WHOLE) -> float:
    """What somebody really did, from one day to before another."""
    return sum(one.cells[key][column] for one in team.rows if one.person == number and first <= one.week < end and key in one.cells)


@cache
def share(size: int, known: int, dominant: bool) -> float:
    """The median share of one person in the runs of all whose part is not known, by how people usually work."""
    draw = np.random.default_rng(size)
    activity = np.exp(draw.normal(0, 0.9, (4000, size)))
    runs = np.minimum(
        found := draw.poisson(14 * activity * draw.gamma(2, 0.5, activity.shape)), 2 * np.median(found, axis=1, keepdims=True)
    )
    mine = activity[:, known:].argmax(1) + known if dominant else np.full(4000, size - 1)
    target, rest = found[np.arange(4000), mine], runs[:, known:].sum(1)
    return float(np.median(target[target >= 5] / np.maximum(rest[target >= 5], 1)))


def _newcomer(of: Knowledge) -> float | None:
    return _difference(of.whole(of.week), of.level(of.blocks[0].weeks))


def _leaver(of: Knowledge) -> float | None:
    return _difference(of.whole(of.week), of.level(of.blocks[1].weeks))


def _erased_week(of: Knowledge) -> float | None:
    return _difference(of.whole(of.week), of.level(of.blocks[1].weeks[2:]))


def _difference(one: Atom | None, usual: float | None) -> float | None:
    return None if one is None or usual is None else one.runs - usual


def _erased_cells(of: Knowledge) -> float | None:
    """Wholes that were published before, less cells that were published after."""
    found = [left for _, left in _complements(of, RUNS) if left > 2]
    return min(found) / 2 if found else None


def _seen_twice(of: Knowledge) -> float | None:
    """What came after the week was seen first is in the remainder of its block."""
    found = of.atom(of.blocks[1].name)
    return found.runs if found else None


def _polling(of: Knowledge) -> float | None:
    one, before = of.whole(of.week), of.level(tuple(day for day in of.blocks[1].weeks if day < of.week) or of.blocks[0].weeks)
    return None if one is None or before is None else max(one.runs - before, 0) + before * of.usual_share


def _dominant(of: Knowledge) -> float | None:
    one = of.whole(of.week)
    return one.runs * of.usual_share if one else None


def _two_periods(of: Knowledge) -> float | None:
    """Eight weeks less four: what happened in the last four."""
    both = [one.runs for block in of.blocks for one in of.wholes(block)]
    last = [one.runs for one in of.wholes(of.blocks[0])]
    return (sum(both) - sum(last)) * of.usual_share if both and last else None


def _coalition(of: Knowledge) -> float | None:
    one = of.whole(of.week)
    known = of.rows_of_insiders(of.week, week(of.week).end, RUNS)
    return max(one.runs - known, 0) * share(len(of.people), len(of.insiders), of.dominant) if one else None


def _complements(of: Knowledge, column: int) -> Iterator[tuple[str, float]]:
    """What is left of the second block's wholes, by breakdown, when all its cells are taken away."""
    block = of.blocks[1]
    for breakdown in BREAKDOWNS:
        cells = [atom for atoms in of.cells(block, breakdown).values() for atom in atoms]
        found = [[_told(atom, column) for atom in many] for many in (of.wholes(block), cells)]
        wholes, parts = ([one for one in many if one is not None] for many in found)
        if wholes and parts:
            yield breakdown, sum(wholes) - sum(parts)


def _told(atom: Atom, column: int) -> float | None:
    if column == RUNS:
        return atom.runs
    if column == WAITED_MS:
        return atom.waited_ms
    return next((one.runs for one in atom.outcomes if one.ways[0] == "failed"), None)


def _complement(of: Knowledge) -> float | None:
    """Of machines, it is known who is in no shown cell."""
    for breakdown, left in _complements(of, RUNS):
        if breakdown != "command":
            shown = of.cells(of.blocks[1], breakdown)
            hidden = [one.number for one in of.people.values() if getattr(one, breakdown) not in shown]
            if of.target in hidden:
                others = sum(one not in of.insiders for one in hidden)
                known = sum(added(of.own, one, of.blocks[1].first, of.blocks[1].end, RUNS) for one in hidden if one in of.insiders)
                return max(left - known, 0) / others
    return None


def _smallest_complement(column: int, unit: float) -> Callable[[Knowledge], float | None]:
    """The breakdown in which the least is left: it may be one developer's."""

    def guess(of: Knowledge) -> float | None:
        found = [left for _, left in _complements(of, column) if left > 2 * unit]
        return min(found) / unit if found else None

    return guess


def _nested(of: Knowledge) -> float | None:
    """Two cells, of which one has the target more than the other, and else the same people."""
    block = of.blocks[1]
    shown = {
        (breakdown, name): (
            frozenset(one.number for one in of.people.values() if getattr(one, breakdown) == name),
            sum(atom.runs for atom in atoms),
        )
        for breakdown in BREAKDOWNS[1:]
        for name, atoms in of.cells(block, breakdown).items()
    }
    for (people, runs), (others, fewer) in combinations(shown.values(), 2):
        only = people ^ others
        if of.target in only and only <= {of.target, *of.insiders}:
            sign = 1 if of.target in people else -1
            known = sum((1 if one in people else -1) * added(of.own, one, block.first, block.end, RUNS) for one in only & set(of.insiders))
            return max(sign * (runs - fewer - known), 0)
    return None


def _minted(of: Knowledge) -> float | None:
    """A cell that was filled with invented people, less what these did."""
    block = of.blocks[1]
    found = []
    for name, atoms in of.cells(block, "command").items():
        if of.minted.get(("command", name)):
            known = of.minted["command", name] + of.rows_of_insiders(block.first, block.end, RUNS, ("command", name))
            found.append(sum(one.runs for one in atoms) - known)
    return max(min(found), 0) if found else None


def _weeks_of_block(of: Knowledge) -> float | None:
    """A cell of nearly all runs, less those weeks' failures that are told: the failures of the other weeks."""
    block = of.blocks[1]
    for breakdown in BREAKDOWNS[1:]:
        cells = [_told(atom, FAILED) for atoms in of.cells(block, breakdown).values() for atom in atoms]
        wholes = [_told(atom, FAILED) for atom in of.wholes(block)]
        if cells and None not in cells and None in wholes:
            return max(sum(one or 0 for one in cells) - sum(one or 0 for one in wholes), 0)
    return None


def _grain(of: Knowledge) -> float | None:
    """A cell that was published by the week in one block only: its usual week against the whole's."""
    before, after = (of.cells(block, "command") for block in of.blocks)
    for name in sorted(before.keys() & after.keys()):
        if len(before[name]) != len(after[name]):
            one = of.whole(of.week)
            part = sum(atom.runs for atom in before[name]) / max(sum(atom.runs for atom in of.wholes(of.blocks[0])), 1)
            return one.runs * part * of.usual_share if one else None
    return None


def _margins(of: Knowledge) -> float | None:
    """A command and a system as if they were independent, shared out among those who have that system."""
    block, who = of.blocks[1], of.people[of.target]
    system, commands = of.cells(block, "os").get(who.os), of.cells(block, "command")
    there = sum(one.os == who.os for one in of.people.values())
    return (
        sum(one.runs for atoms in commands.values() for one in atoms) * share(there, 0, of.dominant)
        if system and commands and there > 1
        else None
    )


def _slowest_bins(of: Knowledge) -> float | None:
    """The week's minutes, from the bins of its durations."""
    one = of.whole(of.week)
    if one is None or len(one.durations) < 2:
        return None
    edges = (10, *EDGES_MS, 2 * EDGES_MS[-1])
    timed = [(part.bins, part.runs) for part in one.durations if part.bins[-1] <= len(EDGES_MS)]
    return sum(runs * sqrt(edges[bins[0]] * edges[bins[-1] + 1]) for bins, runs in timed) * of.usual_share / _MINUTE_MS


def _waited(of: Knowledge) -> float | None:
    one = of.whole(of.week)
    return one.waited_ms * of.usual_share / _MINUTE_MS if one and one.waited_ms else None


def _level(of: Knowledge) -> bool | None:
    """Whether a week's runs are more than halfway between those with the target and those without."""
    one, usual = of.whole(of.week), of.level(tuple(day for day in of.blocks[1].weeks if day != of.week))
    return None if one is None or not usual else one.runs > usual * (1 - of.usual_share / 2)


def _level_of_block(of: Knowledge) -> bool | None:
    """The same of a block."""
    before, after = (of.level(block.weeks) for block in of.blocks)
    return None if not before or after is None else after > before * (1 - of.usual_share / 2)


def _listed(of: Knowledge) -> bool | None:
    """A cell of which only the target can be, listed as hidden or not at all."""
    who = of.people[of.target]
    last = of.documents.get(of.blocks[1].name)
    for breakdown in BREAKDOWNS[1:]:
        name = getattr(who, breakdown)
        if last and sum(getattr(one, breakdown) == name for one in of.people.values()) == 1:
            cells: list[Any] = [*last.hidden, *last.atoms]
            return any((one.breakdown, one.name) == (breakdown, name) for one in cells)
    return None


def _range(of: Knowledge) -> bool | None:
    """One person less in the whole."""
    before, after = (of.documents[block.name].people.get("", {}).get("") if block.name in of.documents else None for block in of.blocks)
    size = len(of.people)
    if before is None or after is None or at_least(size) != at_least(size - 1):
        return None  # right at a threshold, presence is seen
    return after >= before


LIBRARY = (
    Attacker("before and after a newcomer", "runs in the week", _newcomer, ("joins",)),
    Attacker("before and after a leaver", "runs in the week", _leaver, ("leaves",)),
    Attacker("weeks before and after an erasure", "runs in the week", _erased_week, ("erased",)),
    Attacker("wholes before an erasure, cells after it", "runs in the week", _erased_cells, ("erased",)),
    Attacker("a holiday week seen twice", "runs in the week", _seen_twice, ("late",)),
    Attacker("polling around a week", "runs in the week", _polling),
    Attacker("usual share of a week", "runs in the week", _dominant),
    Attacker("eight weeks less four", "runs in the block", _two_periods),
    Attacker("coalition of two", "runs in the week", _coalition),
    Attacker("complement of a breakdown", "runs in the block", _complement),
    Attacker("smallest complement", "runs in the block", _smallest_complement(RUNS, 1)),
    Attacker("complement of failures", "failed in the block", _smallest_complement(FAILED, 1)),
    Attacker("complement of minutes", "minutes in the block", _smallest_complement(WAITED_MS, _MINUTE_MS)),
    Attacker("cells of two breakdowns", "runs in the block", _nested),
    Attacker("block less its weeks", "failed in the block", _weeks_of_block),
    Attacker("invented people", "runs in the block", _minted, ("minted",)),
    Attacker("weekly in one block only", "runs in the week", _grain),
    Attacker("margins of two breakdowns", "runs in the block", _margins),
    Attacker("bins of durations", "minutes in the week", _slowest_bins),
    Attacker("usual share of the minutes", "minutes in the week", _waited),
    Attacker("level of a week", "present in the week", _level, ("holiday",)),
    Attacker("level of a block", "present in the block", _level_of_block, ("away",)),
    Attacker("listed as hidden", "present in the block", _listed, ("away",)),
    Attacker("range of people", "present in the block", _range, ("away",)),
)
