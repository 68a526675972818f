"""A target log that is torn, damaged, huge or no log at all: what can be read is told, the rest is counted, and memory is bounded."""

import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop.core.targets import target_log
from innerloop.core.targets.lines import LARGEST, MOST, parse
from innerloop.core.targets.tree import DONE, UNKNOWN
from tests.client.target_logs import BASE, HandMade, outcomes, understand


def test_a_torn_last_line_is_counted_and_the_rest_is_read() -> None:
    book = HandMade()
    book.line("a", 0, 10)
    book.line("b", 11, 20)
    log = understand(book.data[:-3], 0)

    assert (outcomes(log), log.damaged) == ({"a": DONE, "b": UNKNOWN}, 1), "half a number is no number"


@pytest.mark.parametrize(
    "record",
    [
        "", "x\ty", "b", "e\t1\t2", "e\tnobody\t5\t0\t0\t0\t0", "b\t\t\t1\t0\t\t5\t/\tt\t\t", "b\t1-5\t\tone\t0\t\t5\t/\tt\t\t",
        "b\t1-5\t\t1\t0\tz\t5\t/\tt\t\t", "b\t1-5\t\t1\t0\t\t-5\t/\tt\t\t", f"b\t1-5\t\t1\t0\t\t{'9' * 5000}\t/\tt\t\t",
        f"b\t1-5\t\t1\t0\t\t{'9' * 20}\t/\tt\t\t", "b\t1-5\t\t1\t0\t\t5\t/\t\t\t",
    ],
)  # fmt: skip
def test_a_damaged_record_is_counted_and_changes_nothing(record: str) -> None:
    book = HandMade()
    book.line("a", 0, 10)
    damaged = understand(f"{record}\n".encode() + book.data, 0)

    assert (damaged.damaged, damaged.targets) == (1, understand(book.data, 0).targets)


def test_an_id_counts_once_and_ends_once() -> None:
    book = HandMade()
    identity = book.line("a", 0, 10, 3)
    again = book.data + book.data.replace(b"\ta\t", b"\tz\t") + f"e\t{identity}\t{BASE}\t0\t0\t0\t0\n".encode()
    log = understand(again, 1)

    assert ([(one.name, one.status) for one in log.targets], log.damaged) == ([("a", 3)], 3)


def test_an_end_before_the_start_is_no_end() -> None:
    book = HandMade()
    book.line("a", 10, 5)
    log = understand(book.data)

    assert (log.targets[0].end_ns, log.damaged) == (None, 1)


@settings(deadline=None)
@given(st.binary(max_size=400) | st.lists(st.sampled_from([b"b", b"e", b"1-5", b"\t", b"5", b"\n", b"%4", b"-", b"t", b""])).map(b"".join))
def test_no_bytes_raise(data: bytes) -> None:
    understand(data)
    book = HandMade()
    book.line("a", 0, 10)

    assert "a" in outcomes(understand(book.data + b"\n" + data + b"\n")), "and what is whole is still read"


def test_a_make_that_stands_below_itself_stands_at_the_top() -> None:
    data = b"b\t1-5\t2-6\t1\t0\t\t5\t/\tx\t\t\nb\t2-6\t1-5\t2\t1\t\t6\t/\ty\t\t\nb\t3-7\t3-7\t3\t1\t\t7\t/\tz\t\t\n"
    log = understand(data, 0)

    assert [(one.name, one.parent) for one in log.targets] == [("x", None), ("y", 0), ("z", None)]


def test_a_log_that_is_not_there_or_not_ours_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "link").symlink_to("/etc/passwd")

    assert target_log.read(str(tmp_path), "nothing").problem == "there is no target log"
    assert "cannot be used" in target_log.read(str(tmp_path), "link").problem
    assert target_log.read(str(tmp_path / "nowhere"), "nothing").targets == ()


# bounds


def test_lines_that_had_no_room_are_counted() -> None:
    book = HandMade()
    book.line("a", 0, 10)
    log = understand(book.data + b"c\nc\n" + b"c\n", 0)

    assert (outcomes(log), log.cut, log.damaged) == ({"a": DONE}, 3, 0)


@pytest.mark.slow
def test_a_log_beyond_its_bound_is_read_to_there_and_the_rest_is_counted() -> None:
    """An earlier version's logs had no bound."""
    book = HandMade()
    needs = " ".join(f"include/generated/some/long/option/path/d{number:03d}/header.h" for number in range(64))
    for number in range(11_000):
        book.line(f"t{number}", number, number + 1, needs=needs)
    log = understand(book.data, 0)

    assert len(book.data) > LARGEST
    assert len(log.targets) + log.cut == 11_000
    assert (log.cut > 0, log.damaged) == (True, 0)


def test_of_a_log_of_very_many_lines_the_first_are_read_and_the_rest_is_counted() -> None:
    begun = (b"b\t%d-5\t\t1\t0\t\t5\t/\tt\t\t\n" % number for number in range(MOST + 50))
    ended = (b"e\t%d-5\t6\t0\t0\t0\t0\n" % number for number in range(MOST - 1, MOST + 50))
    read = parse([*begun, *ended, b"torn"])

    assert (len(read.lines), read.cut, read.damaged) == (MOST, 50, 1)
    assert read.lines[-1].end == 6


def side_by_side(number: int) -> HandMade:
    """A build in which everything starts before anything ends."""
    book = HandMade()
    for at in range(number):
        book.line(f"t{at}", at, 2 * number + at, 1, flags="j")
    return book


def script_of_makes(number: int) -> HandMade:
    """A target whose recipe runs makes, one after the other."""
    book = HandMade()
    top = book.line("all", 0, 2 * number + 1)
    for at in range(number):
        book.line(f"t{at}", 2 * at + 1, 2 * at + 2, under=top, make=20 + at)
    return book


@pytest.mark.parametrize("build", [side_by_side, script_of_makes])
def test_what_understanding_takes_grows_with_the_lines_and_no_faster(build: Callable[[int], HandMade]) -> None:
    def work(number: int) -> tuple[int, int]:
        """How many instructions of ours were run, and the most memory that was held."""
        data, steps = build(number).data, 0

        def trace(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal steps
            steps += event == "line" and f"{os.sep}targets{os.sep}" in frame.f_code.co_filename
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            understand(data, 2)
        finally:
            sys.settrace(before)
        tracemalloc.start()
        understand(data, 2)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return steps, peak

    (few_steps, few_bytes), (many_steps, many_bytes) = work(1000), work(2000)
    assert (many_steps < 3 * few_steps, many_bytes < 3 * few_bytes) == (True, True)


@pytest.mark.slow
def test_reading_takes_memory_for_what_is_told_and_not_for_the_file(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    path = tmp_path / "targets" / "log"
    book = HandMade()
    needs = " ".join(f"include/generated/some/long/option/path/d{number:03d}/header.h" for number in range(64))
    for number in range(5000):
        book.line(f"t{number % 500}", number, number + 1, needs=needs)
    path.write_bytes(book.data)
    book.records.clear()
    tracemalloc.start()
    log = target_log.read(str(tmp_path), "log", 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (len(log.targets), log.damaged) == (500, 0)
    assert path.stat().st_size > 17_000_000
    assert peak < 8_000_000


def test_a_file_without_any_newline_takes_no_memory_either(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    with (tmp_path / "targets" / "log").open("wb") as file:
        file.truncate(100 << 20)
    tracemalloc.start()
    log = target_log.read(str(tmp_path), "log", 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (log.targets, log.damaged > 0) == ((), True)
    assert peak < 1_000_000
