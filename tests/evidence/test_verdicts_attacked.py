"""What two published verdicts tell of one developer, by whoever knows when that one's rows were erased, or came."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Estimate
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.query.releases.disclosure import broken_rule
from innerloop_collector.query.verdicts.judgement import DEVELOPERS
from innerloop_collector.query.verdicts.looks import APART
from tests.evidence import simulator

WEEKS_APART = APART.days // 7


def verdict(panel: Panel, world: simulator.World, weeks: int) -> float | None:
    """What is published: percent, to a tenth. None: nothing."""
    asked = simulator.question(world, weeks_after=weeks)
    limits = replace(asked.limits, users=DEVELOPERS, effective_users=float(DEVELOPERS))
    found = duration(panel, replace(asked, limits=limits))
    return round(found.percent(found.value), 1) if isinstance(found, Estimate) else None


def told_apart(apart: int, teams: int) -> float:
    """How often an attacker is right who sees two verdicts and says of which of two teams somebody was erased in between: the one where they differ more."""
    right = []
    for seed in range(teams):
        world = simulator.world("B", 24, weeks=12 + WEEKS_APART, effect=-0.2)
        panel = simulator.panel(world, seed)
        runs = np.bincount(panel.user, weights=panel.timed)
        somebody = int(np.argsort(runs)[len(runs) // 2])
        first, same = verdict(panel, world, 4), verdict(panel, world, 4 + apart)
        less = verdict(panel.where(panel.user != somebody), world, 4 + apart)
        if first is not None and same is not None and less is not None:
            right.append(0.5 if same == less else float(abs(less - first) > abs(same - first)))
    assert len(right) > teams / 2
    return sum(right) / len(right)


def test_two_verdicts_four_weeks_apart_hardly_tell_whether_somebody_was_erased_in_between() -> None:
    assert told_apart(0, 20) > 0.9, "it is able to: of the same weeks any difference is theirs"
    assert told_apart(WEEKS_APART, 60) < 0.65


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=40))
def test_what_rests_on_eight_effective_developers_passes_the_dominance_of_releases(amounts: list[float]) -> None:
    shares = np.array(amounts) / sum(amounts)
    if 1 / float((shares**2).sum()) >= DEVELOPERS:
        largest = np.sort(shares)[::-1]
        assert largest[0] <= DEVELOPERS**-0.5 + 1e-9
        assert largest[:2].sum() <= 0.5 + 1e-9
        assert broken_rule(amounts, 5) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_team_in_which_few_do_most_is_told_nothing(seed: int) -> None:
    """Also where eight and more take part: seven of them barely."""
    world = simulator.world("A", 20, effect=-0.2)
    panel = simulator.panel(world, seed)
    few = np.isin(panel.user, np.unique(panel.user)[:3])
    asked = simulator.question(world)
    limits = replace(asked.limits, users=DEVELOPERS, effective_users=float(DEVELOPERS))
    thinned = panel.where(few | (panel.week % 6 == 5))
    assert not isinstance(duration(thinned, replace(asked, limits=limits)), Estimate)
