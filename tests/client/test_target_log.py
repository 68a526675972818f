"""What a target log says: a tree of targets, who failed first, and where the time went."""

import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop.core.targets import path, tree
from innerloop.core.targets.lines import parse
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import DONE, FAILED, IGNORED, RUNNING, STOPPED, UNKNOWN
from tests.client.target_logs import BASE, MS, HandMade, books, outcomes, understand


def first(log: Log) -> str:
    return "" if log.first_failure is None else log.targets[log.first_failure].name


def on_path(log: Log) -> list[str]:
    return [log.targets[place].name for place in log.critical]


# facts


def test_a_targets_lines_are_one_target() -> None:
    book = HandMade()
    book.line("lib", 0, 10, needs="a.o b.o", order="out", memory=10)
    book.line("lib", 11, 30, needs="a.o b.o", order="out", memory=30)
    (lib,) = understand(book.data, 0).targets

    assert (lib.start_ns, lib.duration_ns, len(lib.lines)) == (BASE, 30 * MS, 2)
    assert (lib.cpu_us, lib.memory_kb, lib.status) == (10_000, 30, 0)
    assert (lib.prerequisites, lib.order_only) == (("a.o", "b.o"), ("out",))


def test_names_come_back_whatever_their_bytes() -> None:
    book = HandMade()
    name = "a b\t%41\x7f\u00e4\u65e5"
    book.line(name, 0, 1, directory="/two words")
    record = b"b\t7-9\t\t1\t0\t\t9\t/\tx%FFy\t\t\n"

    assert {(one.name, one.directory) for one in understand(book.data + record).targets} == {(name, "/two words"), ("x\\xffy", "/")}


def test_makes_are_a_tree_however_they_were_started() -> None:
    book = HandMade()
    top = book.line("all", 0, 100)
    inner = book.line("lib", 10, 60, under=top, make=20, directory="/shop/lib")
    book.line("a.o", 20, 30, under=inner, make=30, directory="/shop/lib/src", level=0)
    book.line("lib", 70, 90, under=top, make=40, directory="/shop/lib")
    log = understand(book.data, 0)

    assert [(one.name, one.parent) for one in log.targets] == [("all", None), ("lib", 0), ("a.o", 1), ("lib", 0)]
    assert [make.parent for make in log.makes] == [None, 0, 1, 0]


def test_one_process_id_in_two_directories_or_under_two_lines_is_two_makes() -> None:
    book = HandMade()
    top = book.line("all", 0, 10)
    book.line("x", 1, 2, under=top, make=10)
    book.line("x", 3, 4, make=10, directory="/other")

    assert len(understand(book.data, 0).makes) == 3


@pytest.mark.parametrize(("live_at", "outcome"), [(None, UNKNOWN), (BASE + 50 * MS, RUNNING)])
def test_a_target_without_an_end_is_unknown_or_still_runs(live_at: int | None, outcome: str) -> None:
    book = HandMade()
    book.line("a", 0, 10)
    book.line("b", 11, None)
    log = understand(book.data, live_at=live_at)

    assert outcomes(log) == {"a": DONE, "b": outcome}
    assert (log.targets[1].duration_ns, first(log)) == (None, "")
    assert log.end_ns == (live_at or BASE + 11 * MS)


# failures


def test_the_target_that_failed_is_the_first_failure() -> None:
    book = HandMade()
    book.line("a", 0, 10)
    book.line("b", 11, 20, 2)
    log = understand(book.data, 2)

    assert (outcomes(log), first(log)) == ({"a": DONE, "b": FAILED}, "b")


def test_of_two_failures_side_by_side_the_one_that_ended_first_is_first() -> None:
    book = HandMade()
    book.line("slow", 0, 50, 1, flags="j")
    book.line("fast", 1, 20, 1, flags="j")
    log = understand(book.data, 2)

    assert (outcomes(log), first(log)) == ({"slow": FAILED, "fast": FAILED}, "fast")


def test_a_missing_rule_is_a_failed_run_without_a_failed_target() -> None:
    book = HandMade()
    book.line("a", 0, 10)

    assert first(understand(book.data, 2)) == ""


def test_an_error_before_a_later_line_of_its_target_was_ignored() -> None:
    book = HandMade()
    book.line("a", 0, 10, 1)
    book.line("a", 11, 20)

    assert outcomes(understand(book.data, 0)) == {"a": DONE}


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        pytest.param("i", 2, id="under -i"),
        pytest.param("", 0, id="in a make that ended with 0"),
    ],
)
def test_an_ignored_error_is_no_failure(flags: str, status: int) -> None:
    book = HandMade()
    book.line("a", 0, 10, 1, flags=flags)
    log = understand(book.data, status)

    assert (outcomes(log), first(log)) == ({"a": IGNORED}, "")


