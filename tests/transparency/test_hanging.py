"""A home that does not answer: on a network whose server is gone, or behind a file system that stopped.

A real file system in user space (bindfs) is stopped with SIGSTOP, in a mount namespace of its own. Then every access to
the developer's home hangs, as on a hard NFS mount.
"""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pexpect
import pytest

from tests.conftest import Installed
from tests.needs import need
from tests.transparency.developer import Developer
from tests.transparency.stage import eventually

COMMAND = "echo out; echo err >&2; cat; exit 7"
LONGEST = 2.5  # s that the slowest of these commands may take more than bare, on a busy machine; without protection it is for ever
GIVEN_UP = 20  # s until something counts as hanging
MOUNT = """
bindfs -f -o attr_timeout=0,entry_timeout=0,negative_timeout=0 "$1" "$2" & echo $! >"$3"
i=0; until mountpoint -q "$2"; do i=$((i+1)); [ $i -lt 200 ] || exit 99; sleep 0.05; done
shift 3
exec "$@"
"""


class Seen(NamedTuple):
    """What anybody could see of a command."""

    status: int
    out: bytes
    err: bytes
    seconds: float


class Home:
    """A mount namespace in which the developer's home is behind a program, and a shell in it."""

    def __init__(self, developer: Developer, innerloop: Path) -> None:
        self.developer = developer
        self.innerloop = innerloop  # the real file: a link in a home that hangs would hang for every shell
        self.pid_file = developer.home.parent / "bindfs.pid"
        real = developer.home.parent / "real-home"
        developer.home.rename(real)
        developer.home.mkdir()
        words = ["unshare", "--mount", "sh", "-ec", MOUNT, "sh", str(real), str(developer.home), str(self.pid_file)]
        self.namespace = subprocess.Popen([*words, "sleep", "600"], stdin=subprocess.DEVNULL, start_new_session=True)
        assert eventually(lambda: self.namespace.poll() is not None or self.in_place()), "the file system did not start"
        assert self.namespace.poll() is None

    def in_place(self) -> bool:
        mounts = Path(f"/proc/{self.namespace.pid}/mountinfo").read_text()
        return f" {self.developer.home} " in mounts and Path(f"/proc/{self.namespace.pid}/comm").read_text() == "sleep\n"

    @property
    def program(self) -> int:
        return int(self.pid_file.read_text())

    def stop(self) -> None:
        os.kill(self.program, 19)

    def go_on(self) -> None:
        os.kill(self.program, 18)

    def inside(self, *words: str, **options: Any) -> Seen:
        """Run a command in the namespace, to its end."""
        started = time.monotonic()
        enter = ["nsenter", "--mount", f"--target={self.namespace.pid}", f"--wd={self.developer.project}"]
        chosen: dict[str, Any] = {"input": b"in", "env": self.developer.env, "timeout": GIVEN_UP} | options
        # A request that the program had taken when it was stopped cannot even be killed: it must go on, or we would wait for ever.
        rescue = threading.Timer(GIVEN_UP + 1, self.go_on)
        rescue.start()
        try:
            done = subprocess.run([*enter, *words], capture_output=True, check=False, **chosen)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"it hangs: {GIVEN_UP} s were not enough") from error
        finally:
            rescue.cancel()
        return Seen(done.returncode, done.stdout, done.stderr, time.monotonic() - started)

    def measured(self, *words: str, **options: Any) -> Seen:
        return self.inside(str(self.innerloop), "run", "--", *words, **options)

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = json.loads(self.inside(str(self.innerloop), "doctor", "--json").out)["ledger"]
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.program, 9)
        self.namespace.kill()
        self.namespace.wait()


@pytest.fixture
def behind_a_program(hire: Callable[..., Developer], installed: Installed) -> Iterator[Callable[[str], Home]]:
    """Put the home of somebody who answered (or not) behind a program."""
    need("bindfs")
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("needs root and /dev/fuse: a home that hangs was not tried")
    homes = []

    def make(answered: str) -> Home:
        homes.append(Home(hire(answered), installed.directory / "client" / "bin" / "innerloop"))
        return homes[-1]

    yield make
    for home in homes:
        home.__exit__()


def same(bare: Seen, seen: Seen) -> None:
    assert bare[:3] == seen[:3]
    assert seen.seconds < bare.seconds + LONGEST


@pytest.mark.parametrize("answered", ["yes", "no", ""])
def test_a_home_that_hangs_before_the_start_holds_up_no_command(answered: str, behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program(answered)
    home.stop()

    same(home.inside("sh", "-c", COMMAND), home.measured("sh", "-c", COMMAND))
    same(home.inside("sh", "-c", "kill -TERM $$"), home.measured("sh", "-c", "kill -TERM $$"))


def noted(home: Home) -> int:
    """Measure a command until one is recorded: a busy machine may be slower than the launcher waits. Returns how many there are."""
    assert eventually(lambda: home.measured("true").status == 0 and home.ledger()["recorded"] > 0)
    return int(home.ledger()["recorded"])


@pytest.mark.parametrize("then", ["sleep 0.4", ":"])
def test_a_home_that_hangs_while_a_command_runs_does_not_hold_up_its_end(then: str, behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program("yes")
    before = noted(home)
    script = f"sleep 0.4; kill -STOP {home.program}; {then}; {COMMAND}"
    bare = home.inside("sh", "-c", script)
    home.go_on()
    seen = home.measured("sh", "-c", script)
    home.go_on()

    same(bare, seen)
    ledger = home.ledger()
    assert ledger["adds_up"]
    assert ledger["recorded"] - before in (0, 1), "on a busy machine even the start may be too slow to be noted"
    assert ledger["recorded"] - before == ledger["unfinished"]


def test_a_home_behind_a_program_that_works_is_measured(behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program("yes")
    bare, seen = home.inside("sh", "-c", COMMAND), home.measured("sh", "-c", COMMAND)

    same(bare, seen)
    assert 1 <= noted(home) == home.ledger()["queued"]


def test_somebody_whose_home_was_slow_once_is_measured_again(behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program("yes")
    home.stop()
    home.measured("true")
    assert 0 == len(list((home.developer.home.parent / "real-home").rglob("recorded")))
    home.go_on()

    assert 1 <= noted(home)


def test_a_home_that_hangs_is_noticed_at_opt_in_and_explained_by_doctor(behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program("")
    home.stop()
    for words in (["opt-in"], ["doctor"], ["status"]):
        seen = home.inside(str(home.innerloop), *words)

        assert (1, b"") == (seen.status, seen.out)
        assert 1 == seen.err.count(b"\n")
        assert b"did not answer within 3 s" in seen.err


def test_a_home_that_may_hang_is_named_by_doctor(behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program("yes")

    assert b"state directory it is on fuse" in home.inside(str(home.innerloop), "doctor").out


def test_who_agrees_with_a_home_that_may_hang_is_told_so(behind_a_program: Callable[[str], Home]) -> None:
    home = behind_a_program("")
    shell = f"cd {home.developer.project} && exec nsenter --mount --target={home.namespace.pid} --wd={home.developer.project} {home.innerloop} opt-in"
    child = pexpect.spawn("sh", ["-c", shell], env=home.developer.env, encoding="utf-8", timeout=GIVEN_UP)
    child.expect(r"Your answer \(Enter: not now\): ")
    child.sendline("yes")
    child.expect(pexpect.EOF)
    child.close()

    assert 0 == child.exitstatus
    assert "may hang (fuse" in child.before
