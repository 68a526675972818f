"""The spool under load, on a full disk, after weeks offline and after a night asleep: every run is accounted for, and none twice."""

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from innerloop.tools.diagnosis import ledger
from tests.client.people import ANSWER_PROMPT, DAY, PATIENCE, Developer, eventually
from tests.client.recorder import Recorder, Reply, Request


def test_64_runs_at_once_are_64_events(agreed: Developer, server: Recorder) -> None:
    script = "for i in $(seq 64); do innerloop run -- true & done; wait"
    assert agreed.execute("sh", "-c", script, timeout=60).status == 0
    assert agreed.flush().status == 0
    assert len(server.events) == 64
    assert len({event["messageId"] for event in server.events}) == 64
    assert agreed.ledger()["acknowledged"] == 64


def test_a_killed_launcher_leaves_a_run_that_ended_unknown(agreed: Developer, server: Recorder) -> None:
    running = agreed.start(agreed.command, "run", "--", "sleep", "0.5")
    assert eventually(lambda: agreed.place("run"))
    running.kill()
    running.wait()
    agreed.flush()
    assert server.events == []
    assert agreed.ledger()["unfinished"] == 1
    agreed.age_orphans(59)
    agreed.flush()
    assert server.events == []
    agreed.age_orphans(61)
    assert agreed.flush().status == 0
    (event,) = server.events
    assert (event["properties"]["exit_status"], event["properties"]["duration_ms"]) == (None, None)
    assert agreed.ledger()["acknowledged"] == 1


def test_a_launcher_killed_before_its_run_was_entered_into_the_ledger_is_counted_all_the_same(agreed: Developer, server: Recorder) -> None:
    """Its record is there already; before, between and after its delivery the ledger knows one run."""
    running = agreed.start(agreed.command, "run", "--", "sleep", "0.5")
    assert eventually(lambda: agreed.place("run") and agreed.recorded())
    running.kill()
    running.wait()
    (agreed.spool / "recorded").write_bytes(b"")
    assert agreed.ledger()["recorded"] == 1
    agreed.age_orphans()
    assert agreed.pending()
    assert agreed.ledger()["recorded"] == 1
    agreed.flush()
    assert len(server.events) == 1
    ledger = agreed.ledger()
    assert (ledger["recorded"], ledger["acknowledged"]) == (1, 1)


def test_a_long_run_is_not_taken_for_a_killed_one(agreed: Developer, server: Recorder) -> None:
    running = agreed.start(agreed.command, "run", "--", "sleep", "6")
    assert eventually(lambda: agreed.place("run"))
    agreed.age_orphans(7200)
    agreed.flush()
    assert server.events == []
    assert agreed.ledger()["unfinished"] == 1
    assert running.wait() == 0
    agreed.flush()
    assert [event["properties"]["exit_status"] for event in server.events] == [0]


@pytest.mark.parametrize("content", [b"", b"innerloop-run 1\nstart 1", b"innerloop-run 9\nstart 1 1 1\n", b"\0" * 300])
def test_a_record_that_was_cut_short_is_set_aside_and_counted(agreed: Developer, server: Recorder, content: bytes) -> None:
    for _ in range(2):
        agreed.run("make", "test")
    agreed.place("new")[0].write_bytes(content)
    assert agreed.flush().status == 0
    assert len(server.events) == 1
    ledger = agreed.ledger()
    assert (ledger["acknowledged"], ledger["quarantined"]) == (1, 1)


