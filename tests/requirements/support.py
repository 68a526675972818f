"""What the tests of several requirements need: dead networks, senders as /proc shows them, files that are held."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.client.people import Developer, eventually
from tests.transparency.stage import Stage

T = TypeVar("T")


class Network(NamedTuple):
    """A network that is of no use."""

    how: str  # as network.py calls it
    endpoint: str  # an address that it swallows
    words: tuple[str, ...] = ()  # to put before a command that has this network


NETWORKS = {
    "blackholed": Network("blackholed", "http://10.88.0.2:8080"),
    "dead DNS": Network("silent-dns", "http://collector.example:8080"),
    "SYN dropped": Network("drops", "http://127.0.0.1:8080"),
}


class Process(NamedTuple):
    """A process as anybody may see it who may look into /proc."""

    pid: int
    cmdline: bytes
    environ: bytes

    @property
    def directory(self) -> Path:
        return Path(f"/proc/{self.pid}")

    @property
    def session(self) -> int:
        return int(self._stat()[3])

    def age(self) -> float:
        """How long it lives (s); 0 where it is over."""
        try:
            started = int(self._stat()[19]) / os.sysconf("SC_CLK_TCK")
        except OSError:
            return 0.0
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started

    def _stat(self) -> list[str]:
        """The fields of its status after its name."""
        return (self.directory / "stat").read_text().rpartition(") ")[2].split()

    def descriptors(self) -> dict[int, str]:
        """The open descriptors and what they lead to."""
        found = {}
        for entry in (self.directory / "fd").iterdir():
            try:
                found[int(entry.name)] = str(entry.readlink())
            except OSError:
                continue  # closed meanwhile
        return found


def processes(developer: Developer) -> list[Process]:
    """Every process that has this developer's home."""
    mark = f"HOME={developer.home}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environ, cmdline = (directory / "environ").read_bytes(), (directory / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if mark in environ.split(b"\0"):
            found.append(Process(int(directory.name), cmdline, environ))
    return found


def senders(developer: Developer) -> list[Process]:
    """The senders of this developer that are at work."""
    return [one for one in processes(developer) if one.cmdline.rstrip(b"\0").endswith(b"\0deliver")]


def quiet(developer: Developer, seconds: float = 30) -> bool:
    """Wait until no process of this developer's is left, git's helper above all; tell whether that came."""
    return eventually(lambda: not processes(developer), seconds)


def in_time(call: Callable[[], T]) -> T:
    """What a call returns; where it hangs, that is what the test found."""
    try:
        return call()
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"it hangs: {error.timeout} s were not enough") from error


def stage(developer: Developer, *prefix: str | Path, name: str = "measured") -> Stage:
    """A stage on which this developer runs commands through innerloop, or through another prefix."""
    words = [str(word) for word in prefix] or [str(developer.command), "run", "--"]
    env = developer.environment({"PWD": str(developer.directory)})
    return Stage(name, words, developer.directory, env, developer.base / "scratch")


def bare(developer: Developer) -> Stage:
    """A stage on which this developer runs commands without innerloop."""
    return Stage("bare", [], developer.directory, developer.environment(), developer.base / "scratch")


def everything_kept(developer: Developer) -> bytes:
    """Every byte under the developer's home, but for the names that are for their own eyes (`local` lines, the history)."""
    kept = []
    for name, data in developer.files().items():
        if not name.endswith("/history"):
            kept += [line for line in data.split(b"\n") if not line.startswith(b"local ")]
    return b"\n".join(kept)


def old_runs(developer: Developer, count: int) -> list[str]:
    """As if this many runs had been sealed over the last weeks, all of which may leave; their message ids, oldest first."""
    sample = developer.place("sealed")[0].read_text()
    head, event = sample.splitlines()
    known = json.loads(event)["messageId"]
    ids = []
    with (developer.spool / "recorded").open("a") as journal:
        for number in range(count):
            run = f"{number:08x}-0000-4000-8000-000000000000"
            older = json.dumps({**json.loads(head), "release": 1e9 + number})
            path = developer.spool / "sealed" / run
            path.write_text(f"{older}\n{event.replace(known, run)}\n")
            os.utime(path, (time.time() - 60 * 86400 + number,) * 2)
            journal.write(run.replace("-", ""))
            ids.append(run)
    return ids


def modes_below(*tops: Path) -> dict[str, int]:
    """What is under some directories with bits for others than its owner."""
    found = {}
    for top in tops:
        for path in (top, *top.rglob("*")):
            mode = path.lstat().st_mode
            if not path.is_symlink() and mode & 0o077:
                found[str(path)] = mode & 0o777
    return found


def holds_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.readlink(entry) == str(path) for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
