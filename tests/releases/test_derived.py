"""What is derived from published numbers holds whatever was rounded and merged: bounds are bounds, and what cannot be told is not."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop_collector.query import values
from innerloop_collector.query.releases.bands import BANDS, bands
from innerloop_collector.query.releases.calendar import block_of, week
from innerloop_collector.query.releases.contribution import BINS, EDGES_MS, People, added
from innerloop_collector.query.releases.developer_weeks import developer_weeks
from innerloop_collector.query.releases.document import VERSION, Atom, Durations, Outcomes, Release, atom
from innerloop_collector.query.releases.shown import WHOLE, Shown, judged
from innerloop_collector.query.releases.sums import summed
from innerloop_collector.query.releases.uncertainty import chance, ratio
from tests.releases.people import everybody, runs, waits

BLOCK = block_of(date(2026, 1, 26))
few = settings(max_examples=30, deadline=None, derandomize=True, database=None)
durations = st.lists(st.floats(1, 5_000_000), min_size=8, max_size=60)


def published(people: People) -> Atom:
    found = judged(WHOLE, people, 5)
    assert isinstance(found, Shown)
    return atom(found)


def release(unit: str, *atoms: Atom, people: int = 0, weeks: tuple[str, ...] | None = None) -> Release:
    behind = {"": {"": people}} if people else {}
    return Release(VERSION, "acme", unit, date(2026, 3, 1), 1, 5, 1, atoms, people=behind, weeks=weeks)


@few
@given(durations)
def test_what_was_waited_in_a_band_lies_within_its_bounds(each: list[float]) -> None:
    people = {number: waits(each) for number in range(1, 9)}
    for (name, low, high), (_, band) in zip(BANDS, bands(summed([published(people)]).timed), strict=False):
        inside = [one for one in each if one > low and (high is None or one <= high)]
        if band:
            assert abs(band.runs - 8 * len(inside)) <= 2.5 * len(BINS), name
            assert band.least_ms <= 8 * sum(inside), name
            assert band.most_ms is None or 8 * sum(inside) <= band.most_ms, name


def test_a_band_within_a_wider_part_of_the_durations_cannot_be_told() -> None:
    one = Atom("", "", 100, durations=(Durations(tuple(range(8)), 60), Durations(tuple(range(8, 17)), 40)))
    found = dict(bands(summed([one]).timed))
    assert ({name for name, band in found.items() if band is None}) == {"under 10 s", "10 s to 1 min", "1 to 10 min", "over 10 min"}
    exact = Atom("", "", 100, durations=(Durations(tuple(range(7)), 60), Durations(tuple(range(7, 17)), 40)))
    assert dict(bands(summed([exact]).timed))["under 10 s"]


@few
@given(durations)
def test_the_ratio_of_two_quantiles_lies_within_its_bounds(each: list[float]) -> None:
    of = summed([published({number: waits(each) for number in range(1, 9)})])
    if of.p50 and of.p90:
        low, about, high = ratio(of.p90, of.p50)
        assert 1 <= low <= (about or low) <= (high or float("inf"))


def test_developer_weeks_are_of_blocks_that_are_over_and_of_the_weeks_that_their_numbers_cover() -> None:
    first, *others = [release(week(monday).name, published(everybody(1, 8, runs(20)))) for monday in BLOCK.weeks]
    assert developer_weeks([first, *others], WHOLE) is None, "people are counted when the block is over"
    block = release(BLOCK.name, people=5)
    found = developer_weeks([first, *others, block], WHOLE)
    assert found
    assert (found.low, found.high, len(found.atoms)) == (5 * 4, 9 * 4, 4)
    hidden = developer_weeks([*others, block], WHOLE)
    assert hidden
    assert (hidden.low, hidden.high) == (5 * 3, 9 * 3)
    rest = developer_weeks([*others, release(BLOCK.name, published(everybody(1, 8, runs(20))), people=5)], WHOLE)
    assert rest
    assert (rest.low, rest.high, len(rest.atoms)) == (5 * 4, 9 * 4, 4)


def test_minutes_of_a_developers_week_lie_between_those_of_the_most_and_the_fewest_developers() -> None:
    people = everybody(1, 8, runs(20, each_ms=60_000))
    weeks = [release(week(monday).name, published(people)) for monday in BLOCK.weeks]
    row = values.whole([*weeks, release(BLOCK.name, people=5)])
    assert row
    assert row.waited_per_developer_week
    told = row.waited_per_developer_week
    assert told.at_most
    assert told.about
    assert told.at_least.value <= 20 <= told.at_most.value
    assert told.at_least.value < told.about.value < told.at_most.value


@few
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=5, max_size=12))
def test_a_rate_lies_within_its_bounds_and_chance_makes_them_wider_the_fewer_developers_there_are(each: list[tuple[int, int]]) -> None:
    people = {number: runs(a + b, failed=a) for number, (a, b) in enumerate(each) if a + b}
    found = judged(WHOLE, people, 5)
    failures = summed([atom(found)]).failures if isinstance(found, Shown) else None
    if failures:
        true = sum(a for a, _ in each) / sum(a + b for a, b in each)
        assert failures.low - 1e-9 <= true <= failures.high + 1e-9
        assert failures.low <= failures.value <= failures.high
        few_of, many = chance(failures, 5), chance(failures, 500)
        assert few_of[0] <= many[0] <= failures.low <= failures.high <= many[1] <= few_of[1]


def test_the_interval_of_chance_is_wilsons() -> None:
    """10 of 50: 11 to 33 %, as tables say."""
    exact = summed([Atom("", "", 1_000_000, outcomes=(Outcomes(("succeeded",), 800_000), Outcomes(("failed",), 200_000)))]).failures
    assert exact
    assert chance(exact, 50) == pytest.approx((0.1124, 0.3304), abs=2e-4)


def test_agents_and_jobs_are_added_up_over_blocks() -> None:
    agent = published(added([everybody(1, 8, runs(20))]))
    one = Release(VERSION, "acme", "2026-B01", date(2026, 3, 1), 1, 5, 1, (), jobs=35, agents=agent)
    both = [one, Release(VERSION, "acme", "2026-B02", date(2026, 4, 1), 1, 5, 1, (), jobs=5)]
    jobs, agents = values.jobs(both), values.agents(both)
    assert jobs
    assert agents
    assert (jobs.value, agents.runs.value) == (40, 160)
    assert values.agents(both[1:]) is None


def test_the_share_that_takes_part_is_a_range() -> None:
    found = values.part_of(values.people(40), 60)
    assert found
    assert (found.at_least.value, found.at_most.value) == (0.67, 0.73)
    assert values.part_of(values.people(40), None) is None


def test_the_ends_of_bands_are_edges_of_bins() -> None:
    assert {end for _, low, high in BANDS for end in (low, high)} - {0, None} <= set(EDGES_MS)
