"""What a target takes of the critical path by itself is published where it passes, and where no difference leaves somebody alone."""

from innerloop_collector.query.releases.contribution import People, added
from innerloop_collector.query.releases.critical import publish_critical
from innerloop_collector.query.releases.publication import Publication, Slot, publish_week
from innerloop_collector.query.releases.shown import WHOLE
from tests.releases.people import everybody, runs

K = 5
LIB, BUILD = ("target", "lib"), ("command", "build")
PEOPLE = everybody(1, 8, runs(20, each_ms=60_000))


def published(own_ms: dict[int, float], target: People = PEOPLE) -> dict[str, int]:
    """By how much of each person's time was the target's own."""
    cells = {LIB: target, BUILD: PEOPLE}
    whole = added([PEOPLE])
    found = publish_week(whole, cells, K)
    assert {WHOLE, LIB} <= found.shown.keys()
    own: People = {person: (amount,) for person, amount in own_ms.items()}
    return publish_critical([Slot(whole, cells, found.shown), Slot({}, {}, {})], Publication(), [{LIB: own}, {}], K)


def test_the_sum_is_told_to_three_digits() -> None:
    assert published(dict.fromkeys(range(1, 9), 123456)) == {"lib": 988_000}


def test_a_sum_of_few_is_not_told() -> None:
    assert published(dict.fromkeys(range(1, 5), 100000)) == {}
    assert published({**dict.fromkeys(range(1, 8), 1000), 8: 900_000}) == {}


def test_what_is_left_of_the_targets_time_is_not_one_persons() -> None:
    """All of the target's time is its own, but for one person's."""
    assert published({**dict.fromkeys(range(1, 8), 1200000), 8: 200_000}) == {}


def test_what_is_left_of_a_commands_time_is_not_one_persons() -> None:
    """The target is all that `build` does, but for one person's; of its own time nothing else is told."""
    loud = {**everybody(1, 8, runs(20, each_ms=60_000)), 8: runs(20, each_ms=3_000_000)}
    own = {**dict.fromkeys(range(1, 8), 1200000), 8: 400_000}
    assert published(own, loud) == {}


def test_a_target_that_is_not_published_has_no_time_on_the_path() -> None:
    own: People = dict.fromkeys(range(1, 9), (100000,))
    found = publish_week(PEOPLE, {BUILD: PEOPLE}, K)
    slots = [Slot(PEOPLE, {BUILD: PEOPLE}, found.shown), Slot({}, {}, {})]
    assert publish_critical(slots, Publication(), [{LIB: own}, {}], K) == {}
