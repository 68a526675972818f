"""What others published of their data comes out here as well."""

import math
from typing import Any

import numpy as np
import pytest

from innerloop_collector.analysis.impact.adoption import _newcomers, paired
from innerloop_collector.analysis.impact.all_targets import adjusted
from innerloop_collector.analysis.impact.estimates import Counts, Estimate
from innerloop_collector.analysis.impact.intervals import quantile
from innerloop_collector.analysis.impact.programme import pooled
from innerloop_collector.analysis.impact.regression import Observations, by_week, fit
from innerloop_collector.analysis.impact.selection import observe, select
from innerloop_collector.analysis.impact.weekly import regressed
from tests.evidence.panels import asked, of_failures, of_logs

# Student 1908, hours of sleep gained with two drugs; Darwin's maize of 1876 in Fisher 1935, crossed minus self-fertilised, in eighths of an inch.
_SLEEP = ([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
_MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
_ADMISSIONS = {  # Bickel, Hammel and O'Connell 1975: men admitted, rejected, women admitted, rejected
    "A": (512, 313, 89, 19), "B": (353, 207, 17, 8), "C": (120, 205, 202, 391), "D": (138, 279, 131, 244), "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}  # fmt: skip
_NILE = [  # Cobb 1978: yearly flow at Aswan, 1871 to 1970
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260,
    1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845,
    864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]  # fmt: skip
_VACCINE = [  # Colditz and others 1994, tuberculosis with and without BCG: vaccinated ill and not, others ill and not
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079),
    (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
]  # fmt: skip


def _pairs(before: Any, after: Any) -> Observations:
    """Pairs as observations, without effects of weeks."""
    count = len(before)
    cell = np.repeat(np.arange(count), 2)
    week = np.tile([0, 1], count)
    y = np.stack([before, after], axis=1).astype(float).ravel()
    return Observations(cell, cell, cell, week, np.array([0, 1]), np.ones(2 * count), y, week.astype(float), np.ones(2 * count, dtype=bool))


def test_student_s_sleep_is_a_paired_t_test() -> None:
    found = fit(_pairs(*_SLEEP), np.zeros((2, 0)))

    assert found is not None
    assert found.value == pytest.approx(1.58)
    assert found.error == pytest.approx(0.388959, abs=5e-7)
    assert found.effective == pytest.approx(10)
    assert found.value / found.error == pytest.approx(4.0621, abs=5e-5)
    half = quantile(9, 0.975) * found.error
    assert (found.value - half, found.value + half) == pytest.approx((0.7001, 2.4599), abs=5e-5)


def test_darwin_s_maize_is_fisher_s_t() -> None:
    found = fit(_pairs(np.zeros(15), _MAIZE), np.zeros((2, 0)))

    assert found is not None
    assert found.value == pytest.approx(20.933, abs=5e-4)
    assert found.value / found.error == pytest.approx(2.148, abs=5e-4)


def test_minimum_wages_are_a_difference_of_differences() -> None:
    """Card and Krueger 1994, table 3: 2.76 full-time places, from means that they rounded."""
    rows = [
        (user, target, week, mean)
        for user in (0, 1)
        for target, means in enumerate([(20.44, 21.03), (23.33, 21.17)])
        for week, mean in enumerate(means)
    ]
    selected = select(of_logs(rows), asked(1))
    seen = observe(selected, selected.panel.timed, selected.panel.sum_log)
    assert seen is not None

    found = fit(seen, by_week(seen))

    assert found is not None
    assert found.value == pytest.approx(2.76, abs=0.011)


def test_admissions_at_berkeley_are_the_mantel_haenszel_difference() -> None:
    """A share without covariates, compared within departments: here a department is a person, and its women are what came after."""
    rows = []
    for user, (admitted, rejected, women_in, women_out) in enumerate(_ADMISSIONS.values()):
        rows += [(user, 0, 0, admitted, rejected), (user, 0, 1, women_in, women_out)]
    above = below = 0.0
    for men_in, men_out, women_in, women_out in _ADMISSIONS.values():
        men, women = men_in + men_out, women_in + women_out
        above += (women_in * men - men_in * women) / (men + women)
        below += men * women / (men + women)
    panel = of_failures(rows)
    share, changed = panel.failed / panel.ended, panel.week.astype(float)
    seen = Observations(
        panel.user, panel.user, panel.user, panel.week, np.array([0, 1]), panel.ended, share, changed, np.ones(len(panel), dtype=bool)
    )

    found = fit(seen, np.zeros((2, 0)))

    assert found is not None
    assert found.value == pytest.approx(above / below, abs=1e-12)


def test_benjamini_and_hochberg_s_own_example_rejects_four() -> None:
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]

    assert (adjusted(p) <= 0.05).sum() == 4
    assert adjusted(p[::-1]).tolist() == adjusted(p)[::-1].tolist()
    assert sum(one * len(p) <= 0.05 for one in p) == 3  # what Bonferroni would


def test_the_nile_fell_after_1898() -> None:
    flow, year = np.array(_NILE, dtype=float), np.arange(100)

    found = regressed(flow, year, 28, (year >= 28).astype(float), trend=False)

    early, late = flow[:28], flow[28:]
    pooled_variance = (28 * early.var() + 72 * late.var()) / 98
    assert found is not None
    assert (early.mean(), round(late.mean(), 2)) == (1097.75, 849.97)
    assert found.value == pytest.approx(late.mean() - early.mean())
    assert found.uncertainty.freedom == 98
    assert found.value / found.uncertainty.error == pytest.approx(found.value / math.sqrt(pooled_variance * (1 / 28 + 1 / 72)))


def test_presidential_approval_is_mcnemar_s_difference() -> None:
    """Agresti 1990, table 10.1: 150 of 1,600 withdrew their approval and 86 gave it."""
    found = paired(794, 86, 150, 1600, asked(1), Counts())

    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(-0.04)
    assert found.half_width / 1.959964 == pytest.approx(0.0095, rel=0.01)  # of another interval, which differs by little among so many
    assert found.p < 1e-4


def test_newcombe_s_interval_of_paired_shares() -> None:
    """Newcombe 1998, Improved confidence intervals for paired data, method 10: 36 both, 12 and 2 one of them, none neither."""
    found = paired(36, 12, 2, 50, asked(1), Counts())

    assert isinstance(found, Estimate)
    assert (found.low, found.high) == pytest.approx((0.0569, 0.3404), abs=5e-5)


@pytest.mark.parametrize(
    ("ran", "users", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
)
def test_newcombe_s_examples_of_wilson_s_interval(ran: int, users: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, method 3."""
    found = _newcomers(users, ran, asked(1))

    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_eight_schools_do_not_differ_and_are_all_their_mean() -> None:
    """Rubin 1981: the variance between them is estimated as nothing."""
    found = pooled(np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18]))

    assert found.spread == 0
    assert found.mean == pytest.approx(7.686, abs=5e-4)
    assert found.mean_error == pytest.approx(4.072, abs=5e-4)
    assert found.shrunken == pytest.approx(np.full(8, found.mean))


def test_the_vaccine_s_trials_scatter_as_paule_and_mandel_say() -> None:
    """The variance makes the weighted sum of squares what it should be, and lies where the other known estimates do: 0.309 (DerSimonian, Laird), 0.313 (REML)."""
    values = np.array([math.log(ill * (c + d) / (c * (ill + well))) for ill, well, c, d in _VACCINE])
    variances = np.array([1 / ill - 1 / (ill + well) + 1 / c - 1 / (c + d) for ill, well, c, d in _VACCINE])

    found = pooled(values, np.sqrt(variances))

    weight = 1 / (variances + found.spread**2)
    assert (weight * (values - found.mean) ** 2).sum() == pytest.approx(12, abs=1e-6)
    assert found.spread**2 == pytest.approx(0.318, abs=5e-4)
    assert found.mean == pytest.approx(-0.715, abs=5e-4)
