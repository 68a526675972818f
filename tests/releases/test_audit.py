"""All figures that were ever published, taken together, tell nobody's contribution more closely than to a quarter, not even to two who know their own."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from innerloop_collector.query.releases.calendar import block_of, unit_named
from innerloop_collector.query.releases.contribution import RUNS
from innerloop_collector.query.releases.shown import WHOLE
from tests.releases.audit import Block, Finding, Watched
from tests.releases.evidence_game import CHANGED, change
from tests.releases.simulated_team import FIRST, WEEK, Events, Slower, blocks, publish
from tests.releases.told_of_changes import Checkouts, verdicts_of


@pytest.mark.parametrize(("size", "seed"), [(5, 3), (6, 1), (8, 3)])
def test_insiders_learn_nothing_of_a_small_team(size: int, seed: int) -> None:
    assert not list(audited(size, seed, weeks=4, people=3, pairs=1))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("size", [5, 6, 8, 10, 12, 20, 30, 100])
def test_insiders_learn_nothing_of_a_year(size: int) -> None:
    """Of a large one, of two blocks: a linear programme for each of its people and blocks takes its time."""
    weeks, sample = (48, 4) if size < 20 else (9, 2)
    assert not list(audited(size, size + 1, weeks, sample, pairs=1))


def test_the_audit_finds_what_one_number_too_many_tells() -> None:
    """It is able to: where the whole is published without the one that it must not single out, that one is found."""
    team = Watched(3, 6, 4)
    documents = publish(team).documents
    name = next(one for one in blocks(team) if one in documents)
    block = Block(team, documents, unit_named(name))
    person, *others = sorted(block.there, key=block.runs)[::-1]
    assert not list(block.findings(person, []))
    whole = next(one for one in block.published if one.key == WHOLE and one.columns is None)
    (slot,) = whole.slots
    known = sum(block.slots[slot][WHOLE][one][RUNS] for one in others if one in block.slots[slot][WHOLE])
    block.slots[slot][WHOLE] = {person: block.slots[slot][WHOLE][person]}
    for key in [key for key in block.slots[slot] if key[0] == "command"]:
        block.slots[slot][key] = {one: vector for one, vector in block.slots[slot][key].items() if one == person}
    block._seen.clear()
    block.published = [replace(whole, low=whole.low - known, high=whole.high - known)]
    assert {one.person for one in block.findings(person, [])} == {person}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("size", "seed"), [(20, 8), (30, 5)])
def test_insiders_learn_nothing_of_figures_and_verdicts_together(size: int, seed: int) -> None:
    """What waiting a verdict tells of is no sum that figures have: it caps nobody, and is of runs that succeeded."""
    assert not list(audited_with_a_verdict(size, seed, people=2))


def audited_with_a_verdict(size: int, seed: int, people: int) -> Iterable[Finding]:
    """The block of a change, whose first look tells of four of its weeks."""
    team = Watched(seed, size, 9, Events(slower=Slower("build", CHANGED, 1.3)))
    verdicts = verdicts_of(team, [change(looks=(4,))], Checkouts(), k=5, headcount=size)
    assert [True] == [one.waited is not None for one in verdicts]
    documents = publish(team, headcount=size).documents
    block = Block(team, documents, block_of(CHANGED), verdicts)
    assert any(one.uncapped for one in block.published)
    order = sorted(block.there, key=lambda one: -block.runs(one))
    for person in (order[0], *Random(seed).sample(order[1:], people - 1)):
        others = [one for one in order if one != person]
        for insiders in (others[:1], others[:2]):
            yield from block.findings(person, insiders)


def audited(size: int, seed: int, weeks: int, people: int, pairs: int) -> Iterable[Finding]:
    """A simulated team with what happens to teams, looked at block by block, by one insider and by two."""
    draw = Random(seed)
    events = Events(
        joins={size: weeks_later(4)},
        leaves={size - 1: weeks_later(weeks - 2)} if weeks > 8 else {},
        away={number: frozenset(WEEK * draw.randrange(weeks) + weeks_later(0) for _ in range(2)) for number in range(1, size + 1)},
        late={(1, weeks_later(1)): weeks_later(2), (2, weeks_later(1)): weeks_later(2)},
        erased={number: weeks_later(weeks // 2) + timedelta(days=3) for number in range(3, size - 1, 7)} if size > 5 else {},
    )
    team = Watched(seed, size, weeks, events)
    documents = publish(team).documents
    for name in blocks(team):
        if name in documents:
            block = Block(team, documents, unit_named(name))
            there = block.there
            for person in draw.sample(there, min(people, len(there))):
                others = sorted((one for one in there if one != person), key=lambda one: -block.runs(one))
                for insiders in [others[:1], others[:2], *(draw.sample(others, 2) for _ in range(pairs))]:
                    yield from block.findings(person, insiders)


def weeks_later(weeks: int) -> date:
    return FIRST + WEEK * weeks
