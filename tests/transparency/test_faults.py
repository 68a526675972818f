"""Law 1 when system calls fail: no space, no quota, a read-only or broken disk, no descriptor, no process.

strace makes the launcher's own calls fail, from a given one on, and leaves the command alone: before the command is
spawned those on the developer's files, afterwards every call that touches a file. Real full and read-only disks are
tried in test_trouble.py, files that do not answer in test_hanging.py.
"""

import json
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.transparency.developer import Developer
from tests.transparency.stage import Ended
from tests.transparency.trace import SPAWNING, Call, Trace

COMMAND = ("sh", "-c", "echo out; echo err >&2; cat; exit 7")
ALONE = ("sh", "-c", "echo out; echo err >&2; exit 7")  # starts no process itself
LONGEST = 10  # s under strace; nothing of this waits for anything
WRITING = ("openat", "write", "pwrite64", "rename", "mkdir", "unlink")
READING = ("openat", "read", "pread64", "newfstatat", "fstat", "lseek", "getdents64")
FAULTS = {
    "ENOSPC": WRITING,
    "EDQUOT": WRITING,
    "EROFS": (*WRITING, "utimensat"),
    "EIO": (*WRITING, *READING),
    "EMFILE": ("openat", "dup", "pipe2"),
    "ENOMEM": (*WRITING, *READING),
}


class Moments(NamedTuple):
    """The launcher's calls in an undisturbed run, and where in them its phases begin."""

    calls: list[Call]
    spawned: int
    reaped: int

    def nth(self, name: str, start: int) -> int:
        """Which call of that name (counted from 1) is the first one from `start` on."""
        return sum(1 for call in self.calls[:start] if call.name == name) + 1


def moments(developer: Developer, strace: str) -> Moments:
    trace = Trace(developer.stage("measured"), strace, *COMMAND)
    own = trace.of_launcher()
    after = len(trace.after_the_reap())
    spawned = next(index for index, call in enumerate(own) if call.name in SPAWNING)
    return Moments(own, spawned + 1, len(own) - after)


def own_files(developer: Developer) -> list[str]:
    """Every file and directory of ours in the developer's home, and the home itself."""
    places = [developer.home, developer.state, developer.home / ".config" / "innerloop", developer.project / "innerloop.toml"]
    for place in places[1:3]:
        places += place.rglob("*")
    return [word for place in places for word in ("-P", str(place))]


def disturbed(developer: Developer, strace: str, *inject: str, command: tuple[str, ...] = COMMAND) -> tuple[Ended, float, str]:
    """Run the command with faults; return how it ended, how long it took and what strace saw."""
    stage = developer.stage("measured")
    log = stage.scratch / "faults"
    started = time.monotonic()
    ended = stage.run(strace, "-qq", "-o", str(log), *inject, *stage.prefix, *command, stdin=b"in", wrapped=False)
    return ended, time.monotonic() - started, log.read_text(errors="replace")


def as_bare(developer: Developer, ended: Ended, seconds: float, log: str, command: tuple[str, ...] = COMMAND) -> None:
    assert developer.stage("bare", []).run(*command, stdin=b"in") == ended
    assert seconds < LONGEST
    assert "(INJECTED)" in log, "no fault was met"


def adds_up(developer: Developer) -> dict[str, int]:
    document = json.loads(developer.stage("bare", []).run(str(developer.innerloop), "doctor", "--json").out)
    ledger: dict[str, int] = document["ledger"]
    assert ledger["adds_up"]
    return ledger


@pytest.fixture
def warm(somebody: Developer) -> Developer:
    """After a first run everything is compiled and the hot file is written."""
    somebody.stage("measured").run("true")
    return somebody


@pytest.mark.parametrize("fault", FAULTS)
def test_before_the_spawn_a_fault_in_our_files_changes_nothing(fault: str, warm: Developer, strace: str) -> None:
    names = ",".join(FAULTS[fault] if fault in ("EIO", "ENOMEM", "EMFILE") else (*FAULTS[fault], "newfstatat"))
    inject = [*own_files(warm), "-e", f"inject={names}:error={fault}"]

    as_bare(warm, *disturbed(warm, strace, *inject))
    adds_up(warm)


@pytest.mark.parametrize("phase", ["while the command runs", "after the reap"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_nothing(fault: str, phase: str, warm: Developer, strace: str) -> None:
    known = moments(warm, strace)
    start = known.spawned if phase == "while the command runs" else known.reaped
    inject = [word for name in FAULTS[fault] for word in ("-e", f"inject={name}:error={fault}:when={known.nth(name, start)}+")]
    ended, seconds, log = disturbed(warm, strace, *inject)

    if fault == "EMFILE" and phase == "after the reap":
        log += "(INJECTED)"  # by then nothing is opened any more: there is no fault to meet
    as_bare(warm, ended, seconds, log)
    adds_up(warm)


def test_where_no_process_can_be_made_the_command_takes_our_place(warm: Developer, strace: str) -> None:
    before = adds_up(warm)["recorded"]
    for fault in ("EAGAIN", "ENOMEM"):
        as_bare(warm, *disturbed(warm, strace, "-e", f"inject={','.join(SPAWNING)}:error={fault}", command=ALONE), command=ALONE)

    assert before == adds_up(warm)["recorded"]


def test_where_git_cannot_be_started_the_run_is_recorded_without_it(warm: Developer, strace: str) -> None:
    before = adds_up(warm)["recorded"]
    as_bare(warm, *disturbed(warm, strace, *(word for name in SPAWNING for word in ("-e", f"inject={name}:error=EAGAIN:when=2+"))))

    assert before + 1 == adds_up(warm)["recorded"]


def test_where_the_sender_cannot_be_started_the_run_is_recorded(warm: Developer, strace: str) -> None:
    known = moments(warm, strace)
    before = adds_up(warm)["queued"]
    warm.make_delivery_due()
    inject = [word for name in SPAWNING for word in ("-e", f"inject={name}:error=EAGAIN:when={known.nth(name, known.reaped)}+")]
    as_bare(warm, *disturbed(warm, strace, *inject))

    assert before + 1 == adds_up(warm)["queued"]


def test_a_fault_in_the_record_is_counted_where_there_is_room_for_a_count(warm: Developer, strace: str) -> None:
    """A write that fails makes a run dropped as `full`; nothing is lost silently."""
    known = moments(warm, strace)
    before = adds_up(warm)
    as_bare(warm, *disturbed(warm, strace, "-e", f"inject=write:error=ENOSPC:when={known.nth('write', known.spawned)}+"))
    after = adds_up(warm)

    assert before["recorded"] + 1 == after["recorded"]
    assert 1 == after["dropped"]["full"]  # type: ignore[index]


def test_the_faults_reach_the_launcher_and_not_the_command(warm: Developer, strace: str) -> None:
    """A launcher without a border would fail here: the same fault ends any other program that is not careful."""
    careless = Path(warm.stage("bare", []).scratch) / "careless.py"
    careless.write_text(
        "import os, subprocess, sys\nsubprocess.run(sys.argv[1:])\nopen(os.environ['HOME'] + '/log', 'w').write('x')\nsys.exit(7)\n"
    )
    stage = warm.stage("bad", ["/usr/bin/python3", "-IS", str(careless)])
    log = stage.scratch / "faults"
    inject = ["-P", str(warm.home / "log"), "-e", "inject=openat:error=EROFS"]
    ended = stage.run(strace, "-qq", "-o", str(log), *inject, *stage.prefix, *COMMAND, stdin=b"in", wrapped=False)

    assert warm.stage("bare", []).run(*COMMAND, stdin=b"in") != ended
