"""Which cells of a week, or of what remains of a block, are published, and how finely. Pure: people go in, published numbers come out.

In each breakdown a run enters at most one published number, ever: its week's cell, or the cell's remainder at the end of the block. What is
published of a breakdown lies within what is published of the whole, so that whatever is left when it is taken away can be judged as well:
where that says too much, the smallest cells give way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.contribution import BINS, OUTCOMES, RUNS, UNTIMED, WAITED_MS, People, added, amounts, without
from innerloop_collector.query.releases.disclosure import Part, Partition, Rule

WEEKLY_PEOPLE = 20  # below so many people only the whole is published by the week
_OUTCOMES: Partition = tuple((column,) for column in OUTCOMES)
_DURATIONS: Partition = tuple((column,) for column in (*BINS, UNTIMED))

Key = tuple[str, str]  # breakdown and name: ("command", "build"); the whole is ("", "")
WHOLE: Key = ("", "")


@dataclass(slots=True, eq=False)
class Shown:
    """A cell that passes by itself, with the parts of its runs that do. It can still give way."""

    key: Key
    people: People
    outcomes: Partition
    durations: Partition
    waited: bool

    @property
    def runs(self) -> float:
        """How many there are."""
        return sum(amounts(self.people, (RUNS,)))


@dataclass(slots=True)
class Publication:
    """What is published of a unit, and why the rest is not."""

    shown: dict[Key, Shown] = field(default_factory=dict)
    hidden: dict[Key, Rule] = field(default_factory=dict)


@dataclass(slots=True)
class Comparison:
    """Published wholes, and published cells within them: what is left when these are taken away can be told by anybody."""

    wholes: Sequence[Shown]
    fixed: Sequence[Shown]  # published earlier
    open: list[Shown]  # those that can give way

    def left(self, cells: Iterable[Shown]) -> People:
        """What is left of the wholes without some cells."""
        return without(added(one.people for one in self.wholes), (one.people for one in cells))

    @property
    def cells(self) -> list[Shown]:
        """All that are within the wholes."""
        return [*self.fixed, *self.open]


def judged(key: Key, people: People, k: int) -> Shown | Rule:
    """A cell, as finely as it passes by itself, or the rule that hides it."""
    rule = disclosure.broken_rule(amounts(people, (RUNS,)), k)
    if rule is not None:
        return rule
    waited = disclosure.passes(people, (WAITED_MS,), k)
    return Shown(key, people, disclosure.merged(people, _OUTCOMES, k), disclosure.merged(people, _DURATIONS, k), waited)


def publish_week(whole: People, cells: Mapping[Key, People], k: int) -> Publication:
    """Publish a week. `cells` are those that are published by the week; each breakdown's are parts of the whole."""
    out = _sorted_out({WHOLE: whole}, k)
    if WHOLE not in out.shown:
        return out
    found = _sorted_out(cells, k)
    for breakdown in sorted({key[0] for key in found.shown}):
        inside = [one for one in found.shown.values() if one.key[0] == breakdown]
        _protect([Comparison([out.shown[WHOLE]], [], inside)], found, k)
    return Publication(out.shown | found.shown, out.hidden | found.hidden)


@dataclass(slots=True)
class Slot:
    """A part of a block: a week as it was published, or all that was not."""

    whole: People
    cells: Mapping[Key, People]
    published: Mapping[Key, Shown]  # by the week; the remainder's slot has none


def publish_remainder(slots: Sequence[Slot], k: int) -> Publication:
    """Publish what remains of a block: of the whole, the last slot; of each cell, all slots in which it was not published.

    Only what lies in a published whole is counted, so that every cell's numbers are within the whole's.
    """
    *weeks, rest = slots
    out = _sorted_out({WHOLE: rest.whole} if rest.whole else {}, k)
    wholes = [(slot, slot.published[WHOLE]) for slot in weeks if WHOLE in slot.published]
    if WHOLE in out.shown:
        wholes.append((rest, out.shown[WHOLE]))
    remainders: dict[Key, People] = {}
    spans: dict[Key, frozenset[int]] = {}
    for key in sorted({key for slot, _ in wholes for key in slot.cells}):
        spans[key] = frozenset(number for number, (slot, _) in enumerate(wholes) if key not in slot.published)
        remainders[key] = added(wholes[number][0].cells.get(key, {}) for number in spans[key])
    found = _sorted_out({key: people for key, people in remainders.items() if people}, k)
    for breakdown in sorted({key[0] for key in found.shown}):
        _protect(_comparisons(wholes, [one for one in found.shown.values() if one.key[0] == breakdown], spans, breakdown), found, k)
    return Publication(out.shown | found.shown, out.hidden | found.hidden)


