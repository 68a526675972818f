"""On simulated teams the estimators err as rarely as they say. Few replicates here, with bounds that chance keeps; many among the slow tests; a thousand in docs/statistics.md."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from innerloop_collector.analysis.impact.all_targets import adjusted
from innerloop_collector.analysis.impact.detectable import detectable_before
from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Estimate, Label
from innerloop_collector.analysis.impact.programme import Tried, programme
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Group
from tests.evidence.rates import replicate
from tests.evidence.simulator import CHECKOUTS, TREATED, World, panel, question, world

_FASTER = float(np.log(0.8))
_FEW, _MANY = 30, 200
_WIDEST = 1.35  # of the interval by developers alone


def _assigned(projects: int) -> dict[str, Any]:
    treated, control = (Group(TREATED, frozenset(range(start, projects, 2))) for start in (0, 1))
    return {"treated": treated, "control": control, "assignment": Assignment.PROJECT}


def _world(name: str) -> tuple[World, float, str, dict[str, Any]]:
    """What a case asks of which team: the team, the truth, the estimator, the question."""
    kind, _, rest = name.partition(" ")
    users = int(rest.split()[-1])
    effect = _FASTER if "faster" in rest else 0.0
    match kind:
        case "exposure":
            return World(users=users, effect=effect, **CHECKOUTS), effect, "duration", {"exposure": Exposure.BY_EXPOSURE}
        case "change":
            return world("F", users, effect=effect), effect, "duration", {"control": None}
        case "failures":
            return world("D", users, failure=0.2, failure_shock=0.15, enter=0.25, leave=0.2), 0.0, "failures", {}
        case "usage":
            return world("E", users, usage_shock=0.15), 0.0, "usage", {}
        case "projects":
            return world("C", 100, projects=users, project_shock=0.2), 0.0, "duration", _assigned(users)
        case "interrupted":
            return world("A", users, effect=effect, patience=1.0), effect, "duration", {}
        case _:
            return world(kind, users, effect=effect), effect, "duration", {}


_QUICK = (
    "A 30",
    "F 30",
    "F faster 30",
    "F 100",
    "G 100",
    "exposure faster 30",
    "change 100",
    "failures 30",
    "usage 30",
    "projects 20",
    "interrupted faster 60",
)
_SLOW = (
    *(f"{scenario} {effect}{users}" for scenario in "ABCDEFG" for effect in ("", "faster ") for users in (10, 30, 100)),
    *(f"exposure {effect}{users}" for effect in ("", "faster ") for users in (20, 30, 60)),
    *(f"change {effect}{users}" for effect in ("", "faster ") for users in (30, 100)),
    *(f"{kind} {users}" for kind in ("failures", "usage") for users in (10, 30, 100)),
    *(f"projects {projects}" for projects in (8, 20)),
    *(f"interrupted {effect}60" for effect in ("", "faster ")),
)  # fmt: skip


@pytest.mark.parametrize("case", _QUICK)
def test_few_replicates_err_no_more_than_chance_allows(case: str) -> None:
    """Where 2 of 30 miss on average, 7 do in one of a thousand tests."""
    one, truth, estimator, asked = _world(case)
    rates = replicate(one, truth, _FEW, estimator, **asked)

    assert rates.answered >= 25
    assert rates.coverage >= 1 - 6 / 30
    assert abs(rates.bias) < 3 * np.std([value for value, *_ in rates.values]) / np.sqrt(rates.answered) + 0.02


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", _SLOW)
def test_false_claims_coverage_and_width_are_as_promised(case: str) -> None:
    """False claims at most 8 %, coverage at least 92 %, the interval at most 1.35 times that by developers alone; by exposure 6 %, 93 %, and the bias."""
    one, truth, estimator, asked = _world(case)
    rates = replicate(one, truth, _MANY, estimator, **asked)
    exposure = asked.get("exposure") is Exposure.BY_EXPOSURE
    print(case, rates)  # seen where it fails

    assert rates.answered >= 20
    if not truth:
        assert rates.found <= (0.06 if exposure else 0.08)
    assert rates.coverage >= (0.93 if exposure else 0.92)
    if exposure:
        assert abs(rates.bias) <= (0.02 if truth else 0.015)
    if asked.get("control", True) is not None and rates.plain:
        assert rates.widening <= _WIDEST


# The table of widths that was measured elsewhere, by developers; ours is within 15 % of it.
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("users", "half_width"), [(20, 0.23), (30, 0.17), (60, 0.115)])
def test_intervals_by_exposure_are_as_wide_as_measured_before(users: int, half_width: float) -> None:
    rates = replicate(World(users=users, **CHECKOUTS), 0.0, _MANY, exposure=Exposure.BY_EXPOSURE)

    assert rates.median_half_width == pytest.approx(half_width, rel=0.15)


def test_a_strong_trend_is_no_effect_and_without_controls_nothing_is_called_one() -> None:
    plain = replicate(world("C", 100, trend=1.0), 0.0, 10)

    assert plain.coverage >= 0.8
    assert isinstance(duration(panel(world("C", 100), 1), question(World(), control=None)), Estimate)
    assert duration(panel(world("C", 100), 1), question(World(), control=None)).label is Label.CHANGE


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", ["A", "F"])
def test_what_is_said_to_be_detectable_is_found_four_times_of_five(scenario: str) -> None:
    said = [detectable_before(panel(world(scenario, 60), seed), question(World())) for seed in range(60)]
    effect = -float(np.mean([answer.detectable for answer in said if isinstance(answer, Estimate)]))

    rates = replicate(world(scenario, 60, effect=effect), effect, _MANY, first=1000)

    assert 0.75 <= rates.found <= 0.97


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_looking_four_times_errs_as_rarely_as_looking_once() -> None:
    """Each week of the four since the change, with the interval of four looks."""
    claimed = []
    for seed in range(_MANY):
        given = panel(world("F", 60), seed)
        looks = [duration(given, question(World(), weeks_after=weeks, looks=4)) for weeks in (1, 2, 3, 4)]
        claimed.append(any(isinstance(one, Estimate) and not one.low <= 0 <= one.high for one in looks))

    assert np.mean(claimed) <= 0.06


def test_the_total_of_a_programme_covers_the_truth_and_a_sum_of_winners_does_not() -> None:
    """Twelve changes, most of which did little: 400 programmes."""
    chance = np.random.default_rng(3)
    template = duration(panel(World(users=30), 1), question(World()))
    assert isinstance(template, Estimate)
    covered, bias, winners = [], [], []
    for _ in range(400):
        truth, error = chance.normal(-0.02, 0.05, 12), chance.uniform(0.05, 0.12, 12)
        seen = truth + chance.normal(0, error)
        tried = [Tried(_estimate(template, value, one), 100.0) for value, one in zip(seen, error, strict=True)]
        total, real = programme(tried).minutes, float((100 * np.expm1(-truth)).sum())
        assert total is not None
        covered.append(total.low <= real <= total.high)
        bias.append(total.value - real)
        claimed = seen < -1.96 * error
        winners.append(float((100 * np.expm1(-seen[claimed])).sum() - (100 * np.expm1(-truth[claimed])).sum()))

    assert np.mean(covered) >= 0.92
    assert abs(np.mean(bias)) < 4
    assert np.mean(winners) > 10  # what claims alone would add up to, beyond what they are


def _estimate(template: Estimate, value: float, error: float) -> Estimate:
    half = 1.959964 * error
    return replace(template, value=value, low=value - half, high=value + half)


def test_of_fifty_targets_a_tenth_of_the_claims_is_false() -> None:
    """Five that changed among 50, 2,000 scans: the share of false ones among all claims."""
    chance = np.random.default_rng(5)
    shares = []
    for _ in range(2000):
        z = chance.normal(0, 1, 50)
        z[:5] += 3.0
        claimed = adjusted(2 * ndtr(-np.abs(z))) <= 0.10
        shares.append(claimed[5:].sum() / max(claimed.sum(), 1))

    assert np.mean(shares) <= 0.11
