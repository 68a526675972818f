"""Runs that are published are split by the classes that they were sent with, under the same rules, and nothing can be worked out by that."""

from collections.abc import Mapping, Sequence

from innerloop_collector.query.population import Population
from innerloop_collector.query.releases import disclosure, habits, rows
from innerloop_collector.query.releases.contribution import FAILED, RUNS, SUCCEEDED, UNFINISHED, People, added
from innerloop_collector.query.releases.document import splits
from innerloop_collector.query.releases.habits import COLUMNS, NAMES, SIZE, Habits, publish_habits
from innerloop_collector.query.releases.publication import Slot, publish_remainder, publish_week
from innerloop_collector.query.releases.shown import WHOLE, Key, Number
from innerloop_collector.query.releases.split_sums import chains_given_up, first_time, shares, splits_of
from tests.releases.people import everybody, runs
from tests.releases.simulated_team import FIRST, Team, blocks, publish
from tests.releases.test_derived import release

K = 5
BUILD, TEST = ("command", "build"), ("command", "test")


def classes(**of: int) -> tuple[float, ...]:
    """What one person sent: `solved_0=3` is three successes without a failure before."""
    vector = [0.0] * SIZE
    for name, number in of.items():
        split, _, place = name.partition("_")
        vector[COLUMNS[split][int(place)]] = number
    return tuple(vector)


USUAL = classes(solved_0=14, solved_1=3, failed_0=4, failed_1=3, green_0=1, green_1=2)
RUNS_OF_USUAL = runs(24, failed=7)


def of_one_block(cells: Mapping[Key, People], sent: Mapping[Key, People]) -> list[Habits]:
    """What is published of a block of one week, which was not published by the week."""
    whole = added(cells.values())
    slots = [Slot(whole, cells, {}), Slot({}, {}, {})]
    published = publish_week(whole, {}, K)
    slots[0] = Slot(whole, cells, published.shown)
    everything = {**sent, WHOLE: added(sent.values())}
    return publish_habits(slots, publish_remainder(slots, K), [everything, {}], K)


def test_a_command_is_told_by_its_tries_and_the_whole_as_well() -> None:
    found = {one.key: one for one in of_one_block({BUILD: everybody(1, 8, RUNS_OF_USUAL)}, {BUILD: everybody(1, 8, USUAL)})}
    assert set(found) == {WHOLE, BUILD}
    (build,) = [one for one in splits(found.values()) if one.name == "build"]
    assert {one.names[0]: one.runs for one in build.solved} == {"0": 110, "1": 25}
    assert {one.names[0]: one.runs for one in build.failed} == {"0": 30, "1+": 25}
    assert [one.runs for one in build.green] == [10, 15]
    assert build.stopped == ()


def test_each_part_passes_by_itself() -> None:
    """One who needs three tries for everything is told from the others by no part."""
    people = everybody(1, 8, RUNS_OF_USUAL)
    sent = {**everybody(1, 8, USUAL), 8: classes(solved_0=2, solved_3=15, failed_0=4, failed_1=3, green_5=15)}
    for one in of_one_block({BUILD: people}, {BUILD: sent}):
        for split in COLUMNS:
            for part in one.parts(split):
                assert disclosure.broken_rule(one.by_person(Number(part)).values(), K) is None, [NAMES[column] for column in part]


def test_what_one_command_hides_is_not_told_by_all_less_the_others() -> None:
    """Of `test` only one person failed at first and then got it right: it cannot be worked out from all runs and `build`."""
    people = everybody(1, 8, RUNS_OF_USUAL)
    odd = {**everybody(1, 8, classes(solved_0=17, failed_0=4, failed_1=3)), 8: classes(solved_1=17, failed_0=4, failed_1=3, green_0=17)}
    found = {one.key: one for one in of_one_block({BUILD: people, TEST: people}, {BUILD: everybody(1, 8, USUAL), TEST: odd})}
    number = Number(habits.AFTER_FAILURES)
    assert not (WHOLE in found and found[WHOLE].tells(number) and BUILD in found and found[BUILD].tells(number))


