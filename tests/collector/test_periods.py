"""The periods that pages offer are those that a report of each name is of."""

from datetime import date, timedelta

import pytest

from innerloop_collector.query import periods
from innerloop_collector.query.releases.calendar import closed


@pytest.mark.parametrize("weeks", [1, 4, 5, 13, 60])
def test_every_period_that_is_offered_is_the_one_that_is_found_by_its_name(weeks: int) -> None:
    first = date(2026, 2, 9)
    published = frozenset(unit.name for unit in closed(first, first + timedelta(weeks=weeks, days=2)))
    offered = periods.every(published)

    assert list(offered) == [periods.period(one.name, published) for one in offered]
    assert published <= {one.name for one in offered}
    assert sorted((one.last for one in offered), reverse=True) == [one.last for one in offered]
    assert {"2026", "2026-Q1"} <= {one.name for one in offered}
