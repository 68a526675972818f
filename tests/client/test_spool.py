"""The spool under load, on a full disk and under kill -9: every run that was started is accounted for, and none twice."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder


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
    running = agreed.start(agreed.command, "run", "--", "sleep", "1")
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


def json_of(text: str) -> dict[str, dict[str, int]]:
    """Read the JSON document that follows a brace."""
    text = "{" + text.lstrip("{")
    document: dict[str, dict[str, int]] = json.loads(text)
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


def test_names_of_files_tell_no_time(agreed: Developer) -> None:
    names = []
    for _ in range(12):
        agreed.run("true")
        (new,) = {path.name for path in agreed.place("new")} - set(names)
        names.append(new)
    assert names != sorted(names)
    assert {Path(name).name[14] for name in names} == {"4"}
