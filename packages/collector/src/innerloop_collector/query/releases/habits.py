"""How successes come about, and after how long people give up: by the classes that developers' machines send, once in a block for each command and for all.

They split runs that are published already: successes by the failures before them, failures by whether they begin a chain, what was stopped by how long it
had run, and successes after failures by how long it took until then. A split is told where all published numbers of the cell in the block tell what it
splits, so that its sum is nothing new, and each part passes as any number does.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from innerloop.core.plan.tracking import PLAN
from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.contribution import FAILED, RUNS, SUCCEEDED, UNFINISHED, People, added, amounts
from innerloop_collector.query.releases.disclosure import Part, Partition
from innerloop_collector.query.releases.publication import Publication, Slot, in_published_slots
from innerloop_collector.query.releases.shown import WHOLE, Key, Number, Shown, closed, coarser, told

UNSAID, UNDONE = "", "unfinished"
CLASSES = {
    "solved": (
        SUCCEEDED,
        (*PLAN.fields["failures_before"].values, UNSAID, UNDONE),
    ),  # with what did not finish, which few cells tell from it
    "failed": (FAILED, ("0", "1+", UNSAID)),
    "stopped": (UNFINISHED, (*PLAN.fields["gave_up_after"].values, UNSAID)),
    "green": (SUCCEEDED, PLAN.fields["time_to_green"].values),  # of those that were solved after failures
}
COLUMNS: dict[str, Part] = {}  # in a person's vector
for _split, (_, _names) in CLASSES.items():
    _begin = sum(map(len, COLUMNS.values()))
    COLUMNS[_split] = tuple(range(_begin, _begin + len(_names)))
SIZE = sum(map(len, COLUMNS.values()))
NAMES = {column: name for split, columns in COLUMNS.items() for column, name in zip(columns, CLASSES[split][1], strict=True)}
_UNDONE = COLUMNS["solved"][-1:]
AFTER_FAILURES = COLUMNS["solved"][1:-2]
_AT_ONCE, _BEGUN = COLUMNS["solved"][0], COLUMNS["failed"][0]
_UNSAID = {column for column, name in NAMES.items() if name in (UNSAID, UNDONE)}
_COARSE = {*COLUMNS.values(), COLUMNS["solved"][:-1], _UNDONE}  # what the published numbers of a cell tell already
_EXACT = 1e-6


@dataclass(slots=True, eq=False)
class Habits:
    """The splits of a cell, as finely as they are told."""

    key: Key
    people: People
    runs: float
    splits: dict[str, Partition]
    _amounts: dict[Number, dict[int, float]] = field(default_factory=dict)

    def by_person(self, number: Number) -> dict[int, float]:
        """What each person adds to a number."""
        if number not in self._amounts:
            added_, less = amounts(self.people, number.part), amounts(self.people, number.less)
            self._amounts[number] = {person: a - b for person, a, b in zip(self.people, added_, less, strict=True)}
        return self._amounts[number]

    def tells(self, number: Number) -> bool:
        """Whether a number can be worked out from what is told."""
        return all(self._tells(part) for part in (number.part, number.less) if part)

    def _tells(self, part: Part) -> bool:
        split = _split_of(part)
        return split in self.splits and told(part, self.splits[split]) and (split != "green" or self._tells(AFTER_FAILURES))

    def stop_telling(self, number: Number) -> None:
        """Tell less, so that a number cannot be worked out any more."""
        split = _split_of(number.part)
        self.splits[split] = coarser(self.splits[split], number.part)
        if _COARSE.issuperset(self.splits[split]):
            del self.splits[split]

    def given_up(self) -> Number | None:
        """Chains that began, less those that were solved: it can be worked out from two splits."""
        begun = next((part for part in self.splits.get("failed", ()) if _BEGUN in part), ())
        solved = [part for part in self.splits.get("solved", ()) if _AT_ONCE not in part and not _UNSAID.issuperset(part)]
        return Number(begun, tuple(sorted(sum(solved, ())))) if begun and solved else None

    def parts(self, split: str) -> Partition:
        """The parts of a split that are told. Empty: none is."""
        return self.splits[split] if split in self.splits and self.tells(Number(self.splits[split][0])) else ()


def publish_habits(slots: Sequence[Slot], found: Publication, classes: Sequence[Mapping[Key, People]], k: int) -> list[Habits]:
    """Split what is published of a block, by what each person adds to the classes in each of its slots, of which the last is the remainder's."""
    return _published(*in_published_slots(slots, found, classes), k)


def _published(cells: Mapping[Key, Sequence[Shown]], classes: Mapping[Key, People], k: int) -> list[Habits]:
    found = [one for key in sorted(cells) if key in classes and (one := _judged(key, cells[key], classes[key], k)).splits]
    changed = True
    while changed:
        changed = any(one.give_way(k) for one in _comparisons(found))
    return [one for one in found if any(map(one.parts, COLUMNS))]