@pytest.mark.parametrize("flags", ["", "j"])
def test_an_error_after_which_make_went_on_was_ignored(flags: str) -> None:
    book = HandMade()
    book.line("a", 0, 10, 1, flags=flags)
    book.line("b", 11, 20, 2, flags=flags)
    log = understand(book.data, 2)

    assert (outcomes(log), first(log)) == ({"a": IGNORED, "b": FAILED}, "b")


def test_lines_of_targets_that_ran_already_are_no_sign_that_make_went_on() -> None:
    """After a failure under -j make finishes the recipes that it started."""
    book = HandMade()
    book.line("b", 0, 12, flags="j")
    book.line("a", 1, 10, 1, flags="j")
    book.line("b", 13, 30, flags="j")

    assert outcomes(understand(book.data, 2)) == {"a": FAILED, "b": DONE}


def test_under_j_one_target_may_start_before_make_notices() -> None:
    book = HandMade()
    book.line("b", 0, 9, flags="j")
    book.line("a", 1, 10, 1, flags="j")
    book.line("c", 11, 30, flags="j")

    assert first(understand(book.data, 2)) == "a"


def test_under_k_an_error_counts_unless_something_that_needs_the_target_ran() -> None:
    book = HandMade()
    book.line("a", 0, 10, 1, flags="k")
    book.line("b", 11, 20, 1, flags="k")
    book.line("c", 21, 30, flags="k", needs="b")
    log = understand(book.data, 2)

    assert (outcomes(log), first(log)) == ({"a": FAILED, "b": IGNORED, "c": DONE}, "a")


def test_a_failure_of_a_sub_make_names_the_innermost_target_first() -> None:
    book = HandMade()
    top = book.line("all", 0, 100, 2)
    inner = book.line("lib", 10, 60, 2, under=top, make=20, directory="/shop/lib")
    book.line("a.o", 20, 30, 1, under=inner, make=30, directory="/shop/lib/src")
    log = understand(book.data, 2)

    assert (first(log), outcomes(log)) == ("a.o", {"all": FAILED, "lib": FAILED, "a.o": FAILED})
    assert [one.cause for one in log.targets] == [2, 2, None]


@pytest.mark.parametrize(
    ("status", "then", "above"),
    [
        pytest.param(0, None, DONE, id="its line went on and ended with 0"),
        pytest.param(2, "same", FAILED, id="a later line of its target ran, whatever became of that"),
        pytest.param(2, "other", IGNORED, id="another target ran"),
    ],
)
def test_what_failed_in_a_make_whose_error_was_ignored_is_no_failure(status: int, then: str | None, above: str) -> None:
    book = HandMade()
    line = book.line("check", 0, 50, status)
    book.line("test", 10, 40, 1, under=line, make=20)
    if then:
        book.line("check" if then == "same" else "docs", 51, 60, 3 if then == "same" else 0)
    log = understand(book.data, 2)

    assert (outcomes(log)["test"], outcomes(log)["check"]) == (IGNORED, above)
    assert first(log) == ("check" if then == "same" else "")


def test_the_cause_comes_first_even_where_it_outlived_its_consequence() -> None:
    book = HandMade()
    line = book.line("all", 0, 20, 1)
    book.line("background", 10, 50, 1, under=line, make=20)

    assert first(understand(book.data, 2)) == "background"


@pytest.mark.parametrize(
    ("status", "of_run", "outcome"), [(-2, -2, STOPPED), (130, 130, STOPPED), (143, -15, STOPPED), (130, 2, FAILED), (-9, 2, FAILED)]
)
def test_what_was_interrupted_with_its_run_did_not_fail(status: int, of_run: int, outcome: str) -> None:
    book = HandMade()
    book.line("serve", 0, 10, status)

    assert outcomes(understand(book.data, of_run)) == {"serve": outcome}


# time


def test_the_critical_path_is_the_longest_chain_of_prerequisites() -> None:
    book = HandMade()
    book.line("a.o", 0, 50, flags="j")
    book.line("b.o", 0, 80, flags="j")
    book.line("c.o", 51, 70, flags="j")
    book.line("lib", 80, 90, flags="j", needs="a.o c.o", order="b.o")
    book.line("prog", 91, 100, flags="j", needs="lib missing")
    log = understand(book.data, 0)

    assert (on_path(log), log.critical_ns) == (["b.o", "lib", "prog"], 99 * MS)