def _comparisons(
    wholes: Sequence[tuple[Slot, Shown]], inside: list[Shown], spans: Mapping[Key, frozenset[int]], breakdown: str
) -> list[Comparison]:
    """One for each set of slots of which the remainders that lie within can be taken away."""
    sets = {spans[one.key] for one in inside} | {frozenset(range(len(wholes)))}
    return [
        Comparison(
            [wholes[number][1] for number in sorted(span)],
            [one for number in span for one in wholes[number][0].published.values() if one.key[0] == breakdown],
            [one for one in inside if spans[one.key] <= span],
        )
        for span in sorted(sets, key=lambda span: (len(span), sorted(span)))
    ]


def weekly_next(slots: Sequence[Slot], people: int, k: int) -> frozenset[Key]:
    """The cells that are published by the week in the next block: those that would have passed in every week of this one."""
    weeks = slots[:-1]
    if people < WEEKLY_PEOPLE or not weeks:
        return frozenset()
    passing = ({key for key, cell in slot.cells.items() if disclosure.passes(cell, (RUNS,), k)} for slot in weeks)
    return frozenset(set.intersection(*passing))


def _sorted_out(cells: Mapping[Key, People], k: int) -> Publication:
    out = Publication()
    for key, people in cells.items():
        found = judged(key, people, k)
        if isinstance(found, Shown):
            out.shown[key] = found
        else:
            out.hidden[key] = found
    return out


def _protect(comparisons: Sequence[Comparison], found: Publication, k: int) -> None:
    """Let cells give way, the smallest first, until nothing that is left says too much."""
    while any(_give_way(one, found, comparisons, k) for one in comparisons):
        pass


def _give_way(comparison: Comparison, found: Publication, comparisons: Sequence[Comparison], k: int) -> bool:
    """Let one cell give way where it must. Returns whether one did."""
    if not comparison.open:
        return False
    smallest = sorted(comparison.open, key=lambda one: (len(one.people), one.runs, one.key))
    left = comparison.left(comparison.cells)
    if disclosure.reveals(left, (RUNS,), k):
        gone = smallest[0]
        found.hidden[gone.key] = Rule.COMPLEMENT
        del found.shown[gone.key]
        for one in comparisons:
            one.open[:] = [cell for cell in one.open if cell is not gone]
        return True
    return _hide_waiting(comparison, smallest, k) or any(
        _coarsen(comparison, smallest, left, family, k) for family in ("outcomes", "durations")
    )


def _hide_waiting(comparison: Comparison, smallest: Sequence[Shown], k: int) -> bool:
    waiting = [one for one in smallest if one.waited]
    if not waiting or not all(one.waited for one in comparison.wholes):
        return False
    if not disclosure.reveals(comparison.left(one for one in comparison.cells if one.waited), (WAITED_MS,), k):
        return False
    waiting[0].waited = False
    return True


def _coarsen(comparison: Comparison, smallest: Sequence[Shown], left: People, family: str, k: int) -> bool:
    told = disclosure.common([getattr(one, family) for one in (*comparison.wholes, *comparison.cells)])
    for number, part in enumerate(told):
        if len(told) > 1 and disclosure.reveals(left, part, k):
            neighbour = told[number + 1] if number + 1 < len(told) else told[number - 1]
            _merge(smallest[0], family, (part, neighbour))
            return True
    return False


def _merge(cell: Shown, family: str, told: tuple[Part, Part]) -> None:
    """Let a cell tell two parts only together."""
    columns = {column for part in told for column in part}
    parts: Partition = getattr(cell, family)
    setattr(cell, family, tuple(sorted([*(part for part in parts if not columns & set(part)), tuple(sorted(columns))])))
