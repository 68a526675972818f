"""What `innerloop timeline` draws of a run and its targets, and what it writes for viewers of traces."""

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline import drawing, traces, words
from innerloop.tools.timeline.bars import Axis, Look
from innerloop.tools.timeline.rows import choose
from innerloop.tools.timeline.runs import ENDED, FORGOTTEN, GOING_ON, INFERRED, KILLED, Known
from tests.client.target_logs import BASE, MS, HandMade, books, understand

ESCAPE = "\x1b["


def known(status: int | None = 0, state: str = ENDED, **more: Any) -> Known:
    return Known("0f3c", "make all", 0.0, state, status, awake_ns=BASE, **more)


def drawn(book: HandMade, run: Known, look: Look = Look(), everything: bool = True) -> str:  # noqa: B008 (nobody changes it)
    return drawing.draw(run, understand(book.data, run.status, BASE + 1000 * MS if run.state == GOING_ON else None), look, everything)


# what is drawn


def test_a_failed_build_in_one_look() -> None:
    assert """\
make all: failed with exit status 2 after 600 ms
10 targets in 2 makes, up to 2 side by side. Critical path 379 ms: server.o
First failure: lua.a in deps/lua, exit status 1, 590 ms into the run.

   target           total      own exit ln  0           0.2 s       0.4 s
 v deps            600 ms    80 ms    2     ------------------------------------
     in deps/lua
     l0.o           90 ms    90 ms       2  ======
     l1.o           90 ms    90 ms       2        ======
     l2.o           90 ms    90 ms       2              ======
     l3.o           90 ms    90 ms       2                    ======
     l4.o           90 ms    90 ms       2                          ======
 !   lua.a          70 ms    70 ms    1  1                                 ====
   main.o           85 ms    85 ms       1  =====
 - lint             29 ms    29 ms    1  1       ==
*  server.o        379 ms   379 ms       1         #######################

   lane 1                         94% full  =############################# =###:
   lane 2                         75% full  :#####:#####:#####:#####:#####

lanes: # busy   = : . less and less   blank: nothing ran
* critical path   ! failed   v failed because of one below   - error ignored""" == drawn(
        HandMade().recursive(), known(2), Look(blocks=False)
    )


def test_bars_are_block_characters_where_the_locale_has_them() -> None:
    book = HandMade()
    book.line("a", 0, 50)
    book.line("b", 50, 100)
    text = drawn(book, known())

    assert re.search(r"a +50 ms  █+▌?$", text, re.MULTILINE)
    assert re.search(r"b +50 ms   +▐?█+$", text, re.MULTILINE)
    assert "█" not in drawn(book, known(), Look(blocks=False))


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (known(0), "make all: done in 70 ms"),
        (known(0, duration_ms=90), "make all: done in 90 ms"),
        (known(3), "make all: failed with exit status 3 after 70 ms"),
        (known(0, exit=INFERRED), "make all: done in 70 ms (exit status inferred)"),
        (known(-2), "make all: stopped by SIGINT after 70 ms"),
        (known(143), "make all: stopped by SIGTERM after 70 ms"),
        (known(-11), "make all: killed by SIGSEGV after 70 ms"),
        (known(None), "make all: ended after 70 ms; its exit status could not be read, no target failed"),
        (known(None, KILLED), "make all: killed after 70 ms or more, so how it would have ended is not known"),
        (known(None, GOING_ON), "make all: still running, so far 1.00 s"),
        (known(None, FORGOTTEN), "make all: 70 ms from the first target to the last, how it ended is not known"),
    ],
)
def test_the_first_line_says_how_it_ended_and_how_that_is_known(run: Known, says: str) -> None:
    book = HandMade()
    book.line("a", 0, 70)

    assert says == drawn(book, run).splitlines()[0]


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (known(0), "No recipe ran: there was nothing to do."),
        (known(0, exit=INFERRED), "No recipe ran: there was nothing to do, or make ended before the first one."),
        (known(None, FORGOTTEN), "No recipe ran: there was nothing to do, or make ended before the first one."),
        (known(2), "No recipe ran: make failed before the first one, as it does with a missing rule."),
        (known(-2), "No recipe ran: make was stopped before the first one."),
        (known(-9), "No recipe ran: make was killed before the first one."),
    ],
)
def test_a_run_without_targets_says_what_that_can_mean(run: Known, says: str) -> None:
    assert drawn(HandMade(), run).splitlines()[1:] == [says]


