"""Attackers who see verdicts and alerts besides figures guess what one developer did: they are right hardly more often than where it was redrawn."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from innerloop_collector.query.releases.disclosure import K
from innerloop_collector.query.verdicts.looks import Name
from tests.releases.evidence_attackers import EVIDENCE
from tests.releases.evidence_game import CHANGED, LOOKS, SCENARIOS, change, play
from tests.releases.game import Tally
from tests.releases.simulated_team import PROJECT, Events, Slower, Team
from tests.releases.told_of_changes import Checkouts, alerts_of, verdicts_of

POINTS = 5
SIZE = 30


@pytest.fixture(scope="module")
def team() -> Team:
    """Of whom each waits for builds half as long again since the change."""
    return Team(5, SIZE, 4 + max(LOOKS), Events(slower=Slower("build", CHANGED, 1.5)))


def test_every_attacker_has_a_name_and_a_world_of_its_own_kind() -> None:
    assert len({one.name for one in EVIDENCE}) == len(EVIDENCE) >= 15
    assert {scenario for one in EVIDENCE for scenario in one.scenarios} == set(SCENARIOS)


def test_what_they_see_is_published_of_such_a_team(team: Team) -> None:
    """Otherwise nobody would have anything to attack."""
    verdicts = verdicts_of(team, [change()], Checkouts(), k=K, headcount=SIZE)
    assert [(1, "slower"), (2, "slower")] == [(one.look, one.findings[0].verdict) for one in verdicts]
    told = [one for day in alerts_of(team, CHANGED, 5, Checkouts(), k=K, headcount=SIZE) for one in day.told]
    assert "build" in {one.subject.name for one in told}


def test_a_second_change_a_day_or_a_control_apart_is_told_nothing(team: Team) -> None:
    """Also not with somebody less in it."""
    near = change("near", day=CHANGED + timedelta(days=1), looks=(4,))
    control = change("control", controls=(Name(PROJECT, "test"), Name(PROJECT, "docs")), looks=(5,))
    swapped = change("swapped", controls=(Name(PROJECT, "build"),), looks=(5,))
    verdicts = verdicts_of(team, [change(looks=(4,)), near, control, swapped], Checkouts(), k=K, headcount=SIZE)
    assert {"cache": True, "near": False, "control": False, "swapped": False} == {one.change: one.has_numbers for one in verdicts}
    assert 3 == sum("two looks lie in different blocks" in one.refused for one in verdicts)


@pytest.mark.parametrize("size", [12])
def test_attackers_of_verdicts_gain_little_in_a_few_plays(size: int) -> None:
    """The bound proper takes a thousand plays. Of a team of 12, of whom a few do most, hardly anything is told, and its words are attacked."""
    mean, _, plays = play(size, worlds=2 * len(SCENARIOS)).overall
    assert plays >= 5
    assert mean <= POINTS + 20


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("size", "worlds"), [(20, 560), (30, 560), (60, 140)])
def test_attackers_of_verdicts_gain_less_than_five_points(size: int, worlds: int) -> None:
    tally: Tally = play(size, worlds)
    mean, bound, plays = tally.overall
    assert plays >= worlds
    assert bound <= POINTS, f"{mean:.1f} points, at most {bound:.1f}, in {plays} plays: {_standing_out(tally.real, tally)}"


def _standing_out(names: Mapping[str, object], tally: Tally) -> dict[str, tuple[float, float, int]]:
    return {name: tally.advantage(name) for name in names if tally.advantage(name)[0] > POINTS}
