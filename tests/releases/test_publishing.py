"""What holds of everything that is published, whatever a team does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop_collector.query.releases import disclosure
from innerloop_collector.query.releases.calendar import block_of, blocks_of, closed, unit_named, week
from innerloop_collector.query.releases.shown import WHOLE
from tests.releases.audit import Block, Published, Watched
from tests.releases.simulated_team import FIRST, WEEK, Events, Shelf, Team, blocks, deliveries, person, publish

K = 5
teams = st.builds(lambda seed, size: (seed, size), st.integers(0, 10_000), st.integers(5, 14))
few = settings(max_examples=5, deadline=None, derandomize=True, database=None)
days = st.dates(date(1990, 1, 1), date(2080, 1, 1))


@few
@given(teams)
def test_each_run_is_in_at_most_one_published_number_of_each_breakdown(team: tuple[int, int]) -> None:
    """Nobody's runs in a breakdown's atoms of a block are more than their runs in its wholes, and no slot is in two atoms of a cell."""
    for block in watched(*team):
        wholes = [one for one in block.published if one.columns is None and one.key == WHOLE]
        for breakdown in {one.key[0] for one in block.published} - {""}:
            parts = [one for one in block.published if one.columns is None and one.key[0] == breakdown]
            for one in block.there:
                assert sum(block.adds(one, part) for part in parts) <= sum(block.adds(one, whole) for whole in wholes) + 1e-6
        for key in {one.key for one in block.published}:
            slots = [slot for one in block.published if one.columns is None and one.key == key for slot in one.slots]
            assert len(slots) == len(set(slots))


@few
@given(teams)
def test_every_published_number_passes_the_rules(team: tuple[int, int]) -> None:
    for block in watched(*team):
        for one in block.published:
            assert disclosure.broken_rule([block.adds(number, one) for number in block.there], K) is None, one.name


@few
@given(teams)
def test_every_published_number_is_its_sum_rounded(team: tuple[int, int]) -> None:
    for block in watched(*team):
        for one in block.published:
            assert one.low <= sum(block.adds(number, one) for number in block.there) <= one.high, one.name


@few
@given(teams)
def test_what_is_left_without_the_cells_that_tell_a_number_passes_or_is_nothing(team: tuple[int, int]) -> None:
    """In the block as a whole, for each number that all wholes tell: all runs, minutes, each way to end, each bin."""
    for block in watched(*team):
        wholes = [one for one in block.published if one.key == WHOLE]
        for columns in {one.columns for one in wholes}:
            telling = [one for one in wholes if one.columns == columns]
            if {slot for one in telling for slot in one.slots} == {slot for one in wholes for slot in one.slots}:
                for parts in by_breakdown(block, columns):
                    left = [sum(block.adds(one, a) for a in telling) - sum(block.adds(one, b) for b in parts) for one in block.there]
                    assert not disclosure.reveals([one for one in left if one > 1e-6], K), (columns, parts[0].name)


def test_what_was_published_stays_as_it_is() -> None:
    """Whoever comes, goes, is erased or delivers late."""
    plain = publish(Team(5, 9, 9)).texts
    later = FIRST + 5 * WEEK + timedelta(days=3)
    events = Events(
        joins={10: later}, leaves={8: later}, erased={7: later}, late={(6, FIRST + 4 * WEEK): later, (5, FIRST + 4 * WEEK): later + WEEK}
    )
    eventful = Team(5, 10, 9, events)
    before = publish(eventful, weeks=9).texts
    after = publish(eventful, shelf=kept(before)).texts
    assert before.items() <= after.items()
    assert all(plain[name] == before[name] for name in before if unit_named(name).due <= FIRST + 3 * WEEK)


@few
@given(teams, st.integers(0, 27), st.integers(1, 5))
def test_an_erasure_changes_nothing_that_was_published_and_the_block_covers_no_week_that_it_would_change(
    team: tuple[int, int], day: int, number: int
) -> None:
    """Else the block's cells without somebody, taken from the weeks with them, would be theirs."""
    seed, size = team
    erased_on = FIRST + timedelta(days=day)
    plain, gone, never = (
        publish(Team(seed, size + 2, 4, Events(erased=erased))).documents
        for erased in ({}, {number: erased_on}, {number: FIRST - 20 * WEEK})
    )
    block = gone.get(block_of(FIRST).name)
    weeks = [week(monday).name for monday in block_of(FIRST).weeks]
    for name in weeks:
        if plain[name].made < erased_on:
            assert plain[name] == gone[name]
    if block is not None:
        told = [name for name in weeks if any((one.breakdown, one.name) == WHOLE for one in gone[name].atoms)]
        for name in told if block.weeks is None else block.weeks:
            assert gone[name].atoms == never[name].atoms, name


