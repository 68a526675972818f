"""Everything is killed at once, again and again: no run is lost, none is torn, none counts twice, and the ledger adds up at any moment.

The harness keeps a log of its own: each command writes a line when it starts and one when it ends, and each launcher is
waited for. A run is recognised on the wire by its name and exit status, which no other run has.
"""

import contextlib
import fcntl
import json
import os
import random
import select
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import innerloop
from innerloop.core.plan.check import Names, violations
from tests.client.people import PATIENCE, Developer
from tests.client.recorder import CUT, Recorder, Reply, Request

NAMES = tuple(f"n{number:02}" for number in range(100))
STATUSES = 100  # exit statuses 0 to 99: with the names they make 10,000 runs that can be told apart
# It tells the harness on descriptor 9 that it started and that it is about to end, for kills at those instants.
COMMAND = 'echo "start $1" >>"$2"; echo s >&9; $3; echo "end $1" >>"$2"; echo e >&9; exit "$4"'
# What doctor calls, without the start of a process each time: it prints how often it asked and each answer that does not add up.
WATCH = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from innerloop.tools.diagnosis import ledger
asked = 0
while not os.path.exists(sys.argv[3]):
    found = ledger.count(sys.argv[2])
    asked += 1
    if not found.adds_up:
        print(json.dumps(found._asdict()))
