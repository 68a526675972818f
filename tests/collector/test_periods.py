"""The periods that pages offer are those that a report of each name is of."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from innerloop_collector.errors import UsageError
from innerloop_collector.query import periods
from innerloop_collector.query.releases.calendar import closed, unit_named


@pytest.mark.parametrize("weeks", [1, 4, 5, 13, 60])
def test_every_period_that_is_offered_is_the_one_that_is_found_by_its_name(weeks: int) -> None:
    first = date(2026, 2, 9)
    published = frozenset(unit.name for unit in closed(first, first + timedelta(weeks=weeks, days=2)))
    offered = periods.every(published)

    assert list(offered) == [periods.period(one.name, published) for one in offered]
    assert published <= {one.name for one in offered}
    assert sorted((one.last for one in offered), reverse=True) == [one.last for one in offered]
    assert {"2026", "2026-Q1"} <= {one.name for one in offered}


NAMES = st.one_of(
    st.text(max_size=9),
    st.text(string.digits + "-WBQ", max_size=9),
    st.from_regex(r"\d{4}(-[WBQ]\d{1,2})?", fullmatch=True),  # digits of any script
)


@given(NAMES)
@example("9999")
@example("9999-B12")
@example("9999-W52")
@example("0000-W01")
@example("0000")
@example("2026-W54")
@example("\u0662\u0660\u0662\u0666")
@example("2026\n")
def test_every_text_names_a_period_or_is_refused_with_a_sentence(name: str) -> None:
    try:
        found, unit = periods.period(name, frozenset()), unit_named(name)
    except UsageError:
        with pytest.raises(UsageError, match=r"is no period: give a week.*, of a year from 1970 to 9000"):
            periods.period(name, frozenset())
        return

    assert found is None
    assert name.isascii()
    assert 1970 <= int(name[:4]) <= 9000
    assert (0, True) == (unit.first.weekday(), unit.first < unit.end)
