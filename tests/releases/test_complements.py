"""What is left when published numbers are taken from published numbers is judged like a number that is published."""

from innerloop_collector.query.releases.contribution import FAILED, UNFINISHED, UNTIMED, People, added
from innerloop_collector.query.releases.publication import Publication, Slot, publish_remainder, publish_week
from innerloop_collector.query.releases.shown import WHOLE, Key, Number, Shown, judged
from tests.releases.people import everybody, runs

K = 5
NOTHING = Slot({}, {}, {})
FAILURES = Number((FAILED,))


def test_failures_of_one_cell_cannot_be_worked_out_from_those_of_all_others() -> None:
    build = everybody(1, 8, runs(20, failed=3))
    tests = {**everybody(1, 8, runs(20)), 8: runs(20, failed=12)}
    out = publish_week(added([build, tests]), {("command", "build"): build, ("command", "test"): tests}, K)
    assert out.shown[WHOLE].tells(FAILURES)
    assert not out.shown["command", "test"].tells(FAILURES)
    assert not out.shown["command", "build"].tells(FAILURES)


def test_a_block_tells_no_failures_of_a_week_that_hides_them() -> None:
    usual = everybody(1, 8, runs(20, failed=3))
    weeks = [usual, {**everybody(1, 8, runs(20)), 8: runs(20, failed=12)}, usual, usual]
    linux = ("os", "Linux")
    out = publish_remainder([*(week_of(people, {linux: people}) for people in weeks), NOTHING], K)
    assert not out.shown[linux].tells(FAILURES)


def test_a_block_tells_no_waiting_of_a_week_that_hides_it() -> None:
    usual = everybody(1, 8, runs(20))
    weeks = [usual, {**usual, 8: runs(20, each_ms=60_000)}, usual, usual]
    linux = ("os", "Linux")
    slots = [week_of(people, {linux: people}) for people in weeks]
    assert [slot.published[WHOLE].waited for slot in slots] == [True, False, True, True]
    assert not publish_remainder([*slots, NOTHING], K).shown[linux].waited


def test_what_is_hidden_in_overlapping_sets_of_weeks_is_taken_together() -> None:
    """`a` is hidden in weeks 1 and 2, `b` in 2 and 3: without both, weeks 1 to 3 have what `rare` has there, which is one developer's."""
    a, b, rest = everybody(1, 8, runs(20)), everybody(1, 8, runs(20)), everybody(1, 8, runs(5))
    one = {8: runs(9)}
    many = everybody(1, 8, runs(20))
    cells = {("command", "a"): a, ("command", "b"): b, ("command", "c"): rest, ("command", "rare"): one}
    last = {**cells, ("command", "rare"): many}
    slots = [
        week_of(added(cells.values()), cells, {("command", "b"), ("command", "c")}),
        week_of(added(cells.values()), cells, {("command", "c")}),
        week_of(added(cells.values()), cells, {("command", "a"), ("command", "c")}),
        week_of(added(last.values()), last, {("command", "a"), ("command", "b"), ("command", "c")}),
        NOTHING,
    ]
    out = publish_remainder(slots, K)
    assert not {("command", "a"), ("command", "b")} <= out.shown.keys()


def test_runs_during_which_a_lid_was_closed_are_not_those_without_a_duration_less_those_that_never_ended() -> None:
    people = {**everybody(1, 8, runs(20, unfinished=3, failed=3)), 8: runs(20, unfinished=3, failed=3, asleep=12)}
    out = judged(WHOLE, people, K)
    assert isinstance(out, Shown)
    assert not out.tells(Number((UNTIMED,), (UNFINISHED,)))


def test_a_cell_of_one_breakdown_within_one_of_another_leaves_nobody_alone() -> None:
    """Everybody on a Mac has version 1, and one on Linux too."""
    mac, linux = everybody(1, 6, runs(20)), everybody(7, 14, runs(20))
    cells = {
        ("os", "Darwin"): mac,
        ("os", "Linux"): linux,
        ("version", "1"): everybody(1, 7, runs(20)),
        ("version", "2"): everybody(8, 14, runs(20)),
    }
    out = publish_week(everybody(1, 14, runs(20)), cells, K)
    assert len({breakdown for breakdown, _ in out.shown.keys() - {WHOLE}}) == 1


def test_cells_that_have_nothing_to_do_with_each_other_stay() -> None:
    half, other = everybody(1, 7, runs(20)), everybody(8, 14, runs(20))
    mixed = {**everybody(1, 4, runs(20)), **everybody(8, 11, runs(20))}
    last = {**everybody(5, 7, runs(20)), **everybody(12, 14, runs(20))}
    cells = {("os", "Darwin"): half, ("os", "Linux"): other, ("arch", "arm64"): mixed, ("arch", "x86_64"): last}
    assert publish_week(everybody(1, 14, runs(20)), cells, K).shown.keys() == {WHOLE, *cells}


def test_targets_are_no_parts_of_the_runs() -> None:
    people = everybody(1, 8, runs(20))
    target = everybody(1, 8, runs(19))
    out = publish_week({**people, 8: runs(40)}, {("target", "all"): target}, K)
    assert ("target", "all") in out.shown


def week_of(people: People, cells: dict[Key, People], weekly: set[Key] | None = None) -> Slot:
    """A week as it was published: the whole, and cells of which it is known that they are published by the week."""
    out: Publication = publish_week(people, {key: cells[key] for key in weekly or ()}, K)
    assert not weekly or weekly <= out.shown.keys()
    return Slot(people, cells, out.shown)
