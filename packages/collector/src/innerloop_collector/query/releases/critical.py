"""How much of the critical path each target takes by itself: the time of its own in all runs in which these would have ended earlier without it.

Once in a block, of the targets that are published in it, as one number each. It is a part of the target's time, so what is left of that passes as well; and
where a command or all runs take about as long, the difference leaves nobody alone.
"""

from collections.abc import Iterable, Mapping, Sequence

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.contribution import WAITED_MS, People, added
from innerloop_collector.query.releases.publication import Publication, Slot, in_published_slots
from innerloop_collector.query.releases.shown import WAITED, WHOLE, Key, Number, Shown

TARGET = "target"
_NOTHING = 1e-6


def publish_critical(slots: Sequence[Slot], found: Publication, own_ms: Sequence[Mapping[Key, People]], k: int) -> dict[str, int]:
    """What can be published of each target (ms), by what each person adds in each slot; the last is the remainder's."""
    cells, own = in_published_slots(slots, found, own_ms)
    waited = {key: _waited(shown) for key, shown in cells.items() if all(one.tells(Number(WAITED)) for one in shown)}
    others = [people for key, people in waited.items() if key[0] in (WHOLE[0], "command")]
    out = {}
    for key, people in own.items():
        mine = {person: amount for person, (amount,) in people.items()}
        if key[0] == TARGET and disclosure.broken_rule(mine.values(), k) is None and not _tells(mine, waited.get(key), others, k):
            out[key[1]] = three_digits(round(sum(mine.values())))
    return out


def _tells(mine: Mapping[int, float], whole: Mapping[int, float] | None, others: Iterable[Mapping[int, float]], k: int) -> bool:
    """Whether a difference says too much of somebody."""
    return (whole is not None and disclosure.reveals(_left(whole, mine), k)) or any(
        disclosure.separates(_left(other, mine), k) for other in others
    )


def _left(whole: Mapping[int, float], part: Mapping[int, float]) -> list[float]:
    left = [abs(whole.get(person, 0.0) - part.get(person, 0.0)) for person in {*whole, *part}]
    return [amount for amount in left if amount > _NOTHING]


def _waited(shown: Iterable[Shown]) -> dict[int, float]:
    return {person: vector[WAITED_MS] for person, vector in added(one.people for one in shown).items()}
