"""What people add to a cell: one vector of numbers a person. It stays inside `query`.

A person's weight limits what they add to any figure of a unit: nobody counts for more than twice the median person of the project. One
weight for all cells, so that parts still add up to their whole, and what is left when shown parts are taken from a shown whole is a sum
of the same kind.
"""

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from statistics import median

EDGES_MS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000)
RUNS, WAITED_MS = 0, 1
OUTCOMES = (SUCCEEDED, FAILED, UNFINISHED) = (2, 3, 4)  # unfinished: interrupted, or nobody saw how it ended
_FIRST_BIN = 5
BINS = tuple(range(_FIRST_BIN, _FIRST_BIN + len(EDGES_MS) + 1))  # by duration: up to the first edge ... above the last one
UNTIMED = BINS[-1] + 1  # runs that have no duration that may be compared
SIZE = UNTIMED + 1
CAP = 2  # times the median person

Vector = tuple[float, ...]  # of SIZE numbers
People = dict[int, Vector]  # by installation


def weights(people: Mapping[int, Vector]) -> dict[int, float]:
    """How much of each person counts, by their runs in the whole unit."""
    if not people:
        return {}
    most = CAP * median(vector[RUNS] for vector in people.values())
    return {person: min(1.0, most / vector[RUNS]) for person, vector in people.items()}


def weighed(people: Mapping[int, Vector], by: Mapping[int, float]) -> People:
    """People, each with as much as counts. Who has no weight is not in the unit."""
    return {person: tuple(by[person] * number for number in vector) for person, vector in people.items() if person in by}


def added(many: Iterable[Mapping[int, Vector]]) -> People:
    """The sum over cells, person by person."""
    out: People = {}
    for people in many:
        for person, vector in people.items():
            before = out.get(person)
            out[person] = vector if before is None else tuple(map(sum, zip(before, vector, strict=True)))
    return out


def without(whole: Mapping[int, Vector], parts: Iterable[Mapping[int, Vector]]) -> People:
    """What is left of a whole, person by person. Rounding errors of the subtraction are taken for nothing."""
    taken = added(parts)
    nothing = (0.0,) * SIZE
    left = {person: _less(vector, taken.get(person, nothing)) for person, vector in whole.items()}
    return {person: vector for person, vector in left.items() if any(vector)}


def amounts(people: Mapping[int, Vector], columns: Iterable[int]) -> Iterator[float]:
    """What each person adds to some of the numbers together."""
    chosen = tuple(columns)
    if len(chosen) == 1:
        return map(itemgetter(chosen[0]), people.values())
    return (sum(vector[column] for column in chosen) for vector in people.values())


def _less(vector: Vector, taken: Vector) -> Vector:
    return tuple(number if (number := a - b) > 1e-9 else 0.0 for a, b in zip(vector, taken, strict=True))
