"""`innerloop timeline`: one look at a run tells where its time went. For its developer alone."""

import json
import os
import re
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log, understand
from innerloop.tools.timeline import drawing, traces, words
from innerloop.tools.timeline.bars import Axis, Look
from innerloop.tools.timeline.runs import ENDED, FORGOTTEN, GOING_ON, INFERRED, KILLED, Known
from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder
from tests.client.target_logs import BASE, MS, HandMade, books

ESCAPE = "\x1b["
OFF: dict[str, str | None] = {"INNERLOOP_PROBE": "off"}  # the logs here are made by hand


def known(status: int | None = 0, state: str = ENDED, **more: Any) -> Known:
    return Known("0f3c", "make all", 0.0, state, status, awake_ns=BASE, **more)


def drawn(book: HandMade, run: Known, look: Look = Look(), everything: bool = True) -> str:  # noqa: B008 (nobody changes it)
    return drawing.draw(run, understand(book.data, run.status, BASE + 1000 * MS if run.state == GOING_ON else None), look, everything)


def remember(developer: Developer, *command: str, book: HandMade | None = None) -> str:
    """Run a command, and put a target log beside its record, as the probe would have written it; returns the run's id."""
    before = set(developer.place("new"))
    developer.run(*command, env=OFF)
    (record,) = set(developer.place("new")) - before
    start = re.search(r"^start \d+ (\d+)", record.read_text(), re.MULTILINE)
    assert start
    (developer.spool / "targets").mkdir(exist_ok=True)
    book = book or HandMade(int(start[1])).recursive()
    (developer.spool / "targets" / record.name).write_bytes(book.data)
    record.write_text(lasting(record.read_text(), 600 * MS))
    return record.name


def lasting(record: str, duration: int) -> str:
    """A record whose run took so long (ns)."""
    start = re.search(r"^start \d+ (\d+) (\d+)", record, re.MULTILINE)
    assert start
    awake, boot = (int(moment) + duration for moment in start.groups())
    return re.sub(r"^(end \S+) .*$", rf"\g<1> {awake} {boot}", record, flags=re.MULTILINE)


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


# the command


def test_the_last_run_is_shown(agreed: Developer) -> None:
    remember(agreed, "make", "test")
    run = remember(agreed, "make", "fail")
    shown = agreed.innerloop("timeline")

    assert (0, "make fail: failed with exit status 2 after 600 ms") == (shown.status, shown.out.splitlines()[0])
    assert re.fullmatch(rf"Run {run[:8]}, .*\. Only you can see this\.", shown.out.splitlines()[-1])
    assert shown.err == "", "two streams of one text could change their order"
    assert max(words.cells(line) for line in shown.out.splitlines()) <= 80


def test_a_run_can_be_named_by_the_beginning_of_its_id(agreed: Developer) -> None:
    first = remember(agreed, "make", "test")
    remember(agreed, "make", "fail")

    assert agreed.innerloop("timeline", first[:8]).out.startswith("make test: done in ")
    assert (1, "") == agreed.innerloop("timeline", "zz")[:2]
    (agreed.spool / "targets" / (first[:8] + "-0000-4000-8000-000000000000")).write_bytes(b"")
    twice = agreed.innerloop("timeline", first[:8])
    assert (1, "", True) == (*twice[:2], "give more of it" in twice.err)


def test_the_list_has_every_run_with_targets_the_newest_first(agreed: Developer) -> None:
    runs = [remember(agreed, "make", "test"), remember(agreed, "make", "fail")]
    agreed.run("make", "test", env=OFF)
    _, *rows = agreed.innerloop("timeline", "--list").out.splitlines()
    listed = agreed.innerloop("timeline", "--list", "--json").json

    assert [run[:8] for run in reversed(runs)] == [row.split()[0] for row in rows], "a run without a target log is not listed"
    assert [("make fail", 10, 2), ("make test", 10, 0)] == [(one["name"], one["targets"], one["exit_status"]) for one in listed]
    assert rows[0].endswith(" failed (2)")


def test_the_list_fits_the_terminal_with_the_longest_of_names(agreed: Developer) -> None:
    (agreed.directory / "Makefile").write_text("%:\n\t@true\n")
    remember(agreed, "make", *[f"target-{number}" for number in range(12)])
    _, row = agreed.innerloop("timeline", "--list").out.splitlines()

    assert words.cells(row) in range(70, 81)
    assert row.endswith(" 10  done")


