"""A verdict claims something only where 0 lies outside the rounded interval, and its sentence says what the numbers say."""

import re
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from innerloop_collector.analysis.impact.estimates import Counts, Estimate, Label, Reason, Refusal, Warned, Width
from innerloop_collector.analysis.impact.programme import Tried, programme
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Limits, Metric
from innerloop_collector.analysis.impact.robustness import Interval
from innerloop_collector.analysis.impact.verdict import CLAIMS, Verdict, judge
from innerloop_collector.query.published import Minutes, People, Percent, seal
from innerloop_collector.query.verdicts.pooling import tried
from innerloop_collector.query.verdicts.rounding import finding
from innerloop_collector.query.verdicts.verdict_views import AS_FELT, Finding
from innerloop_collector.query.verdicts.verdict_views import Verdict as Published
from innerloop_collector.reports.impact import _hours
from innerloop_collector.reports.impact_table import caution
from innerloop_collector.reports.verdicts import sentence
from innerloop_collector.terminal.impact_text import _interval


def _estimate(
    value: float, half: float, metric: Metric = Metric.DURATION, users: int = 37, detectable: float = 0.3, **more: object
) -> Estimate:
    return Estimate(
        **{  # type: ignore[arg-type]
            "metric": metric, "label": Label.EFFECT, "exposure": Exposure.BY_DATE, "assignment": Assignment.USER, "value": value,
            "low": value - half, "high": value + half, "confidence": 0.95, "p": 0.01, "detectable": detectable, "width": Width.USERS,
            "counts": Counts(users=users), **more,
        }
    )  # fmt: skip


_numbers = st.floats(-0.9, 0.9, allow_nan=False)
_estimates = st.builds(
    _estimate, _numbers, st.floats(1e-6, 1.5), st.sampled_from(Metric), st.integers(8, 500), st.floats(0.001, 2),
    label=st.sampled_from(Label), exposure=st.sampled_from(Exposure), confidence=st.sampled_from([0.95, 0.99, 1 - 0.05 / 3]),
    warnings=st.lists(st.sampled_from(Warned), max_size=3).map(tuple),
)  # fmt: skip
_refusals = st.builds(Refusal, st.sampled_from(Metric), st.sampled_from(Label), st.sampled_from(Exposure), st.sampled_from(Reason))


@given(_estimates)
def test_a_claim_is_never_made_with_zero_inside_its_interval(estimate: Estimate) -> None:
    judged = judge(estimate)

    assert judged.low is not None
    assert judged.high is not None
    assert (judged.verdict in CLAIMS) == (judged.low > 0 or judged.high < 0)
    assert judged.low <= estimate.percent(estimate.low) + 1e-9
    assert judged.high >= estimate.percent(estimate.high) - 1e-9
    assert judged.percent is not None
    assert judged.low <= judged.percent <= judged.high


@given(_estimates, _estimates | _refusals, st.floats(-500, 500))
def test_what_a_sentence_says_lies_in_the_interval_that_it_names(estimate: Estimate, failures: Estimate | Refusal, minutes: float) -> None:
    judged = judge(estimate)

    said = sentence("build", judged, minutes=minutes, failures=judge(failures))

    claimed = re.match(r"build (?:became|is run|fails).*?([\d.]+) (?:%|points?).*?interval ([\d.]+) to ([\d.]+) ", said)
    assert bool(claimed) == (judged.verdict in CLAIMS)
    if claimed:
        value, near, far = (float(one) for one in claimed.groups())
        assert 0 < near <= value <= far
    else:
        ends = re.search(r"interval ([-+]?[\d.]+) to ([-+]?[\d.]+) ", said)
        assert ends is not None
        assert float(ends[1]) <= 0 <= float(ends[2])
    assert "became" not in said or judged.metric is Metric.DURATION
    assert ("not known to be an effect" in said) == (judged.label is Label.CHANGE)


@given(_refusals)
def test_a_refusal_has_no_number(refusal: Refusal) -> None:
    judged = judge(refusal)

    assert judged.verdict in (Verdict.TOO_EARLY, Verdict.TOO_FEW_DEVELOPERS, Verdict.CANNOT_TELL)
    assert not re.search(r"\d", sentence("build", judged))


def test_sentences_that_a_manager_can_read() -> None:
    faster = judge(_estimate(-0.198, 0.101))
    no_sign = judge(_estimate(0.001, 0.08, Metric.FAILURES))
    unsure = judge(_estimate(-0.1, 0.6, detectable=0.6, warnings=(Warned.FEW_EFFECTIVE_USERS,)))
    flat = judge(_estimate(0.01, 0.06), Limits(no_change=0.1))

    assert sentence("provisioning", faster, minutes=40.4, failures=no_sign) == (
        "provisioning became 18 % faster (95 % interval 9 to 26 %), about 40 minutes saved per developer and month; no sign that failures changed; "
        "35 to 39 developers"
    )
    assert sentence("build", unsure) == (
        "build: cannot tell: with so few developers only changes above 45 % would show (95 % interval -51 to +65 %); 35 to 39 developers"
    )
    assert sentence("build", flat) == "build: no change of duration beyond 8 % (95 % interval -5 to +8 %); 35 to 39 developers"
    assert sentence("build", judge(Refusal(Metric.DURATION, Label.EFFECT, Exposure.BY_DATE, Reason.TOO_FEW_WEEKS_AFTER))) == (
        "build: too early: there are too few weeks since the change"
    )