def _judged(key: Key, cells: Sequence[Shown], classes: People, k: int) -> Habits:
    """A cell's splits, each as finely as it passes by itself."""
    everybody = added(one.people for one in cells)
    people = {number: completed(vector, classes.get(number)) for number, vector in everybody.items()}
    splits = {}
    for split, (of, _) in CLASSES.items():
        known = any(any(vector[column] for column in COLUMNS[split] if column not in _UNSAID) for vector in people.values())
        parts = _parts(split, of, cells, people, k) if known and (split != "green" or "solved" in splits) else ()
        if not _COARSE.issuperset(parts):
            splits[split] = parts
    out = Habits(key, people, sum(vector[RUNS] for vector in everybody.values()), splits)
    if "green" in splits and any(abs(amount) > _EXACT for amount in out.by_person(Number(COLUMNS["green"], AFTER_FAILURES)).values()):
        del splits["green"]  # of other runs than those that the first split counts: the difference would be somebody's
    return out


def _parts(split: str, of: int, cells: Sequence[Shown], people: People, k: int) -> Partition:
    """A split of a cell, or nothing where not all of its published numbers tell what is split."""

    def split_up(columns: Part) -> Partition:
        return disclosure.merged(people, tuple((column,) for column in columns), k, _neighbour)

    if split == "green" or all(one.tells(Number((of,))) for one in cells):
        return (*split_up(COLUMNS[split][:-1]), _UNDONE) if split == "solved" else split_up(COLUMNS[split])
    if split == "solved" and all(one.tells(Number((SUCCEEDED, UNFINISHED))) for one in cells):
        return split_up(COLUMNS[split])
    return ()


def completed(vector: Sequence[float], classes: Sequence[float] | None) -> tuple[float, ...]:
    """What a person adds to each class, with the runs that did not say theirs: what is left of all of that person's."""
    out = list(classes or (0.0,) * SIZE)
    for split, (of, names) in CLASSES.items():
        if UNSAID in names:
            rest = vector[of] - sum(out[column] for column in COLUMNS[split] if column not in _UNSAID)
            out[COLUMNS[split][names.index(UNSAID)]] = rest if rest > _EXACT else 0.0
    out[_UNDONE[0]] = vector[UNFINISHED]
    return tuple(out)


@dataclass(slots=True)
class _Comparison:
    """What is left of a cell when others that lie within it are taken away."""

    whole: Habits
    parts: Sequence[Habits]

    def give_way(self, k: int) -> bool:
        """Let the smallest cell tell less until nothing that is left is somebody's. Returns whether one did."""
        changed = False
        for number in _numbers([self.whole, *self.parts]):
            while (cell := self._giving_way(number, k)) is not None:
                cell.stop_telling(number)
                changed = True
        return changed

    def _giving_way(self, number: Number, k: int) -> Habits | None:
        telling = [one for one in self.parts if one.tells(number)]
        if not self.whole.tells(number):
            return None
        left = dict(self.whole.by_person(number))
        for one in telling:
            for person, amount in one.by_person(number).items():
                left[person] = left.get(person, 0.0) - amount
        values = [abs(amount) for amount in left.values() if abs(amount) > _EXACT]
        singles_out = disclosure.separates if number.less else disclosure.reveals
        if not singles_out(values, k):
            return None
        return min(telling, key=lambda one: (len(one.people), one.runs, one.key)) if telling else self.whole


def _comparisons(cells: Sequence[Habits]) -> Iterator[_Comparison]:
    """Each by itself, and all commands within the whole."""
    yield from (_Comparison(one, ()) for one in cells)
    for whole in (one for one in cells if one.key == WHOLE):
        yield _Comparison(whole, [one for one in cells if one is not whole])


def _numbers(cells: Collection[Habits]) -> list[Number]:
    parts = (closed({one.splits[split] for one in cells if split in one.splits}) - _COARSE for split in COLUMNS)
    given_up = (one.given_up() for one in cells)
    return [*(Number(part) for some in parts for part in sorted(some)), Number(AFTER_FAILURES), *{one for one in given_up if one}]


def unsaid(split: str) -> int:
    """The column of what did not say its class; where everything does, the last one."""
    names = CLASSES[split][1]
    return COLUMNS[split][names.index(UNSAID) if UNSAID in names else -1]


def _split_of(part: Part) -> str:
    return next(split for split, columns in COLUMNS.items() if part[0] in columns)


def _neighbour(small: Part, sizes: Mapping[Part, float]) -> Part:
    """The smaller neighbour of a part; what did not say its class goes to the largest, and takes nothing where there is something else."""
    others = [part for part in sorted(sizes) if part != small]
    if _UNSAID.issuperset(small):
        return max(others, key=lambda part: (sizes[part], part))
    parts = sorted(sizes)
    there = parts.index(small)
    beside = [part for part in parts[max(there - 1, 0) : there + 2] if part != small]
    return min([part for part in beside if not _UNSAID.issuperset(part)] or others, key=lambda part: (sizes[part], part))