def test_chains_that_were_given_up_are_nobodys_alone() -> None:
    """They are what began less what was solved: nothing for all but one."""
    people = everybody(1, 8, runs(24, failed=8))
    level = classes(solved_0=12, solved_1=4, failed_0=4, failed_1=4, green_0=4)
    sent = {**everybody(1, 8, level), 8: classes(solved_0=16, failed_0=4, failed_1=4)}
    assert not any(one.given_up() for one in of_one_block({BUILD: people}, {BUILD: sent}))
    mixed = everybody(1, 8, classes(solved_0=13, solved_1=3, failed_0=5, failed_1=3, green_0=3))
    assert all(one.given_up() for one in of_one_block({BUILD: people}, {BUILD: mixed}))


def test_time_to_green_is_told_of_the_same_runs_as_the_tries_or_not_at_all() -> None:
    people = everybody(1, 8, RUNS_OF_USUAL)
    sent = {**everybody(1, 8, USUAL), 8: classes(solved_0=14, solved_1=3, failed_0=4, failed_1=3)}  # sends no time to green
    assert not any(one.parts("green") for one in of_one_block({BUILD: people}, {BUILD: sent}))


def test_nothing_is_split_that_the_published_numbers_do_not_tell() -> None:
    """Where one person has nearly all failures they are told by no atom, and so by no split."""
    people = {**everybody(1, 8, runs(24)), 8: runs(24, failed=20)}
    sent = {**everybody(1, 8, classes(solved_0=24)), 8: classes(solved_0=4, failed_0=10, failed_1=10)}
    assert not any(one.parts("failed") for one in of_one_block({BUILD: people}, {BUILD: sent}))


def test_who_sends_no_class_is_counted_as_such() -> None:
    found = habits.completed(runs(10, failed=3, unfinished=2), None)
    by_name = {NAMES[column]: found[column] for column in COLUMNS["solved"]}
    assert by_name == {"0": 0, "1": 0, "2": 0, "3+": 0, "": 5, "unfinished": 2}
    assert (runs(10, failed=3, unfinished=2)[SUCCEEDED], RUNS, FAILED, UNFINISHED) == (5, 0, 3, 4)


def test_tries_are_shares_of_chains_and_of_blocks_that_tell_both() -> None:
    made = splits(of_one_block({BUILD: everybody(1, 8, RUNS_OF_USUAL)}, {BUILD: everybody(1, 8, USUAL)}))
    one = release("2026-B02")
    both = [type(one)(1, "acme", name, one.made, 1, 5, 1, (), splits=made) for name in ("2026-B02", "2026-B03")]
    of = splits_of(both, BUILD, both=True)
    rate = first_time(of)
    assert rate
    assert rate.low < 2 * 8 * 14 / (2 * 8 * 18) < rate.high
    assert chains_given_up(of) == 60 - 50
    assert [(share.name, share.runs) for share in shares("solved", of["solved"])] == [("1", 220), ("2 to 4 or later", 50)]


def test_small_and_larger_teams_see_how_their_commands_succeed() -> None:
    documents = publish(team := Team(2, 24, 4)).documents
    (block,) = (documents[name] for name in blocks(team))
    told = {one.name: one for one in block.splits}
    assert told[""].solved
    assert told[""].green
    assert told["build"].solved
    assert not any(document.splits for name, document in documents.items() if "W" in name), "they are published by the block"


def test_classes_are_read_of_the_same_rows_as_the_runs_that_they_split() -> None:
    """Of the same people, in the same time, under the same agreements."""
    asked: list[str] = []

    class Store:
        def query(self, sql: str, parameters: object = None) -> list[Sequence[object]]:
            asked.append(sql)
            return []

    of = Population("acme", FIRST, 3, 8, FIRST, 400, counted=(), kept_open=())
    for read in (rows.Rows(Store()).cells, rows.Rows(Store()).classes):
        read(of, FIRST, FIRST, 1)
    assert [rows.ROWS in sql for sql in asked] == [True, True]
