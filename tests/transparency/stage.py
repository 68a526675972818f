"""A stage on which a command runs bare or through a wrapper, and what anybody outside of it can see."""

import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import pexpect

PATIENCE = 15  # seconds until something counts as hanging
HANGS = "hangs"
PROMPT = r"\[status (\d+)\]"


class Ended(NamedTuple):
    """How a command ended, as its parent sees it; the status is negative for death by a signal."""

    status: int
    out: bytes
    err: bytes


class Running:
    """A command under way, with its own session, whose output can be waited for."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.pid = process.pid
        self.out = b""

    def see(self, text: bytes) -> None:
        """Wait until the command printed this."""
        assert self.process.stdout is not None
        until = time.monotonic() + PATIENCE
        while text not in self.out:
            if not select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]:
                raise subprocess.TimeoutExpired(self.process.args, PATIENCE)
            piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, f"it ended after {self.out!r}"
            self.out += piece

    def end(self, timeout: float = PATIENCE) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=timeout)
        return Ended(self.process.returncode, self.out + out, err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        if self.process.poll() is None:
            _kill_session(self.pid)
            self.process.wait()


def _kill_session(leader: int) -> None:
    """End what a scenario started: the processes of its own session, and no others."""
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(") ")[2].split() if entry.name.isdigit() else []
            if len(fields) > 3 and int(fields[3]) == leader:
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


class Stage:
    """One way of running commands: what stands before each, where, and in which environment."""

    def __init__(self, name: str, prefix: Sequence[str], cwd: Path, env: dict[str, str], scratch: Path) -> None:
        self.name = name
        self.prefix = list(prefix)
        self.cwd = cwd
        self.env = env
        self.scratch = scratch
        scratch.mkdir(parents=True, exist_ok=True)

    def run(self, *command: "str | bytes", stdin: "bytes | int" = b"", **options: Any) -> Ended:
        """Run a command to its end."""
        data, stdin = (stdin, subprocess.PIPE) if isinstance(stdin, bytes) else (None, stdin)
        with self.start(*command, stdin=stdin, **options) as running:
            out, err = running.process.communicate(data, timeout=PATIENCE)
            return Ended(running.process.returncode, out, err)

    def start(self, *command: "str | bytes", wrapped: bool = True, **options: Any) -> Running:
        """Start a command in a session of its own."""
        chosen: dict[str, object] = {
            "cwd": self.cwd, "env": self.env, "start_new_session": True,
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
        }  # fmt: skip
        argv = [*self.prefix, *command] if wrapped else list(command)
        return Running(subprocess.Popen(argv, **(chosen | options)))  # type: ignore[call-overload]

    def shell(self, script: str, shell: str = "bash", **options: Any) -> Ended:
        """Run a script of a shell, in which $W stands before the commands that are wrapped."""
        return self.run(shell, "-c", f"W={shlex.quote(self.words)}\n{script}", wrapped=False, **options)

    @property
    def words(self) -> str:
        """What stands before a command, for a shell's command line."""
        return " ".join(self.prefix)

    def terminal(self) -> "Terminal":
        """Open a terminal with an interactive bash."""
        return Terminal(self)


class Terminal:
    """A pseudo-terminal with an interactive bash, used as a person would."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.child: Any = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile", "--noediting", "-i"],
            cwd=str(stage.cwd), env=stage.env | {"PS1": ""}, timeout=PATIENCE, encoding="utf-8", echo=False, dimensions=(24, 300),
        )  # fmt: skip
        self.child.delaybeforesend = None
        self.type("ulimit -c 0; PS1='[status $?]'")
        self.prompt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _kill_session(self.child.pid)
        if not self.child.ptyproc.closed:
            self.child.close(force=True)
        elif self.child.isalive():
            self.child.wait()

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        self.child.ptyproc.fileobj.close()
        self.child.ptyproc.closed = self.child.closed = True

    def type(self, line: str) -> None:
        """Type a line; $W in it stands before the commands that are wrapped."""
        self.child.sendline(line.replace("$W ", f"{self.stage.words} ".lstrip()))

    def press(self, key: str, after: float = 0.1) -> None:
        """Press a key together with Ctrl, when what was just printed has settled (a shell may be between two programs)."""
        time.sleep(after)
        self.child.sendcontrol(key)

    def see(self, pattern: str) -> str:
        """Wait until a line or prompt appears; return what stood before it."""
        self.child.expect(pattern)
        return str(self.child.before)

    def prompt(self) -> int:
        """Wait until the shell has control; return the status of the last command."""
        self.see(PROMPT)
        match = self.child.match
        assert match is not None
        return int(match.group(1))

    def answer(self, line: str) -> tuple[int, list[str]]:
        """Type a line, wait for the prompt; return the status and the words that were printed."""
        self.type(line)
        status = self.prompt()
        return status, str(self.child.before).split()


Scenario = Callable[[Stage], object]


class Matrix:
    """The scenarios of one kind, by the promise that each one tests."""

    def __init__(self) -> None:
        self.rows: dict[str, Scenario] = {}

    def row(self, scenario: Scenario) -> Scenario:
        """Register a scenario; its name is the promise."""
        self.rows[scenario.__name__] = scenario
        return scenario


def observe(scenario: Scenario, stage: Stage) -> object:
    """Play a scenario. Where it hangs or breaks off, that is the observation."""
    try:
        return scenario(stage)
    except (subprocess.TimeoutExpired, pexpect.TIMEOUT):
        return HANGS
    except (pexpect.EOF, AssertionError, ValueError, IndexError, OSError) as error:
        return f"breaks off: {str(error)[:200]}"


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something is so; tell whether it ever was."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
