"""Words for numbers: as a person says them, and never more exact than what was published."""

from datetime import date
from typing import Any

import pytest

from innerloop_collector.dashboard import words
from innerloop_collector.query import Count, Milliseconds, Minutes, People, Rate, RateRange, Ratio, Spread, Time, Waited
from innerloop_collector.query.published import seal


def plain(text: str) -> str:
    """A text with ordinary spaces, to be read in a test."""
    return text.replace(words.THIN, " ")


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 ms"), (240, "240 ms"), (999.4, "999 ms"), (999.6, "1.0 s"), (4_200, "4.2 s"), (9_949, "9.9 s"), (9_960, "10 s"), (42_000, "42 s"),
        (59_400, "59 s"), (59_600, "1 min"), (200_000, "3 min 20 s"), (599_600, "10 min"), (840_000, "14 min"), (3_599_000, "1 h"),
        (7_500_000, "2 h 5 min"), (35_990_000, "10 h"), (112_000_000, "31 h"), (4_500_000_000, "1 250 h"),
    ],
)  # fmt: skip
def test_a_duration_is_said_as_a_person_says_it(milliseconds: float, said: str) -> None:
    assert said == plain(words.duration(milliseconds))


def test_no_duration_has_a_break_within_it() -> None:
    assert not any(
        " " in words.duration(one).replace(f"min{words.THIN}", "").replace("min ", "").replace("h ", "") for one in (240, 4_200, 42_000)
    )


@pytest.mark.parametrize(("value", "said"), [(0, "0"), (815, "815"), (5_815, "5 815"), (1_234_567, "1 234 567")])
def test_thousands_stand_apart(value: int, said: str) -> None:
    assert said == plain(words.number(value))


def test_what_may_not_be_told_is_a_dash_and_what_is_below_the_step_says_so() -> None:
    assert 6 * [words.ABSENT] == [
        words.count(None),
        words.share(None),
        words.people(None),
        words.waited(None),
        words.time(None),
        words.quantile(None),
    ]
    assert "<5" == words.count(seal(Count, None))


def test_published_values_are_told_as_they_were_published() -> None:
    assert "5 815" == plain(words.count(seal(Count, 5_815)))
    assert "12 %" == plain(words.share(seal(Rate, 0.12)))
    assert "40 to 44" == words.people(seal(People, (40, 44)))
    assert "2 h 5 min" == plain(words.waited(seal(Minutes, 125.0)))


def time(about: int | None, low: int, high: int | None) -> Time:
    def one(value: int | None) -> Any:
        return None if value is None else seal(Milliseconds, value)

    return Time(one(about), seal(Milliseconds, low), one(high))


def test_a_quantile_is_told_with_its_bounds_where_they_are_wide_and_as_its_bounds_where_nothing_better_is_known() -> None:
    narrow, wide, open_, unknown = (
        time(11_000, 10_000, 12_000),
        time(50_000, 30_000, 60_000),
        time(None, 60_000, None),
        time(None, 10_000, 20_000),
    )

    assert ("11 s", False) == (plain(words.quantile(narrow)), words.is_wide(narrow))
    assert ("50 s", True, "30 s to 1 min") == (plain(words.quantile(wide)), words.is_wide(wide), plain(words.bounds(wide)))
    assert "over 1 min" == plain(words.quantile(open_))
    assert "10 s to 20 s" == plain(words.quantile(unknown))
    assert "up to 20 s" == plain(words.bounds(time(12_000, 0, 20_000)))


def test_what_lies_between_bounds_is_told_with_them() -> None:
    one, ten, hour = (seal(Minutes, minutes) for minutes in (1.0, 10.0, 60.0))

    assert "10 min" == plain(words.waiting(Waited(ten, one, hour)))
    assert "1 min to 1 h" == plain(words.waiting(Waited(None, one, hour)))
    assert "over 1 min" == plain(words.waiting(Waited(None, one, None)))
    assert "up to 1 h" == plain(words.waiting(Waited(None, seal(Minutes, 0.0), hour)))
    assert "9 to 13 %" == plain(words.share_range(RateRange(seal(Rate, 0.09), seal(Rate, 0.13))))
    assert "about 3.2 times" == words.spread(Spread(seal(Ratio, 3.2), seal(Ratio, 2.0), seal(Ratio, 5.0)))
    assert "2 to 5 times" == words.spread(Spread(None, seal(Ratio, 2.0), seal(Ratio, 5.0)))
    assert "over 2 times" == words.spread(Spread(None, seal(Ratio, 2.0), None))
    assert [words.ABSENT, "", words.ABSENT] == [words.waiting(None), words.share_range(None), words.spread(None)]


def test_who_shares_their_data_is_said_of_how_many_or_that_nobody_knows_that() -> None:
    some = seal(People, (40, 44))

    assert "40 to 44 of 60 developers share their data" == words.participation(some, 60)
    assert "40 to 44 developers share their data (team size not given)" == words.participation(some, None)
    assert "" == words.participation(None, 60)


@pytest.mark.parametrize(
    ("name", "first", "last", "said"),
    [
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 22), "week of 16 Nov 2026"),
        ("2026-B11", date(2026, 10, 26), date(2026, 11, 22), "26 Oct to 22 Nov 2026"),
        ("2026-B01", date(2025, 12, 29), date(2026, 1, 25), "29 Dec 2025 to 25 Jan 2026"),
        ("2026-Q4", date(2026, 9, 28), date(2026, 12, 27), "4th quarter of 2026"),
        ("2026", date(2025, 12, 29), date(2026, 12, 27), "2026"),
        ("", date(2026, 9, 14), date(2026, 12, 13), "14 Sep to 13 Dec 2026"),
    ],
)
def test_a_period_is_said_with_its_days(name: str, first: date, last: date, said: str) -> None:
    assert said == words.period(name, first, last)


def test_days_and_lists_are_said_in_words() -> None:
    assert "Wednesday 9 December" == words.weekday(date(2026, 12, 9))
    assert ("1 week", "5 weeks") == (
        words.weeks(date(2026, 11, 16), date(2026, 11, 22)),
        words.weeks(date(2026, 11, 23), date(2026, 12, 27)),
    )
    assert ("", "a", "a and b", "a, b and c") == tuple(words.listed(list(one)) for one in ("", "a", "ab", "abc"))