def test_a_missing_rule_is_named_as_a_reason_when_no_target_failed() -> None:
    book = HandMade()
    book.line("a", 0, 70)

    assert "No target failed: the run failed for another reason, such as a missing rule." in drawn(book, known(2))
    assert "No target failed" not in drawn(book, known(0))
    assert "No target failed" not in drawn(book, known(-9)), "the first line says that make was killed"


def test_a_runs_duration_is_its_own_whatever_went_on_after_it() -> None:
    book = HandMade()
    above = book.line("all", 0, 4500, -9)
    book.line("inner", 10, 4600, under=above, make=20)
    text = drawn(book, known(-9, duration_ms=1300), Look(blocks=False))

    assert text.startswith("make all: killed by SIGKILL after 1.30 s\n")
    assert "\nTargets went on after the run had ended, for 3.30 s or more.\n" in text
    assert re.search(r"inner +4\.59 s .* 4 s|4 s.*inner +4\.59 s", text, re.DOTALL), "the axis has room for all of them"
    assert "went on" not in drawn(book, known(0, duration_ms=4600))


@pytest.mark.parametrize(
    ("status", "ends", "says"),
    [
        (2, (None, None), "2 targets never ended: they were killed."),
        (2, (None, 60), "1 target never ended: it was killed."),
        (-9, (None, None), "2 targets never ended: they were killed too, or went on without make."),
        (-9, (None, 60), "1 target never ended: it was killed too, or went on without make."),
        (-15, (None, 60), "1 target never ended: it was killed too, or went on without make."),
    ],
)
def test_targets_that_were_killed_are_a_reason_of_their_own(status: int, ends: tuple[int | None, int | None], says: str) -> None:
    book = HandMade()
    above = book.line("all", 0, ends[0])
    book.line("inner", 10, ends[1], under=above, make=20)
    text = drawn(book, known(status))

    assert says in text.splitlines()
    assert "missing rule" not in text


def test_shades_of_lanes_have_a_legend_where_there_are_lanes() -> None:
    alone = HandMade()
    alone.line("a", 0, 50)

    assert "\nlanes: █ busy   ▓ ▒ ░ less and less   blank: nothing ran\n" in drawn(HandMade().recursive(), known(2))
    assert "lanes:" not in drawn(alone, known(0))


def test_one_target_that_is_left_out_took_its_time_alone() -> None:
    book = HandMade()
    for number in range(7):
        book.line(f"t{number}", number * 10, number * 10 + 9)

    assert drawn(book, known(0), Look(80, 14), everything=False).endswith("\n1 more target took 9 ms: innerloop timeline --all")


def test_what_fits_on_a_screen_is_what_failed_and_what_took_longest() -> None:
    book = HandMade()
    for number in range(300):
        book.line(f"t{number}", number * 10, number * 10 + (9 if number % 50 == 7 else 3), 1 if number == 299 else 0)
    text = drawn(book, known(2), Look(80, 24), everything=False)

    assert len(text.splitlines()) <= 22, "which run it is and the prompt need two lines more"
    assert all(re.search(rf"\bt{number} ", text) for number in (7, 57, 107, 157, 207, 257, 299))
    shown = len(re.findall(r"^.. t\d+ ", text, re.MULTILINE))
    assert f"\n{300 - shown} more targets took " in text
    assert all(f"t{number} " in drawn(book, known(2)) for number in range(300))