def test_nothing_is_published_twice() -> None:
    team = Team(5, 9, 9)
    shelf = publish(team)
    once = shelf.texts
    assert publish(team, shelf=shelf).texts == once


def test_a_week_is_seen_once_however_late_its_rows_come() -> None:
    monday = FIRST + WEEK
    late = Events(late={(number, monday): monday + 2 * WEEK for number in (1, 2, 3)})
    punctual, slow = Team(5, 9, 4), Team(5, 9, 4, late)
    for team in (punctual, slow):
        shelf = publish(team)
        week_of = shelf.documents[week(monday).name]
        assert week_of.made == monday + WEEK + timedelta(days=2)
    assert len(shelf.documents) == len(publish(punctual).documents)


def test_whoever_becomes_known_within_a_block_counts_from_the_next_one() -> None:
    new = Team(5, 9, 9, Events(joins={9: FIRST - 2 * WEEK}))
    without = Team(5, 8, 9)
    name = block_of(FIRST).name
    mine = [publish(team).documents[name].atoms for team in (new, without)]
    assert mine[0] == mine[1]


def test_no_more_people_count_than_there_are_said_to_be() -> None:
    team = Team(5, 6, 4)
    team.add(
        [replace(one, person=100 + one.person) for number in range(1, 6) for one in deliveries(5, person(5, number), team.weeks, Events())]
    )
    invented = publish(team, headcount=6).documents
    assert [one.atoms for one in invented.values()] == [one.atoms for one in publish(Team(5, 6, 4), headcount=6).documents.values()]


@given(days)
def test_weeks_lie_in_blocks_without_gap_or_overlap(day: date) -> None:
    block = block_of(day)
    assert block.first <= day < block.end
    assert block.first.weekday() == block.end.weekday() == 0
    assert block_of(block.end).first == block.end
    assert unit_named(block.name) == block
    assert all(unit_named(week(monday).name) == week(monday) for monday in block.weeks)


@given(st.integers(1990, 2079))
def test_blocks_have_four_four_and_five_weeks_and_the_last_of_a_long_year_six(year: int) -> None:
    blocks = blocks_of(str(year))
    long = date(year, 12, 28).isocalendar().week == 53
    assert [len(one.weeks) for one in blocks] == [4, 4, 5] * 3 + [4, 4, 6 if long else 5]
    assert [quarter for number in range(1, 5) for quarter in blocks_of(f"{year}-Q{number}")] == list(blocks)


@given(days, st.integers(0, 120))
def test_a_unit_is_closed_two_days_after_its_end_and_a_block_after_its_last_week(first: date, later: int) -> None:
    units = list(closed(first, first + timedelta(days=later)))
    assert all(one.due <= first + timedelta(days=later) for one in units)
    assert units == sorted(units, key=lambda one: (one.end, one.is_block))
    assert {one.name for one in units if one.is_block} == {block_of(one.first).name for one in units if one.end == block_of(one.first).end}


def watched(seed: int, size: int) -> Iterator[Block]:
    """The blocks of a team of which some are late, on leave and gone."""
    late = {(number, FIRST + WEEK): FIRST + 3 * WEEK for number in range(1, size, 2)}
    away = {number: frozenset([FIRST + 2 * WEEK]) for number in range(1, size, 3)}
    team = Watched(seed, size, 4, Events(late=late, away=away, leaves={size: FIRST + 2 * WEEK}))
    documents = publish(team).documents
    for name in blocks(team):
        if name in documents:
            yield Block(team, documents, unit_named(name))


def by_breakdown(block: Block, columns: frozenset[int] | None) -> Iterator[list[Published]]:
    for breakdown in {one.key[0] for one in block.published} - {""}:
        found = [one for one in block.published if one.key[0] == breakdown and one.columns == columns]
        if found:
            yield found


def kept(texts: dict[str, bytes]) -> Shelf:
    """An archive that has some releases."""
    shelf = Shelf()
    shelf._kept.update(texts)
    return shelf