def test_a_prerequisite_that_had_not_ended_is_no_link() -> None:
    book = HandMade()
    book.line("a", 0, 50, flags="j")
    book.line("b", 10, 60, flags="j", needs="a b")

    assert understand(book.data, 0).critical_ns == 50 * MS


def test_the_critical_path_goes_on_inside_of_sub_makes() -> None:
    book = HandMade()
    top = book.line("lib", 0, 60, flags="j")
    book.line("x.o", 5, 20, under=top, make=20, flags="j")
    book.line("y.o", 5, 40, under=top, make=20, flags="j")
    book.line("lib.a", 41, 59, under=top, make=20, flags="j", needs="x.o y.o")
    book.line("main.o", 0, 30, flags="j")
    book.line("prog", 61, 70, flags="j", needs="main.o lib")
    log = understand(book.data, 0)

    assert (on_path(log), log.critical_ns) == (["lib", "y.o", "lib.a", "prog"], 69 * MS)


def test_waiting_for_a_free_job_inside_of_a_sub_make_is_not_on_the_critical_path() -> None:
    book = HandMade()
    top = book.line("lib", 0, 100)
    for name, start, end in (("a.o", 10, 40), ("b.o", 40, 60), ("c.o", 60, 90)):
        book.line(name, start, end, under=top, make=20)
    log = understand(book.data, 0)

    assert (on_path(log), log.critical_ns) == (["lib", "a.o"], (20 + 30) * MS)


def test_makes_that_a_script_ran_one_after_the_other_are_one_path() -> None:
    book = HandMade()
    for number in range(3):
        book.line("step", number * 10, number * 10 + 8, make=number)
    book.line("aside", 0, 25, make=9)
    log = understand(book.data, 0)

    assert (on_path(log), log.critical_ns) == (["aside"], 25 * MS)
    book.line("step", 30, 38, make=3)
    assert understand(book.data, 0).critical_ns == 33 * MS


def test_minutes_count_once_in_own_times() -> None:
    book = HandMade()
    top = book.line("all", 0, 100)
    book.line("a", 10, 40, under=top, make=20)
    book.line("b", 20, 60, under=top, make=20)
    log = understand(book.data, 0)

    assert {one.name: one.own_ns // MS for one in log.targets} == {"all": 50, "a": 30, "b": 40}


def test_a_target_takes_the_first_free_lane_and_one_that_runs_a_make_takes_none() -> None:
    book = HandMade()
    top = book.line("all", 0, 100)
    for name, start, end in (("a", 1, 50), ("b", 1, 20), ("c", 21, 30), ("d", 51, 60)):
        book.line(name, start, end, under=top, make=20)
    log = understand(book.data, 0)

    assert ({one.name: one.lane for one in log.targets}, log.lanes) == (
        {"all": None, "a": 0, "b": 1, "c": 1, "d": 0},
        2,
    )


@settings(deadline=None)
@given(books(), st.sampled_from([0, 2, -2, None]))
def test_times_add_up_in_every_build(book: HandMade, status: int | None) -> None:
    log = understand(book.data, status)
    records = parse(io.BytesIO(book.data)).lines
    ends = path.close(list(log.targets), log.end_ns)
    total = log.end_ns - log.start_ns

    assert 0 <= log.critical_ns <= total
    tops = sorted((log.targets[place].start_ns, ends[place]) for place in log.critical if log.targets[place].parent is None)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(tops)), "one after the other"
    assert sum(end - start for start, end in tops) >= log.critical_ns
    for lane in range(log.lanes):
        mine = [(one.start_ns, ends[place]) for place, one in enumerate(log.targets) if one.lane == lane]
        assert mine
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(mine)), "lanes never overlap"
    assert all(0 <= one.own_ns <= ends[place] - one.start_ns for place, one in enumerate(log.targets))
    assert sum(len(one.lines) for one in log.targets) == len(records)
    assert tree.build(records).targets[0].start_ns == log.start_ns
    assert (log.first_failure is None) == (not any(one.failed for one in log.targets))
    assert status != 0 or log.first_failure is None, "a run that ended with 0 has no failed target"
    for one in log.targets:
        assert one.cause is None or log.targets[one.cause].cause is None, "a cause has no cause itself"