def test_what_was_sent_is_still_shown(agreed: Developer) -> None:
    remember(agreed, "make", "fail")
    before = agreed.innerloop("timeline").out
    agreed.flush()

    assert not agreed.place("new")
    assert before == agreed.innerloop("timeline").out


def test_a_run_that_goes_on_is_shown_so_far_and_one_that_was_killed_as_unknown(agreed: Developer) -> None:
    (agreed.directory / "Makefile").write_text("long:\n\t@sleep 30\n")
    process = agreed.start(agreed.command, "run", "--", "make", "long", env=OFF)
    assert eventually(lambda: agreed.place("run"))
    (record,) = agreed.place("run")
    book = HandMade(time.monotonic_ns())
    book.line("long", 0, None)
    (agreed.spool / "targets").mkdir(exist_ok=True)
    (agreed.spool / "targets" / record.name).write_bytes(book.data)
    going_on = agreed.innerloop("timeline").out
    child = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    process.kill()
    process.wait()
    os.kill(child, signal.SIGTERM)
    killed = agreed.innerloop("timeline").out

    assert going_on.startswith("make long: still running, so far ")
    assert re.search(r"^ > long ", going_on, re.MULTILINE)
    assert killed.startswith("make long: killed after ")
    assert re.search(r"^ \? long ", killed, re.MULTILINE)


def test_no_exit_status_is_inferred_from_targets_that_never_ended(agreed: Developer) -> None:
    run = remember(agreed, "make", "test")
    record = agreed.spool / "new" / run
    record.write_text(record.read_text().replace("\nend 0 ", "\nend - "))
    inferred = agreed.innerloop("timeline", "--json").json
    book = HandMade(int(record.read_text().split("\nstart ")[1].split()[1]))
    book.line("shot", 0, None)
    (agreed.spool / "targets" / run).write_bytes(book.data)
    unknown = [agreed.innerloop("timeline", "--json").json, agreed.innerloop("flush") and agreed.innerloop("timeline", "--json").json]

    assert (2, "inferred") == (inferred["exit_status"], inferred["exit"])
    assert [(None, "unknown")] * 2 == [(one["exit_status"], one["exit"]) for one in unknown]
    assert not agreed.place("quarantine"), "such a run is one that may be sent"
    assert agreed.place("sealed") or agreed.place("sent")
    assert "1 target never ended: it was killed too, or went on without make." in agreed.innerloop("timeline").out


def test_a_log_without_any_record_is_shown_for_what_it_is(agreed: Developer) -> None:
    run = remember(agreed, "make", "test")
    (agreed.spool / "new" / run).unlink()
    shown = agreed.innerloop("timeline")

    assert shown.out.startswith("a run without a record: 600 ms from the first target to the last")


def test_a_damaged_log_says_how_much_of_it_could_not_be_read(agreed: Developer) -> None:
    run = remember(agreed, "make", "test")
    with (agreed.spool / "targets" / run).open("ab") as log:
        log.write(b"rubbish\nb\t1")

    assert "2 records of the target log could not be read." in agreed.innerloop("timeline").out


def test_where_nothing_was_recorded_one_line_says_so(agreed: Developer) -> None:
    agreed.run("make", "test", env=OFF)
    shown = agreed.innerloop("timeline")

    assert (1, "", 1) == (shown.status, shown.out, shown.err.count("\n"))
    assert "innerloop doctor" in shown.err


@pytest.mark.parametrize("words", [(), ("--list",), ("0f3c",)])
def test_after_an_opt_out_it_says_that_target_logs_were_deleted(agreed: Developer, words: tuple[str, ...]) -> None:
    remember(agreed, "make", "test")
    assert agreed.opt_out().status == 0
    shown = agreed.innerloop("timeline", *words)

    assert (0 if words == ("--list",) else 1, "", 1) == (shown.status, shown.out, shown.err.count("\n"))
    assert "you opted out of shop, which deletes the target logs as well" in shown.err


@pytest.mark.parametrize("text", ["[project\n", "[project]\nid = 3\n", b"\xff"])
def test_a_broken_project_file_keeps_nobody_from_their_own_timeline(agreed: Developer, text: str | bytes) -> None:
    run = remember(agreed, "make", "fail")
    whole = [agreed.innerloop("timeline", *words).out for words in ((), ("--list",), (run[:8], "--json"))]
    agreed.write(text)
    broken = [agreed.innerloop("timeline", *words) for words in ((), ("--list",), (run[:8], "--json"))]

    assert [(0, out) for out in whole] == [(one.status, one.out) for one in broken]
    assert all("innerloop.toml" in one.err and "recorded before" in one.err and one.err.count("\n") == 1 for one in broken)