def test_a_target_below_others_is_shown_with_those_above_it() -> None:
    book = HandMade()
    above = book.line("all", 0, 1000, 2)
    for number in range(100):
        book.line(f"t{number}", number * 10, number * 10 + 9, under=above, make=20, directory="/shop/deep")
        above = book.line("step", number * 10, 1000, 2, under=above, make=20, directory="/shop/deep") if number == 50 else above
    book.line("broken", 995, 996, 1, under=above, make=30, directory="/shop/deep/er")
    lines = drawn(book, known(2), Look(80, 24), everything=False).splitlines()
    names = [line[2:20].split()[0] for line in lines[5:] if line[2:20].strip()]

    assert [name for name in names if name in ("all", "step", "broken")] == ["all", "step", "broken"]


def test_a_screen_of_sub_makes_shows_what_took_time_and_not_who_waited_for_it() -> None:
    book = HandMade()
    for number in range(20):
        above = book.line(f"lib{number}", number * 100, number * 100 + 99, make=10)
        book.line(f"part{number}", number * 100 + 1, number * 100 + 98 - number, under=above, make=20, directory=f"/shop/lib{number}")
    lines = drawn(book, known(0), Look(80, 25), everything=False).splitlines()
    names = [line[2:].split()[0] for line in lines if " ms  " in line]

    assert len(lines) <= 23
    assert names[:4] == ["lib0", "part0", "lib1", "part1"], "the slowest, each below who ran it"
    assert "\n     in lib0\n" in "\n".join(lines)


def test_bars_begin_where_the_run_began_if_that_is_known() -> None:
    book = HandMade()
    book.line("a", 0, 100, 1)
    earlier, unknown = (known(2)._replace(awake_ns=moment) for moment in (BASE - 100 * MS, None))

    assert re.search(r"exit status 1, 200 ms into the run.*a +100 ms +1 {10,}▐?█+$", drawn(book, earlier), re.DOTALL | re.MULTILINE)
    assert re.search(r"exit status 1, 100 ms into the run.*a +100 ms +1  █+$", drawn(book, unknown), re.DOTALL | re.MULTILINE)


def test_a_bar_whose_end_is_not_known_looks_other_than_one_that_ended() -> None:
    book = HandMade()
    book.line("a", 0, 50)
    book.line("b", 50, None)
    book.line("c", 60, 100, make=20)

    assert re.search(r"\? b +1 +░+$", drawn(book, known(None, KILLED)), re.MULTILINE)
    assert re.search(r"\? b +1 +\.+$", drawn(book, known(None, KILLED), Look(blocks=False)), re.MULTILINE)


def test_nothing_in_a_name_steers_the_terminal() -> None:
    book = HandMade()
    book.line("a\x1b[31mred\r\n\u202e", 0, 70, 1, directory="/x\x1b]0;title\x07")
    text = drawn(book, known(2))

    assert set("\x1b\r\u202e\x07").isdisjoint(text)


def test_a_long_or_wide_name_is_cut_in_its_middle() -> None:
    for name in ("dev.provision." + "x" * 180 + ".lms", "\u65e5\u672c" * 60):
        cut = words.cut(name, 30, "\u2026")
        assert words.cells(cut) <= 30
        assert cut[:5] == name[:5]
        assert cut[-4:] == name[-4:]


def test_of_colour_nothing_remains_without_it() -> None:
    book = HandMade().recursive()
    coloured = drawn(book, known(2), Look(colour=True))

    assert ESCAPE in coloured
    assert drawn(book, known(2), Look()) == re.sub(r"\x1b\[\d+m", "", coloured)


@settings(deadline=None)
@given(books(), st.sampled_from([0, 2, -2, None]), st.integers(60, 200), st.booleans(), st.booleans())
def test_no_line_is_wider_than_the_terminal(book: HandMade, status: int | None, width: int, blocks: bool, everything: bool) -> None:
    text = drawn(book, known(status), Look(width, 24, blocks), everything)

    assert max(words.cells(line) for line in text.splitlines()) <= width


