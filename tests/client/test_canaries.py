"""Nothing of a command line, an environment, a place or a git state leaves, and no process of ours shows it to others.

The cases are those of test_fuzz.py, here through the built launcher, with real git, real make and the real wire. While they
run, every process of the machine is looked at as `ps` and /proc show it. What may show a secret is what shows it without
us: the command and the processes above it, whose arguments are what was typed. The sender and git, which is asked in a short
environment of our own, must show nothing.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.client.people import PATIENCE, Developer, eventually
from tests.client.recorder import Recorder
from tests.client.test_fuzz import MARK, NAMES, Case, Maker, holds_listed_name, traces

MAKEFILE = "test build %:\n\t@true\n"
RUNNABLE = (b"make", b"gmake", b"sh", b"env", b"true")


class Seen(NamedTuple):
    """A process as others see it."""

    session: int
    argv: tuple[bytes, ...]
    environment: bytes

    @property
    def is_sender(self) -> bool:
        return self.argv[-1:] == (b"deliver",)

    @property
    def is_launcher(self) -> bool:
        """A helper that was spawned but not executed yet shows what the launcher shows: they share their memory until then."""
        return self.argv[4:5] == (b"run",) and self.argv[3].endswith(b"/innerloop/start.py")


class Watcher:
    """Looks at all processes whose environment names a home, again and again, until it is told to stop."""

    def __init__(self, home: Path) -> None:
        self.home = os.fsencode(home)
        self.seen: set[Seen] = set()
        self.looks = 0
        self._over = threading.Event()

    def look(self) -> None:
        for directory in os.listdir("/proc"):
            if directory.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    argv = self.argv(directory)
                    environment = Path(f"/proc/{directory}/environ").read_bytes()
                    if self.home in environment and self.argv(directory) == argv:  # else it executed something meanwhile
                        session = int(Path(f"/proc/{directory}/stat").read_bytes().rpartition(b")")[2].split()[3])
                        self.seen.add(Seen(session, argv, environment))
        self.looks += 1

    def argv(self, process: str) -> tuple[bytes, ...]:
        return tuple(Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[:-1])

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        def work() -> None:
            while not self._over.wait(0.001):
                self.look()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def runnable(case: Case, number: int) -> Case:
    """Give the case a program that there is: most names of programs are not found, and then nothing runs."""
    if number % 10 == 0 or os.path.basename(case.argv[0]) in RUNNABLE:
        return case
    return case._replace(argv=[RUNNABLE[number % len(RUNNABLE)], *case.argv])


def git_state(developer: Developer, case: Case, number: int) -> None:
    """A branch, a commit, a tag, a remote and a directory with secrets in their names; stand in that directory."""
    top = developer.project_file.parent
    developer.directory = top
    developer.git("checkout", "-q", "-B", f"b{number}-{case.branch}")
    developer.git("commit", "-q", "--allow-empty", "-m", f"{case.branch} {MARK}")
    developer.git("tag", "-f", f"t{number}-{case.branch}")
    developer.git("remote", "add", f"r{number}-{case.branch}", f"https://user:{MARK}@{MARK}.example/{case.branch}.git")
    place = os.fsencode(top) + b"/" + case.place.replace(b"..", b"_").lstrip(b"-")[:100]
    with contextlib.suppress(FileExistsError):
        os.mkdir(place)
    developer.directory = Path(os.fsdecode(place))


def leaks_nothing(developer: Developer, server: Recorder, runs: int) -> None:
    developer.git("init", "-q")
    (developer.directory / "Makefile").write_text(MAKEFILE)
    developer.edit(names=NAMES, fields={"git_checked_out_master": True}).opt_in("yes")
    top, spool, maker, pattern = developer.directory, developer.spool, Maker(runs), traces(MARK)
    watcher = Watcher(developer.home)
    with watcher.at_work():
        for number in range(runs):
            case = runnable(maker.case(), number)
            if number % 10 == 0:
                developer.directory = top
                git_state(developer, case, number)
                os.utime(spool / "next", (0, 0))
            named = ["--name", case.name.encode("utf-8", "surrogateescape")] if case.name else []
            env = {os.fsdecode(key): os.fsdecode(value) for key, value in case.env.items()}
            # in our session: what is in another one is a helper
            developer.execute(developer.command, "run", *named, "--", *case.argv, env=env, start_new_session=False)
        assert eventually(lambda: not [path for path in (spool / "run").glob("*.git") if path.stat().st_size == 0], PATIENCE)
    developer.directory = top
    assert watcher.looks > runs // 10
    shows_nothing(watcher)
    pending = developer.innerloop("show", "pending").out
    assert developer.flush("--timeout", "60", timeout=90).status == 0
    assert len(server.events) > runs * 0.6
    assert developer.ledger()["acknowledged"] == developer.ledger()["recorded"] == len(server.events)
    found = [line for line in (*server.bytes.splitlines(), *pending.encode().splitlines()) if pattern.search(line)]
    assert found == []
    names = {event["properties"]["command"] for event in server.events}
    assert all(map(holds_listed_name, names))
    assert len(names) > 3
    for request in server.requests:
        assert pattern.search(request.head) is None


def shows_nothing(watcher: Watcher) -> None:
    """Who showed a secret: nobody but the command and what is above it."""
    pattern, ours = traces(MARK), os.getsid(0)
    senders = [one for one in watcher.seen if one.is_sender]
    detached = [one for one in watcher.seen if one.session != ours and not one.is_sender and not one.is_launcher]
    assert senders != []
    assert detached != [], "git was never seen at work"
    assert [one for one in senders if pattern.search(b"\0".join(one.argv) + one.environment)] == []
    assert [one for one in detached if pattern.search(b"\0".join(one.argv) + one.environment)] == []
    assert {os.path.basename(one.argv[0]) for one in detached if one.argv} <= {b"sh", b"git", b"sleep"}
    keys = {entry.partition(b"=")[0] for one in senders for entry in one.environment.split(b"\0") if entry}
    assert keys <= {b"HOME", b"PATH"}


def test_no_canary_of_60_runs_is_on_the_wire_or_in_another_process(developer: Developer, server: Recorder) -> None:
    leaks_nothing(developer, server, 60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_canary_of_2000_runs_is_on_the_wire_or_in_another_process(developer: Developer, server: Recorder) -> None:
    leaks_nothing(developer, server, 2000)


FACTS = ["name build", "type secret", "actor secret", "test secret", "serial 0", "mode local", "end 9 1 2"]


@pytest.mark.parametrize("facts", [["test secret"], FACTS], ids=["one", "all"])
@pytest.mark.parametrize("end", ["\r", "\n", "\x85", "\u2028"])
def test_no_directorys_name_is_taken_for_facts(agreed: Developer, server: Recorder, facts: list[str], end: str) -> None:
    """A record is read in lines; a path may hold whatever ends a line somewhere."""
    agreed.project(directory=end.join(["shop", *facts, "x"]))
    agreed.run("make", "test")
    assert agreed.flush().status == 0
    (event,) = server.events
    found = {key: event["properties"][key] for key in ("command", "command_type", "actor", "is_test", "exit_status")}
    assert found == {"command": "test", "command_type": "make", "actor": "human", "is_test": "no", "exit_status": 0}


def test_no_answer_names_the_machine_or_its_user(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test", env={"USER": "secretuser", "LOGNAME": "secretuser", "HOSTNAME": "secrethost", "EMAIL": "secret@example"})
    agreed.flush()
    host = agreed.execute("uname", "-n").out.strip()
    for needle in ("secret", host, str(agreed.home), "Europe/", "UTC+", agreed.execute("uname", "-r").out.strip()):
        assert needle.encode() not in server.bytes, needle