def test_a_record_without_its_last_bytes_ended_unknown(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    text = record.read_bytes()
    record.write_bytes(text[: text.index(b"end ") + 6])
    agreed.flush()
    assert [event["properties"]["exit_status"] for event in server.events] == [None]


def test_delivery_that_was_killed_anywhere_loses_and_doubles_nothing(agreed: Developer, server: Recorder) -> None:
    """At least once: what a kill made it send twice is the same event under the same id."""
    for _ in range(12):
        agreed.run("true")
    for at in (0.08, 0.12, 0.16, 0.2, 0.25, 0.3):
        flushing = agreed.start(agreed.command, "flush")
        time.sleep(at)
        flushing.kill()
        flushing.wait()
        agreed.ledger()
    assert agreed.flush().status == 0
    assert len({event["messageId"] for event in server.events}) == 12
    assert len({str(event) for event in server.events}) == 12
    assert agreed.ledger()["acknowledged"] == 12


def test_a_sealer_that_was_killed_before_it_deleted_the_record_changes_no_byte_and_counts_nothing_twice(
    agreed: Developer, server: Recorder
) -> None:
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    text = record.read_bytes()
    shown = agreed.innerloop("show", "pending").out
    record.write_bytes(text)
    assert agreed.innerloop("show", "pending").out == shown
    assert agreed.place("new") == []
    record.write_bytes(text)
    assert agreed.flush().status == 0
    assert len(server.events) == 1
    assert (agreed.ledger()["recorded"], agreed.ledger()["acknowledged"]) == (1, 1)
    assert [line["runs"] for line in agreed.innerloop("report", "--json").json["commands"]] == [1]


FULL = """
cp -a "$SAVED/." "$STATE"
cat /dev/zero > "$STATE/filler" 2>/dev/null || true
cd "$PROJECT"
for i in $(seq "$RUNS"); do innerloop run -- sh -c "echo $i; exit 3" || test $? = 3; done
innerloop doctor --json || true
"""


@pytest.mark.parametrize("free", [0, 4, 8, 12, 16, 24])
def test_a_full_disk_changes_nothing_but_the_count_of_what_was_dropped(
    small_disk: Callable[..., list[str]], agreed: Developer, server: Recorder, free: int
) -> None:
    """`free`: kilobytes that are free when the commands start."""
    agreed.run("true")
    saved = agreed.base / "saved"
    agreed.state.rename(saved)
    agreed.state.mkdir(mode=0o700)
    script = FULL.replace("|| true\n", "|| true\n" + (f'truncate -s -{free}k "$STATE/filler"\n' if free else ""), 1)
    words = small_disk(agreed.state, script, size="256k")
    runs = 12
    env = {"SAVED": str(saved), "STATE": str(agreed.state), "PROJECT": str(agreed.directory), "RUNS": str(runs)}
    done = agreed.execute(*words, env=env)
    assert (done.status, done.err) == (0, "")
    numbers, _, document = done.out.partition("{")
    assert numbers.split() == [str(number + 1) for number in range(runs)]
    ledger = json_of(document)["ledger"]
    assert ledger["missing"] == 0, ledger
    assert ledger["recorded"] == runs + 1, ledger
    assert ledger["dropped"].get("full", 0) + ledger["queued"] + ledger["unfinished"] + ledger["quarantined"] == runs + 1, ledger
    if not free:
        assert ledger["dropped"]["full"] > 0


FULL_DELIVERY = """
cp -a "$SAVED/." "$STATE"
cat /dev/zero > "$STATE/filler" 2>/dev/null || true
cd "$PROJECT"
innerloop flush >"$LOG" 2>&1 || true
innerloop doctor --json || true
rm "$STATE/filler"
innerloop flush >>"$LOG" 2>&1 || true
innerloop doctor --json
"""


def test_delivery_from_a_full_disk_loses_nothing(small_disk: Callable[..., list[str]], agreed: Developer, server: Recorder) -> None:
    for _ in range(3):
        agreed.run("make", "test")
    agreed.pending()
    agreed.run("make", "build")
    saved, log = agreed.base / "saved", agreed.base / "log"
    agreed.state.rename(saved)
    agreed.state.mkdir(mode=0o700)
    env = {"SAVED": str(saved), "STATE": str(agreed.state), "PROJECT": str(agreed.directory), "LOG": str(log)}
    done = agreed.execute(*small_disk(agreed.state, FULL_DELIVERY, size="256k"), env=env)
    assert (done.status, done.err, "Traceback" in log.read_text()) == (0, "", False)
    full, roomy = (json_of("{" + text) for text in done.out.split("\n{"))
    assert full["ledger"]["missing"] == 0
    assert full["ledger"]["recorded"] == 4
    assert (roomy["ledger"]["acknowledged"], roomy["ledger"]["missing"]) == (4, 0)
    assert len({event["messageId"] for event in server.events}) == 4


def json_of(text: str) -> dict[str, dict[str, Any]]:
    """Read the JSON document that follows a brace."""
    text = "{" + text.lstrip("{")
    document: dict[str, dict[str, Any]] = json.loads(text)
    return document


@pytest.mark.parametrize("what", ["state", "spool", "run", "new"])
def test_a_spool_that_cannot_be_written_disturbs_no_command(agreed: Developer, what: str) -> None:
    agreed.run("true")
    path = {"state": agreed.state, "spool": agreed.spool}.get(what, agreed.spool / what)
    prefix = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    for mode in (0o500, 0o000):
        path.chmod(mode)
        try:
            for _ in range(2):
                done = agreed.execute(*prefix, agreed.command, "run", "--", "sh", "-c", "echo here; exit 3")
                assert done == (3, "here\n", "")
        finally:
            path.chmod(0o700)


# the ledger, whatever became of the runs


def test_the_ledger_has_a_place_for_everything_that_can_become_of_a_run(agreed: Developer, server: Recorder) -> None:
    """All in one spool: acknowledged, set aside, refused, expired, narrowed, withdrawn, local, under way and queued."""
    agreed.opt_in("yes", local=True)
    agreed.run("make", "test")
    agreed.innerloop("report")
    assert agreed.ledger()["local"] == 1
    agreed.opt_in("yes")
    for target in ("test", "build", "fail", "slow"):
        agreed.run("make", target)
    agreed.pending()
    (old,) = (path for path in agreed.place("sealed") if b'"command":"build"' in path.read_bytes())
    os.utime(old, (time.time() - 91 * DAY,) * 2)
    agreed.edit(names={"allow": ["test", "build", "fail"]})
    agreed.run("true")
    agreed.place("new")[0].write_bytes(b"torn")
    server.always(lambda request: Reply(400 if any(event["properties"]["command"] == "fail" for event in request.events) else 200))
    agreed.flush()
    assert agreed.ledger() | {"recorded": 6} == {
        "recorded": 6, "acknowledged": 1, "queued": 0, "quarantined": 2, "dropped": {"expired": 1, "narrowed": 1}, "local": 1, "unfinished": 0,
        "missing": 0, "adds_up": True,
    }  # fmt: skip
    agreed.run("make", "test")
    agreed.opt_out()
    agreed.opt_in("yes")
    agreed.run("make", "test")
    running = agreed.start(agreed.command, "run", "--", "sleep", "1")
    assert eventually(lambda: agreed.place("run"))
    counted = agreed.ledger()
    assert (counted["dropped"], counted["queued"], counted["unfinished"]) == ({"expired": 1, "narrowed": 1, "withdrawn": 1}, 1, 1)
    assert running.wait(PATIENCE) == 0
    assert agreed.ledger()["recorded"] == 9


def test_the_ledger_adds_up_while_ten_commands_and_two_deliveries_are_under_way(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    script = "for i in 1 2 3 4 5 6; do innerloop run -- true; done"
    commands = [agreed.start("sh", "-c", script) for _ in range(10)]
    deliveries = [agreed.start("sh", "-c", "for i in 1 2 3 4 5; do innerloop flush; done") for _ in range(2)]
    asked = 0
    until = time.monotonic() + 60
    while any(process.poll() is None for process in (*commands, *deliveries)) and time.monotonic() < until:
        counted = ledger.count(str(agreed.spool))
        assert counted.adds_up, counted
        asked += 1
    assert [process.wait(PATIENCE) for process in commands] == [0] * 10
    for delivery in deliveries:
        delivery.wait(PATIENCE)
    assert asked > 20
    agreed.flush()
    assert agreed.ledger()["acknowledged"] == 61 == len({event["messageId"] for event in server.events})


def test_the_ledger_of_many_years_adds_up(agreed: Developer) -> None:
    """Journals only grow: 300,000 runs are a busy developer's four years."""
    agreed.run("true")
    many = b"".join(b"%032x" % number for number in range(300_000))
    for journal in ("recorded", "acknowledged"):
        with (agreed.spool / journal).open("ab") as file:
            file.write(many)
    counted = agreed.ledger()
    assert (counted["recorded"], counted["acknowledged"], counted["queued"]) == (300_001, 300_000, 1)
    assert agreed.innerloop("status").status == 0


def test_seven_bad_events_among_a_thousand_are_set_aside_in_few_requests(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    agreed.pending()
    agreed.pretend_sealed(999)
    ids = sorted(event["messageId"] for event in agreed.pending())
    bad = set(ids[5:1000:150])
    assert len(bad) == 7
    server.always(lambda request: Reply(400 if bad & {event["messageId"] for event in request.events} else 200))
    done = agreed.flush("--timeout", "60", timeout=90)
    assert "993 runs delivered" in done.out
    assert "7 refused and set aside" in done.out
    taken = [event["messageId"] for request in server.requests for event in request.events if not bad & set(ids_of(request))]
    assert sorted(taken) == [one for one in ids if one not in bad]
    assert len(server.requests) <= 2 + 7 * 2 * 9, "2 batches, halved at most 9 times for each bad one"
    counted = agreed.ledger()
    assert (counted["acknowledged"], counted["quarantined"], counted["queued"]) == (993, 7, 0)


def ids_of(request: Request) -> list[str]:
    return [event["messageId"] for event in request.events]


# weeks offline


def pretend_recorded(developer: Developer, ages: list[float]) -> None:
    """As if a run had been recorded so long ago (s), for each age: copies of a finished one with another start."""
    (record,) = developer.place("new")
    text = record.read_bytes()
    record.unlink()
    (developer.spool / "recorded").write_bytes(b"")
    for age in ages:
        run = str(uuid.uuid4())
        begun = b"start %d" % ((time.time() - age) * 1e9)
        (record.parent / run).write_bytes(re.sub(rb"start \d+", begun, text, count=1))
        with (developer.spool / "recorded").open("a") as journal:
            journal.write(run.replace("-", ""))


def test_after_weeks_offline_everything_arrives_oldest_first_under_the_ids_it_was_tried_with(agreed: Developer, server: Recorder) -> None:
    """Runs of six weeks, one every hour and a half: more than one batch."""
    agreed.run("true")
    ages = [number * 5400.0 for number in range(1, 701)]
    pretend_recorded(agreed, [ages[(at * 331) % 700] for at in range(700)])
    server.always(Reply(503))
    for _ in range(3):
        assert agreed.flush().status == 1
    tried = ids_of(server.requests[0])
    assert [ids_of(request) for request in server.requests] == [tried] * 3
    server.requests.clear()
    server.will(Reply(), Reply(503)).always(Reply())
    assert agreed.flush().status == 1
    assert agreed.flush().status == 0
    first, refused, *rest = server.requests
    assert ids_of(first) == tried
    assert [ids_of(request) for request in rest] == [ids_of(refused)]
    begun = [event["properties"]["start_time"] for event in (*first.events, *rest[0].events)]
    assert begun == sorted(begun)
    assert len(set(begun)) > 600
    counted = agreed.ledger()
    assert (counted["acknowledged"], counted["dropped"]) == (700, {})


def test_nothing_younger_than_90_days_is_given_up(agreed: Developer, server: Recorder) -> None:
    """Neither by the age of the run nor by that of its sealed bytes."""
    agreed.run("true")
    pretend_recorded(agreed, [DAY, 30 * DAY, 60 * DAY, 89.9 * DAY])
    server.always(Reply(503))
    agreed.flush()
    for path, age in zip(agreed.place("sealed"), (1, 30, 60, 89.9), strict=True):
        os.utime(path, (time.time() - age * DAY,) * 2)
    server.always(Reply())
    assert agreed.flush().status == 0
    assert agreed.ledger()["acknowledged"] == 4


# a machine that sleeps

CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Until the file WOKEN exists it is an hour earlier; but the clock that stands still while a machine sleeps knows nothing of that hour. */
int clock_gettime(clockid_t clock, struct timespec *moment) {
    static int (*real)(clockid_t, struct timespec *);
    const char *woken = getenv("WOKEN");
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, moment);
    if ((clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) && woken && access(woken, F_OK)) moment->tv_sec -= 3600;
    return failed;
}
"""


@pytest.fixture
def asleep(tmp_path: Path) -> Callable[[Developer], dict[str, str | None]]:
    """An environment in which a machine sleeps for an hour, until a command creates the file that WOKEN names."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc: no clock can be made to jump here")
    library = tmp_path / "clock.so"
    words = [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library, "-ldl"]
    done = subprocess.run(words, input=CLOCK, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return lambda developer: {"LD_PRELOAD": str(library), "WOKEN": str(developer.base / "woken")}


def test_c43_an_hour_asleep_is_no_waiting(
    asleep: Callable[[Developer], dict[str, str | None]], agreed: Developer, server: Recorder
) -> None:
    """Neither on the wire, where the run is marked, nor in the developer's own report."""
    assert agreed.run("sh", "-c", 'sleep 0.3; touch "$WOKEN"', name="slow", env=asleep(agreed)).status == 0
    assert agreed.run("sleep", "0.3", name="test").status == 0
    assert (agreed.base / "woken").exists()
    agreed.flush()
    events = {event["properties"]["command"]: event["properties"] for event in server.events}
    assert {name: event["suspended"] for name, event in events.items()} == {"slow": True, "test": False}
    assert all(300 <= event["duration_ms"] < 30_000 for event in events.values())
    lines: dict[str, dict[str, Any]] = {line["name"]: line for line in agreed.innerloop("report", "--json").json["commands"]}
    assert all(300 <= lines[name]["waited_ms"] < 30_000 for name in ("slow", "test"))
    assert re.search(r"\d (min|h)\b", agreed.innerloop("report").out) is None


def test_names_of_files_tell_no_time(agreed: Developer) -> None:
    names = []
    for _ in range(12):
        agreed.run("true")
        (new,) = {path.name for path in agreed.place("new")} - set(names)
        names.append(new)
    assert names != sorted(names)
    assert {Path(name).name[14] for name in names} == {"4"}


def test_answers_for_many_projects_at_once_are_all_kept(hire: Callable[..., Developer]) -> None:
    """`enabled` is one file for all projects: nobody's entry may be lost to somebody else's."""
    developer = hire()
    for number in range(8):
        developer.project(directory=f"shop-{number}", project={"id": f"shop-{number}"})
    children = []
    for number in range(8):
        developer.directory = developer.base / f"shop-{number}"
        children.append(developer.spawn(developer.command, "opt-in"))
    for child in children:
        child.expect(ANSWER_PROMPT)
    for child in children:
        child.sendline("yes")
    for child in children:
        child.expect(pexpect.EOF)
        child.close()
    assert len((developer.state / "enabled").read_text().splitlines()) == 1 + 8


def test_a_journal_that_can_be_written_half_forgets_no_run(agreed: Developer, server: Recorder) -> None:
    """As on a nearly full disk: the limit of a file's size cuts the write in two."""
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(400)
    done = agreed.execute("sh", "-c", "ulimit -f 8; exec innerloop flush")
    assert done.status == 1
    assert agreed.ledger()["recorded"] == 401
    assert agreed.flush().status == 0
    assert agreed.ledger()["acknowledged"] == 401
    assert len({event["messageId"] for event in server.events}) == 401
