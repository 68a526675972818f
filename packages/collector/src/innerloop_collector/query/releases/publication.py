"""Which cells of a week, or of what remains of a block, are published, and how finely. Pure: people go in, published numbers come out.

In each breakdown a run enters at most one published number, ever: its week's cell, or the cell's remainder at the end of the block. What is
published of a breakdown lies within what is published of the whole, so that whatever is left when it is taken away can be judged as well:
where that says too much, the smallest cells give way.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.comparison import Comparison, Judge, protect
from innerloop_collector.query.releases.contribution import RUNS, People, added
from innerloop_collector.query.releases.disclosure import Rule
from innerloop_collector.query.releases.mixtures import Mixtures
from innerloop_collector.query.releases.shown import WHOLE, Key, Shown, judged

WEEKLY_PEOPLE = 20  # below so many people only the whole is published by the week
OUTSIDE = frozenset({"target"})  # breakdowns of what is not a part of the whole, which is of runs


@dataclass(slots=True)
class Publication:
    """What is published of a unit, and why the rest is not."""

    shown: dict[Key, Shown] = field(default_factory=dict)
    hidden: dict[Key, Rule] = field(default_factory=dict)


def publish_week(whole: People, cells: Mapping[Key, People], k: int) -> Publication:
    """Publish a week. `cells` are those that are published by the week; each breakdown's are parts of the whole."""
    out = _sorted_out({WHOLE: whole}, k)
    if WHOLE not in out.shown:
        return out
    found = _sorted_out(cells, k)
    wholes = [out.shown[WHOLE]]
    comparisons = [Comparison(wholes, inside, disclosure.reveals) for inside in _by_breakdown(found.shown.values()).values()]
    _protect(found, [*comparisons, *_pairs({key: [one] for key, one in found.shown.items()}, wholes)], wholes, k)
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
    fixed = [one for slot, whole in wholes for one in (whole, *slot.published.values())]
    _protect(found, [*_within(wholes, found.shown, spans), *_across(wholes, found.shown, spans, remainders)], fixed, k)
    return Publication(out.shown | found.shown, out.hidden | found.hidden)


def in_published_slots(
    slots: Sequence[Slot], found: Publication, sums: Sequence[Mapping[Key, People]]
) -> tuple[dict[Key, list[Shown]], dict[Key, People]]:
    """All that is published of each cell in a block, and other sums of people of exactly those slots. The last slot is the remainder's."""
    inside: dict[Key, list[People]] = {}
    for slot, some in zip(slots, sums, strict=True):
        told = slot.published if slot is not slots[-1] else found.shown
        for key in some:
            if key in slot.published or (WHOLE in told and key in found.shown):
                inside.setdefault(key, []).append(some[key])
    cells: dict[Key, list[Shown]] = {}
    for shown in (*(slot.published for slot in slots), found.shown):
        for key, one in shown.items():
            cells.setdefault(key, []).append(one)
    return cells, {key: added(many) for key, many in inside.items()}


Span = frozenset[int]  # slots, by their place
Wholes = Sequence[tuple[Slot, Shown]]


def _within(wholes: Wholes, shown: Mapping[Key, Shown], spans: Mapping[Key, Span]) -> Iterator[Comparison]:
    """Of each breakdown, one for each set of slots of which remainders can be taken away."""
    for breakdown, inside in _by_breakdown(shown.values()).items():
        for span in _unions({spans[one.key] for one in inside} | {frozenset(range(len(wholes)))}):
            weekly = [one for place in span for one in wholes[place][0].published.values() if one.key[0] == breakdown]
            remainders = [one for one in inside if spans[one.key] <= span]
            yield Comparison([wholes[place][1] for place in sorted(span)], [*weekly, *remainders], disclosure.reveals)


def _across(wholes: Wholes, shown: Mapping[Key, Shown], spans: Mapping[Key, Span], remainders: Mapping[Key, People]) -> Iterator[Judge]:
    """Of cells of several breakdowns: remainders of the same slots, and all of a cell in the block where nothing of it is hidden."""
    by_span: dict[Span, dict[Key, list[Shown]]] = {}
    for key, one in shown.items():
        by_span.setdefault(spans[key], {})[key] = [one]
    for span, cells in by_span.items():
        yield from _pairs(cells, [wholes[place][1] for place in sorted(span)])
    if len(by_span) > 1:
        weekly = {key: [slot.published[key] for slot, _ in wholes if key in slot.published] for key in spans}
        whole = {key: [*weekly[key], *([shown[key]] if key in shown else [])] for key in spans if key in shown or not remainders[key]}
        yield from _pairs({key: cells for key, cells in whole.items() if cells}, [one for _, one in wholes])


def _pairs(cells: Mapping[Key, list[Shown]], wholes: Sequence[Shown]) -> Iterator[Judge]:
    """One cell may lie within another of a different breakdown, or all that is not in it: those of one version are those of one system."""
    for one, other in combinations(cells, 2):
        if one[0] != other[0]:
            yield Comparison(cells[one], cells[other], disclosure.separates, together=True)
            if not OUTSIDE & {one[0], other[0]}:
                yield Comparison(wholes, [*cells[one], *cells[other]], disclosure.separates, together=True)
    yield Mixtures(cells, wholes)


def _by_breakdown(cells: Collection[Shown]) -> dict[str, list[Shown]]:
    out: dict[str, list[Shown]] = {}
    for one in cells:
        if one.key[0] not in OUTSIDE:
            out.setdefault(one.key[0], []).append(one)
    return out


def _unions(spans: set[Span]) -> list[Span]:
    """Some sets, and all unions of them."""
    found = set(spans)
    new = found
    while new:
        new = {one | other for one in new for other in spans} - found
        found |= new
    return sorted(found, key=lambda span: (len(span), sorted(span)))


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


def _protect(found: Publication, judges: Sequence[Judge], fixed: Collection[Shown], k: int) -> None:
    for one in protect(judges, fixed, k):
        found.hidden[one.key] = Rule.COMPLEMENT
        del found.shown[one.key]
