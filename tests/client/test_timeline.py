"""`innerloop timeline`: one look at a run tells where its time went. For its developer alone."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from innerloop.tools.timeline import words
from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder
from tests.client.target_logs import MS, HandMade

ESCAPE = "\x1b["


OFF: dict[str, str | None] = {"INNERLOOP_PROBE": "off"}  # the logs here are made by hand


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


@pytest.mark.parametrize("words", [("--format", "pdf"), ("--format",), ("--all", "a", "b")])
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