@settings(deadline=None)
@given(st.integers(0, 10**19), st.integers(0, 10**19), st.integers(0, 10**19), st.integers(10, 200), st.booleans())
def test_every_bar_can_be_seen_and_stays_on_its_axis(start: int, length: int, end: int, columns: int, blocks: bool) -> None:
    axis = Axis(0, length, columns, blocks)
    bar = axis.bar(min(start, length), min(max(start, end), length))

    assert bar.strip()
    assert len(bar) <= columns
    assert len(axis.ticks()) <= columns
    assert len(axis.load([(min(start, length), min(max(start, end), length))])) <= columns


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 ms"), (999_400_000, "999 ms"), (999_600_000, "1.00 s"), (9_996_000_000, "10.0 s"), (99_960_000_000, "1.7 min"), (36_000_000_000_000, "10.0 h")],
)  # fmt: skip
def test_durations_are_short(nanoseconds: int, text: str) -> None:
    assert text == words.duration(nanoseconds)


# trace files


def ends(log: Log) -> list[int]:
    return path.close(list(log.targets), log.end_ns)


@settings(deadline=None)
@given(books())
def test_a_trace_has_every_target_once_and_spans_on_one_track_are_nested(book: HandMade) -> None:
    log = understand(book.data, 2)
    tracks: dict[int, list[tuple[float, float]]] = {}
    for event in traces.perfetto(known(2), log)["traceEvents"]:
        if event["ph"] == "X":
            tracks.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))

    assert sum(map(len, tracks.values())) == len(log.targets)
    for spans in tracks.values():
        for at, (start, end) in enumerate(spans):
            for later in spans[at + 1 :]:
                assert later[0] >= end or later[1] <= end, f"{(start, end)} and {later} overlap"


def test_only_what_a_target_ran_stands_inside_of_it_in_a_trace() -> None:
    book = HandMade()
    above = book.line("a", 0, 100, flags="j")
    book.line("inner", 10, 20, under=above, make=20, flags="j")
    book.line("beside", 30, 40, flags="j")
    events = traces.perfetto(known(0), understand(book.data, 0))["traceEvents"]
    track = {event["name"]: event["tid"] for event in events if event["ph"] == "X"}

    assert track["inner"] == track["a"]
    assert track["beside"] != track["a"]


@settings(deadline=None)
@given(books())
def test_speedscope_gets_events_in_order_and_nested(book: HandMade) -> None:
    log = understand(book.data, 2)
    document = traces.speedscope(known(2), log)

    assert sum(len(profile["events"]) for profile in document["profiles"]) == 2 * len(log.targets)
    for profile in document["profiles"]:
        stack = []
        assert all(one["at"] <= other["at"] for one, other in pairwise(profile["events"]))
        for event in profile["events"]:
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert event["frame"] == stack.pop()
        assert stack == []
        assert 0 <= profile["startValue"] <= profile["endValue"]


MANY = 1000  # targets


class Counted(list[Any]):
    """A list that counts how often something is looked up in it."""

    looked = 0

    def __getitem__(self, place: Any) -> Any:
        self.looked += 1
        return super().__getitem__(place)


def test_what_stands_above_a_target_is_looked_at_as_far_as_there_is_room() -> None:
    """Each target runs a make with the next one; to go all the way up from each would be half a million steps."""
    book, above = HandMade(), ""
    for number in range(MANY):
        above = book.line(f"t{number}", number, 3 * MANY - number, under=above, make=number + 10)
    log = understand(book.data, 0)
    targets = Counted(log.targets)

    assert len(choose(log._replace(targets=targets), 20)) <= 20  # type: ignore[arg-type]
    assert targets.looked < 100 * MANY


def test_what_runs_side_by_side_is_put_on_tracks_without_looking_at_each_of_them() -> None:
    book = HandMade()
    for number in range(MANY):
        book.line(f"t{number}", number, number + MANY, flags="j")
    log = understand(book.data, 0)
    ends = Counted(one.end_ns for one in log.targets)

    assert len(traces.tracks(log, ends)) == MANY
    assert ends.looked < 10 * MANY