print(asked)
"""
SLOTS = 6  # launchers under way at once
PARTS = ("acknowledged", "queued", "quarantined", "local", "unfinished")


class Ended(NamedTuple):
    """One launcher, as the harness knows it."""

    name: str
    status: int  # that its command was told to end with
    killed: bool


class Torture:
    """Launchers, senders and doctors at once, for a number of killed launchers."""

    def __init__(self, developer: Developer, server: Recorder, kills: int) -> None:
        self.developer, self.server, self.kills = developer, server, kills
        self.chance = random.Random(kills)
        self.log = developer.base / "log"
        self.log.touch()
        self.ended: list[Ended] = []
        self.killed = 0
        self.lifetimes = [0.02]
        self.killed_senders = Counter[str]()
        self.ledgers: list[dict[str, Any]] = []
        self.asked = 0
        self.accepted: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.numbers = iter(range(len(NAMES) * STATUSES))
        self.over = threading.Event()
        self.lock = threading.Lock()

    # the launchers

    def launch(self, number: int) -> None:
        """Start one launcher, perhaps kill it at an instant of its life, and note how it ended."""
        name, status = NAMES[number % len(NAMES)], number // len(NAMES)
        reader, writer = os.pipe()
        work = "sleep 0.02" if number % 10 == 0 else ":"
        argv = [
            str(self.developer.command),
            "run",
            "--name",
            name,
            "--",
            "sh",
            "-c",
            COMMAND,
            "sh",
            str(number),
            str(self.log),
            work,
            str(status),
        ]
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        actions = [*((os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)), (os.POSIX_SPAWN_DUP2, writer, 9)]
        began = time.monotonic()
        pid = os.posix_spawn(argv[0], argv, self.developer.environment(), file_actions=actions)
        os.close(null)
        os.close(writer)
        with contextlib.closing(os.fdopen(reader, "rb", buffering=0)) as pipe:
            self._perhaps_kill(pid, pipe.fileno())
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code not in (status, -signal.SIGKILL):
            self.faults.append(f"the launcher of run {number} ended with {code}, its command with {status}")
        if code == status:
            self.lifetimes.append(time.monotonic() - began)
        with self.lock:
            self.ended.append(Ended(name, status, killed=code == -signal.SIGKILL))
            self.killed += self.ended[-1].killed

    def _perhaps_kill(self, pid: int, pipe: int) -> None:
        """At any instant of a whole life; soon after the command started, when it is recorded; or when the launcher finishes."""
        kind = self.chance.choices(("never", "any time", "start", "end"), (15, 45, 20, 20))[0]
        if kind == "never":
            return
        if kind == "any time":
            time.sleep(self.chance.uniform(0, 1.2 * statistics.median(self.lifetimes[-50:])))
        else:
            seen = b""
            while kind[:1].encode() not in seen.split() and select.select([pipe], [], [], PATIENCE)[0]:
                data = os.read(pipe, 64)
                if not data:
                    return
                seen += data
            until = time.perf_counter() + self.chance.uniform(0, 0.003 if kind == "start" else 0.0015)
            while time.perf_counter() < until:
                pass
        os.kill(pid, signal.SIGKILL)  # it is not waited for yet, so the number is still its own

    def slot(self) -> None:
        """Launch one after the other until enough were killed."""
        while not self.over.is_set():
            with self.lock:
                number = next(self.numbers, None)
            if number is None or self.killed >= self.kills:
                return
            self.launch(number)

    # what goes on meanwhile

    def flushes(self) -> None:
        """Deliver again and again; every second delivery is killed somewhere."""
        while not self.over.is_set():
            flushing = self.developer.start(self.developer.command, "flush")
            try:
                flushing.wait(self.chance.uniform(0.02, 0.5) if self.chance.random() < 0.5 else PATIENCE)
            except subprocess.TimeoutExpired:
                flushing.kill()
                self.killed_senders["flush"] += 1
                flushing.wait(PATIENCE)

    def detached(self) -> None:
        """Let delivery be due for the next launcher, let what is sealed be old enough, and kill some detached senders."""
        while not self.over.wait(0.2):
            self.let_releases_pass()
            self.developer.make_delivery_due()
            time.sleep(self.chance.uniform(0, 0.3))
            for pid in self.senders():
                if self.chance.random() < 0.4:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    self.killed_senders["detached"] += 1

    def let_releases_pass(self) -> None:
        """As if what is sealed had waited long enough: under the sender's own lock, so that none reads half a file."""
        with (self.developer.spool / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            for path in self.developer.place("sealed"):
                head, newline, events = path.read_bytes().partition(b"\n")
                new = path.parent.parent / "released"
                new.write_bytes(json.dumps({**json.loads(head), "release": 1.0}).encode() + newline + events)
                new.replace(path)

    def senders(self) -> list[int]:
        """The detached senders of this developer."""
        return [pid for pid, argv in processes_of(self.developer.home) if argv[-1:] == [b"deliver"]]

    def doctors(self) -> None:
        """Ask for the ledger again and again."""
        while not self.over.is_set():
            done = self.developer.innerloop("doctor", "--json")
            try:
                self.ledgers.append(done.json["ledger"])
            except ValueError:
                self.faults.append(f"doctor said: {done.err}")
                return

    def watches(self) -> None:
        """Count the ledger as often as can be."""
        stop = self.developer.base / "stop-watching"
        words = [sys.executable, "-I", "-S", "-c", WATCH, str(Path(innerloop.__file__).parent.parent), str(self.developer.spool), str(stop)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as watching:
            self.over.wait()
            stop.touch()
            *wrong, asked = watching.communicate(timeout=PATIENCE)[0].splitlines()
        self.asked = int(asked)
        self.ledgers += map(json.loads, wrong)

    def orphans(self) -> None:
        """As if the records of killed launchers were old: a live launcher holds a lock on its own."""
        while not self.over.wait(0.5):
            for path in self.developer.place("run"):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > 2:
                        os.utime(path, (time.time() - 120,) * 2)

    def answer(self, request: Request) -> Reply:
        """A server that fails now and then, also when it has read everything."""
        kinds = (Reply(), Reply(wait=0.2), Reply(503), Reply(500), Reply(how=CUT))
        reply = self.chance.choices(kinds, (70, 8, 8, 7, 7) if not self.over.is_set() else (1, 0, 0, 0, 0))[0]
        if reply.how != CUT and reply.status == 200:
            self.accepted += request.events
        return reply

    def run(self) -> None:
        """Torture until enough launchers were killed; return when all is quiet."""
        self.server.always(self.answer)
        meanwhile = (self.flushes, self.flushes, self.detached, self.doctors, self.watches, self.orphans)
        with background(*meanwhile, over=self.over), background(*[self.slot] * SLOTS):
            pass
        deadline = time.monotonic() + PATIENCE
        while self.senders() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.senders() == []
        self.developer.age_orphans()
        assert self.developer.flush("--timeout", "60", timeout=90).status in (0, 1)

    # what the harness compares

    def started(self) -> set[int]:
        """The commands that say that they started."""
        words = [line.split() for line in self.log.read_text().splitlines()]
        return {int(number) for what, number in words if what == "start"}


@contextlib.contextmanager
def background(*works: Any, over: threading.Event | None = None) -> Iterator[None]:
    """Let work go on in threads; at the end say that it is over, and wait for all of it."""
    failures: list[BaseException] = []

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (whatever it is, the test must fail by it)
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        if over is not None:
            over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def processes_of(home: Path) -> list[tuple[int, list[bytes]]]:
    """The processes whose HOME this is, with their arguments."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"HOME={home}".encode() in (directory / "environ").read_bytes().split(b"\0"):
                found.append((int(directory.name), (directory / "cmdline").read_bytes().split(b"\0")[:-1]))
    return found


def survives(developer: Developer, server: Recorder, monkeypatch: pytest.MonkeyPatch, kills: int) -> None:
    """Torture, then compare the harness's own log with the ledger and the wire."""
    developer.edit(names={"allow": list(NAMES)})
    developer.run("true", name=NAMES[0])
    developer.flush()
    assert len(server.events) == 1
    server.requests.clear()
    monkeypatch.chdir(developer.directory)
    torture = Torture(developer, server, kills)
    torture.run()
    assert torture.faults == []
    killed, finished = ([one for one in torture.ended if one.killed is so] for so in (True, False))
    assert len(killed) >= kills
    assert len(finished) > kills // 10
    assert torture.killed_senders["flush"] > 0
    assert torture.killed_senders["detached"] > 0 or kills < 1000
    print(f"{len(killed)} killed, {len(finished)} finished, senders killed: {dict(torture.killed_senders)}")
    # at any moment
    assert torture.asked > kills
    assert torture.ledgers
    assert [
        one
        for one in torture.ledgers
        if one["missing"] or sum(one[part] for part in PARTS) + sum(one["dropped"].values()) != one["recorded"]
    ] == []
    # none torn, none changed
    events: dict[str, dict[str, Any]] = {}
    agreement = developer.consent["agreement"]
    for event in torture.accepted:
        assert violations(event, agreement, Names(NAMES)) == []
        assert events.setdefault(event["messageId"], event) == event
    # none lost, none twice: what ended as it should is there once, what was killed at most once
    seen = Counter((event["properties"]["command"], event["properties"]["exit_status"]) for event in events.values())
    assert {one: seen[one.name, one.status] for one in finished if seen[one.name, one.status] != 1} == {}
    started = torture.started()
    assert {(NAMES[number % len(NAMES)], number // len(NAMES)) for number in started} >= {one for one in seen if one[1] is not None}
    assert [one for one, times in seen.items() if one[1] is not None and times > 1] == []
    for name in NAMES:
        of_killed = seen[name, None] + sum(seen[name, one.status] for one in killed if one.name == name)
        assert of_killed <= sum(one.name == name for one in killed)
    # every one accounted for
    ledger = developer.ledger()
    assert (ledger["queued"], ledger["unfinished"], ledger["local"], ledger["dropped"]) == (0, 0, 0, {})
    assert ledger["acknowledged"] == len(events) + 1
    assert len(finished) <= developer.recorded() - 1 <= ledger["recorded"] - 1 <= len(started)
    assert ledger["quarantined"] <= len(killed)


def test_150_kills_at_random_instants_lose_no_run(agreed: Developer, server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    survives(agreed, server, monkeypatch, kills=150)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_5000_kills_at_random_instants_lose_no_run(agreed: Developer, server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    survives(agreed, server, monkeypatch, kills=5000)
