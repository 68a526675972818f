"""Attackers guess what one developer did: they are right hardly more often than where that developer's rows were somebody else's."""

import pytest

from tests.releases.attackers import LIBRARY
from tests.releases.game import SCENARIOS, play

POINTS = 5


def test_every_attacker_finds_something_to_work_with() -> None:
    """Their name is in the note of what is withstood, so each must be able to play: in a world of its own kind, or hidden from by a rule."""
    assert len({one.name for one in LIBRARY}) == len(LIBRARY) >= 20
    assert {scenario for one in LIBRARY for scenario in one.scenarios} <= set(SCENARIOS)


@pytest.mark.parametrize("size", [6, 10])
def test_attackers_gain_little_in_a_few_plays(size: int) -> None:
    mean, _, plays = play(size, worlds=len(SCENARIOS)).overall
    assert plays >= 30
    assert mean <= POINTS + 10  # the bound proper takes 2,000 plays


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("size", "worlds"), [(5, 600), (6, 340), (8, 340), (10, 340)])
def test_attackers_gain_less_than_five_points_in_two_thousand_plays(size: int, worlds: int) -> None:
    mean, bound, plays = play(size, worlds).overall
    assert plays >= 2_000
    assert bound <= POINTS, f"{mean:.1f} points, at most {bound:.1f}, in {plays} plays"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("size", "worlds"), [(30, 48), (100, 24)])
def test_attackers_of_large_teams_gain_less_than_five_points(size: int, worlds: int) -> None:
    """In fewer plays: a world of a large team takes many seconds."""
    mean, bound, plays = play(size, worlds).overall
    assert plays >= 150
    assert bound <= POINTS, f"{mean:.1f} points, at most {bound:.1f}, in {plays} plays"