def test_a_broken_project_file_that_nothing_was_recorded_for_is_told_as_ever(agreed: Developer) -> None:
    remember(agreed, "make", "fail")
    agreed.project("other").write("[project\n")
    shown = agreed.innerloop("timeline")

    assert (1, "", 1) == (shown.status, shown.out, shown.err.count("\n"))
    assert "innerloop.toml" in shown.err


@pytest.mark.parametrize("words", [("--format", "html"), ("--format",), ("--all", "a", "b")])
def test_wrong_usage_is_status_2(agreed: Developer, words: tuple[str, ...]) -> None:
    assert (2, "") == agreed.innerloop("timeline", *words)[:2]


def test_json_has_everything_that_the_log_has(agreed: Developer) -> None:
    remember(agreed, "make", "fail")
    document = agreed.innerloop("timeline", "--json").json
    names = [one["name"] for one in document["targets"]]
    lua = document["targets"][names.index("lua.a")]

    assert document == agreed.innerloop("timeline", "--format", "json").json
    assert (document["name"], document["exit_status"], document["lanes"]) == ("make fail", 2, 2)
    assert document["first_failure"] == names.index("lua.a")
    assert (lua["parent"], lua["offset_ms"], lua["total_ms"], lua["outcome"]) == (names.index("deps"), 520, 70, "failed")
    assert (lua["directory"], lua["prerequisites"], lua["cpu_ms"], lua["memory_kb"]) == ("/shop/deps/lua", ["l0.o", "l4.o"], 5, 2000)
    assert document["targets"][names.index("deps")]["cause"] == names.index("lua.a")
    assert [names[place] for place in document["critical_path"]["targets"]] == ["server.o"]


@pytest.mark.parametrize(("style", "key"), [("perfetto", "traceEvents"), ("speedscope", "profiles")])
def test_trace_files_are_json_on_stdout(agreed: Developer, style: str, key: str) -> None:
    remember(agreed, "make", "test")
    done = agreed.innerloop("timeline", "--format", style)

    assert (0, "", True) == (done.status, done.err, bool(json.loads(done.out)[key]))


def test_it_writes_nothing_and_asks_no_network(agreed: Developer, server: Recorder) -> None:
    remember(agreed, "make", "test")
    assert eventually(lambda: all(b"default" in sidecar.read_bytes() for sidecar in (agreed.spool / "run").iterdir())), "git is done"
    before, calls = agreed.files(), server.connections
    _, trace = agreed.strace(agreed.command, "timeline")

    assert (before, calls) == (agreed.files(), server.connections)
    assert not re.search(r"AF_INET|connect\(", trace)


def test_it_works_for_somebody_who_measures_only_for_themselves(developer: Developer) -> None:
    developer.opt_in("yes", local=True)
    remember(developer, "make", "test")

    assert developer.innerloop("timeline").out.startswith("make test: done in ")


@pytest.mark.parametrize(
    ("env", "blocks"),
    [
        ({"LANG": "C.UTF-8"}, True), ({"LANG": "en_US.utf8"}, True), ({"LANG": None}, False), ({"LANG": "C"}, False),
        ({"LC_ALL": "C"}, False), ({"LC_ALL": "POSIX", "LC_CTYPE": "C.UTF-8"}, False), ({"LANG": "C", "LC_CTYPE": "C.utf8"}, True),
    ],
)  # fmt: skip
def test_block_characters_are_used_where_the_locale_has_them(agreed: Developer, env: dict[str, str | None], blocks: bool) -> None:
    remember(agreed, "make", "test")

    assert blocks == ("█" in agreed.innerloop("timeline", env=env).out)


def test_at_a_terminal_it_fits_and_is_coloured_unless_somebody_does_not_want_that(agreed: Developer) -> None:
    remember(agreed, "make", "fail")
    coloured = agreed.at_terminal(agreed.command, "timeline")
    plain = agreed.at_terminal(agreed.command, "timeline", env={"NO_COLOR": "1"})
    dumb = agreed.at_terminal(agreed.command, "timeline", env={"TERM": "dumb"})

    assert ESCAPE in coloured.text
    assert ESCAPE not in plain.text + dumb.text
    assert ESCAPE not in agreed.innerloop("timeline").out
    bar = next(line for line in plain.text.splitlines() if " deps " in line)
    assert 190 <= words.cells(bar) <= 200, "the terminals of these tests have 200 columns"
    assert max(map(words.cells, agreed.innerloop("timeline", env={"COLUMNS": "100"}).out.splitlines())) in range(90, 101)