def test_each_metric_has_words_of_its_own() -> None:
    said = {metric: (judge(_estimate(-0.2, 0.1, metric)).verdict, judge(_estimate(0.2, 0.1, metric)).verdict) for metric in Metric}

    assert said[Metric.DURATION] == (Verdict.FASTER, Verdict.SLOWER)
    assert said[Metric.FAILURES] == said[Metric.FAILED_CHECKS] == (Verdict.FAILS_LESS, Verdict.FAILS_MORE)
    assert said[Metric.USAGE] == said[Metric.ADOPTION] == (Verdict.USED_LESS, Verdict.USED_MORE)


def test_a_sentence_says_of_which_runs_it_is_and_tells_minutes_of_all_runs_alone() -> None:
    found = judge(_estimate(-0.2, 0.1))
    exposed = replace(found, exposure=Exposure.BY_EXPOSURE)

    assert "saved per developer" in sentence("build", found, minutes=12.0)
    assert sentence("build", exposed, minutes=12.0).startswith("build became 18 % faster where the checkout held the change (95 % interval")
    assert sentence("build", found, minutes=12.0, same_work=True).startswith("build became 18 % faster for the same work (95 % interval")
    assert "saved" not in sentence("build", exposed, minutes=12.0) + sentence("build", found, minutes=12.0, same_work=True)


def test_one_is_singular_nothing_is_below_nothing_and_nothing_takes_no_time_at_all() -> None:
    found = judge(_estimate(-0.2, 0.1))
    assert ", less than a minute saved per developer" in sentence("build", found, minutes=0.4)
    assert ", about 1 minute saved per developer" in sentence("build", found, minutes=1.0)
    assert sentence("build", judge(_estimate(-0.01, 0.005, Metric.FAILURES))).startswith("build fails less: 1 point fewer of 100 runs (")
    assert sentence("build", judge(_estimate(-9.0, 0.5))).startswith("build became more than 99 % faster (95 % interval 99 to 100 %)")
    assert sentence("build", judge(_estimate(-0.0, 0.009, Metric.FAILURES), Limits())).startswith(
        "build: no change of failures beyond 0.9 points ("
    )
    assert _hours(-3.2, -9.0, 2.0) == "together about 3 hours a month lost by all developers (-2 to 9)"
    assert _hours(0.4, -0.4, 1.2) == "together less than an hour a month saved by all developers (0 to 1)"
    assert _interval(Interval(-0.0001, -0.0004, 0.1)) == ("+0.0 %", "+0.0 to +10.5")


def test_no_trend_is_said_to_be_assumed_where_none_is() -> None:
    assert "trend before would have gone on" in caution(Warned.NO_CONTROL, Metric.DURATION)
    for metric in (Metric.USAGE, Metric.ADOPTION):
        assert "no trend is taken out" in caution(Warned.NO_CONTROL, metric)


def test_what_would_show_of_use_is_an_increase() -> None:
    assert judge(_estimate(0.0, 0.5, Metric.USAGE, detectable=0.5)).detectable == 64.9
    assert judge(_estimate(0.0, 0.5, detectable=0.5)).detectable == 39.4


def test_points_that_are_published_stay_within_a_hundred() -> None:
    found = finding(_estimate(0.95, 0.04, Metric.ADOPTION, users=12, detectable=0.95), AS_FELT, Limits(), 5)

    assert found.high is not None
    assert found.detectable is not None
    assert (found.high.value, found.detectable.value) == (100, 100)


def test_a_programme_of_answers_that_are_told_without_doubt_adds_up() -> None:
    found = programme([Tried(_estimate(value, 0.0), 10.0) for value in (-0.1, -0.1, 0.1, 0.3)])

    assert found.minutes is not None
    assert found.spread is not None
    assert 0.1 < found.spread < 0.3


def test_minutes_are_those_of_who_ran_it_since_and_not_of_who_is_compared() -> None:
    day, told = date(2030, 3, 18), (seal(Percent, -20.0), seal(Percent, -30.0), seal(Percent, -10.0), 0.95)
    findings = (Finding("duration", "by date", AS_FELT, "effect", "faster", *told),)
    published = Published(
        1, "acme", "verdict/a/1", "a", "A", day, "duration", 1, 1, 4, day, day, day, 5, (), (), findings=findings,
        developers=seal(People, (20, 24)), waited=seal(Minutes, 10.0), minutes_of=seal(People, (35, 39)),
    )  # fmt: skip

    assert tried(published).minutes == 370


def test_what_was_published_of_everything_or_nothing_is_in_a_programme_and_adds_nothing() -> None:
    finding = Finding(
        "duration", "by date", AS_FELT, "effect", "cannot tell", seal(Percent, -3.0), seal(Percent, -100.0), seal(Percent, 900.0), 0.95
    )
    day = date(2030, 3, 18)
    published = Published(1, "acme", "verdict/a/1", "a", "A", day, "duration", 1, 1, 4, day, day, day, 5, (), (), findings=(finding,))

    assert isinstance(tried(published).answer, Refusal)
