"""Instants, durations and ages made as coarse as was agreed, and no finer."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop.core.outbound.event import in_class
from innerloop.core.plan import granularity
from innerloop.core.plan.check import Names, conforms
from innerloop.core.plan.tracking import PLAN

INSTANTS = st.floats(0, 4e9, allow_nan=False)


@given(seconds=INSTANTS, exactness=st.sampled_from(PLAN.fields["start_time"].granularities))
def test_every_instant_made_coarser_conforms_and_is_not_later(seconds: float, exactness: str) -> None:
    text = granularity.instant(seconds, exactness)
    assert granularity.is_instant(text, exactness)
    assert conforms(text, PLAN.fields["start_time"], exactness, Names())
    moment = granularity.parse_instant(text).timestamp()
    assert -1e-6 < seconds - moment < {"hour": 3600, "minute": 60, "second": 1, "exact": 2e-6}[exactness]
    assert granularity.instant(moment, exactness) == text
    assert text.endswith("+00:00")


@given(seconds=INSTANTS)
def test_an_instant_that_is_finer_than_agreed_does_not_conform(seconds: float) -> None:
    exact = granularity.instant(seconds, "exact")
    for exactness, step in (("hour", 3600), ("minute", 60), ("second", 1)):
        moment = round(seconds * 1_000_000)
        assert granularity.is_instant(exact, exactness) == (moment % (step * 1_000_000) == 0)


@pytest.mark.parametrize("text", [
    "", "now", "2026-11-23", "2026-11-23T14:00:00", "14:00:00Z", "2026-11-23T14:30:00+00:00", "2026-11-23T14:00:00.5Z", "2026-11-23T14:00:00.0000009Z",
    "2026-11-23T14:00:00+00:00\n", " 2026-11-23T14:00:00Z", "2026-11-23T19:30:00+05:30",
])  # fmt: skip
def test_what_is_no_whole_hour_in_utc_does_not_conform(text: str) -> None:
    assert not granularity.is_instant(text, "hour")


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00.000000+00:01", "9999-12-31T23:59:59-00:01"]
)
def test_an_instant_outside_of_all_years_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        granularity.parse_instant(text)
    assert not granularity.is_commit_time(text)
    assert not granularity.is_instant(text, "exact")


@given(value=st.integers(0, 31_536_000_000))
def test_three_digits_are_three_digits_and_stay_so(value: int) -> None:
    rounded = granularity.three_digits(value)
    assert granularity.three_digits(rounded) == rounded
    assert len(str(rounded).rstrip("0")) <= 3
    assert abs(rounded - value) <= value / 200
    assert conforms(rounded, PLAN.fields["duration_ms"], "3digits", Names())


@given(seconds=st.integers(0, 4_000_000_000))
def test_weeks_are_iso_weeks(seconds: int) -> None:
    text = granularity.week(seconds)
    assert text == datetime.fromtimestamp(seconds, UTC).strftime("%G-W%V")
    assert conforms(text, PLAN.fields["git_commit_time"], "week", Names())


@given(seconds=st.floats(-1e9, 1e10))
def test_ages_are_classes_of_the_plan(seconds: float) -> None:
    assert in_class("checkout_age", seconds) in PLAN.fields["checkout_age"].values


@pytest.mark.parametrize(
    ("days", "name"), [(0, "<1d"), (1, "1-3d"), (3.9, "1-3d"), (4, "4-7d"), (8, "8-14d"), (15, "15-30d"), (31, "31-90d"), (91, ">90d")]
)
def test_ages_begin_where_their_names_say(days: float, name: str) -> None:
    assert in_class("checkout_age", days * 86400) == name
