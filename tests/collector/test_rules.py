"""The release rules as pure functions, for any team."""

import datetime as dt
from collections.abc import Collection

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from innerloop_collector.query import rules
from innerloop_collector.query.windows import BY_USE, more_usual, window

DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31))
# command -> developer -> runs
TEAMS = st.dictionaries(
    st.sampled_from([f"command-{number}" for number in range(9)]),
    st.dictionaries(st.integers(1, 14), st.integers(1, 30), min_size=1),
    max_size=9,
)
Team = dict[str, dict[int, int]]


def _cells(team: Team) -> list[rules.Cell]:
    return [rules.Cell(name, len(runs), _share(list(runs.values()))) for name, runs in team.items()]


def _share(values: list[int]) -> rules.Share:
    ranked = sorted(values, reverse=True)
    return rules.Share(sum(ranked), ranked[0], sum(ranked[:2]))


def _hidden(team: Team) -> frozenset[str]:
    def developers_in(names: Collection[str]) -> int:
        return len({developer for name in names for developer in team[name]})

    return rules.hidden(_cells(team), developers_in)


@given(TEAMS)
def test_nothing_shown_is_about_fewer_than_five_developers(team: Team) -> None:
    shown = set(team) - _hidden(team)

    assert all(len(team[name]) >= 5 for name in shown)


@given(TEAMS)
def test_what_is_hidden_has_five_developers_or_none_unless_everything_is_hidden(team: Team) -> None:
    hidden = _hidden(team)
    developers = {developer for name in hidden for developer in team[name]}

    assert not hidden or len(developers) >= 5 or hidden == set(team)


@given(TEAMS)
def test_no_developer_dominates_what_is_shown(team: Team) -> None:
    for name in set(team) - _hidden(team):
        ranked = sorted(team[name].values(), reverse=True)
        assert ranked[0] <= sum(ranked) / 2
        assert sum(ranked[:2]) <= sum(ranked) * 3 / 4


@given(TEAMS)
def test_no_more_is_hidden_than_the_rules_ask_for(team: Team) -> None:
    """The last cell that was hidden to protect others was needed."""
    bad = {cell.name for cell in _cells(team) if not rules.may_show(cell)}
    extra = sorted(_hidden(team) - bad, key=lambda name: (len(team[name]), sum(team[name].values()), name))
    if extra:
        without_last = bad | set(extra[:-1])
        assert len({developer for name in without_last for developer in team[name]}) < 5


@given(st.lists(st.integers(0, 12), max_size=4))
def test_a_cell_that_differs_by_one_to_four_developers_from_another_window_is_hidden(differences: list[int]) -> None:
    cell = rules.Cell("test", 10, rules.Share(100, 10, 20), tuple(differences))

    assert rules.may_show(cell) == (not any(0 < one < 5 for one in differences))


@given(st.integers(0, 10_000))
def test_counts_are_rounded_to_five_and_small_ones_are_not_told(count: int) -> None:
    shown = rules.rounded(count)

    if 0 < count < 5:
        assert shown is None
    else:
        assert shown is not None
        assert shown % 5 == 0
        assert abs(shown - count) <= 2


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine says nothing about it
@given(st.integers(5, 50), st.integers(0, 50))
def test_the_number_of_developers_is_not_shown_where_it_is_the_team(developers: int, others: int) -> None:
    shown = rules.shown_developers(developers, developers + others)

    assert (shown is None) == (others == 0)


@given(DAYS, st.sampled_from(BY_USE))
def test_windows_are_whole_weeks_that_are_over_and_of_a_throw_away_store_the_running_one_too(today: dt.date, weeks: int) -> None:
    chosen, trying = window(weeks, today), window(weeks, today, running=True)

    assert (0, 0) == (chosen.first.weekday(), chosen.end.weekday())
    assert chosen.end <= today < chosen.end + dt.timedelta(days=7) == trying.end
    assert (chosen.end - chosen.first).days == 7 * weeks
    assert chosen.first == trying.first


@given(DAYS)
def test_any_two_windows_are_compared_by_exactly_one_of_them(today: dt.date) -> None:
    spans = [span for weeks in BY_USE for span in more_usual(window(weeks, today))]

    assert len(spans) == len(set(spans)) == len(BY_USE) * (len(BY_USE) - 1) // 2
    assert all(first < end for first, end in spans)
