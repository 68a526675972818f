"""What strace saw of one process and of those that it started."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.transparency.stage import Stage

_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)")
SPAWNING = ("clone", "clone3", "fork", "vfork")
SYNCING = ("fsync", "fdatasync", "sync", "syncfs", "msync", "sync_file_range")
TALKING = ("socket", "connect", "bind", "sendto", "sendmsg", "recvfrom", "recvmsg", "socketpair")


class Call(NamedTuple):
    """A system call; one that strace shows in two halves is one call."""

    pid: int
    name: str
    text: str  # arguments and result, as far as they are on its lines


class Trace:
    """The system calls of a command line, in the order in which they began."""

    def __init__(self, stage: Stage, strace: str, *command: str) -> None:
        file = stage.scratch / "trace"
        self.ended = stage.run(strace, "-f", "-qq", "-s", "200", "-o", str(file), *stage.prefix, *command, wrapped=False)
        self.calls: list[Call] = []
        open_at: dict[int, int] = {}
        for line in _whole(file).splitlines():
            match = _LINE.match(line)
            if not match:
                continue
            pid, name, text = int(match[1]), match[2], match[3]
            if "<... " in line and pid in open_at:
                at = open_at.pop(pid)
                self.calls[at] = self.calls[at]._replace(text=self.calls[at].text + text)
            else:
                self.calls.append(Call(pid, name, text))
                if text.endswith("<unfinished ...>"):
                    open_at[pid] = len(self.calls) - 1
        self.launcher = self.calls[0].pid

    def of_launcher(self) -> list[Call]:
        """The calls of the process that the developer started."""
        return [call for call in self.calls if call.pid == self.launcher]

    def after_the_reap(self) -> list[Call]:
        """The launcher's calls after it learnt how the command ended."""
        own = self.of_launcher()
        child = next(int(call.text.rpartition("= ")[2]) for call in own if call.name in SPAWNING)
        reaped = max(index for index, call in enumerate(own) if call.name in ("wait4", "waitid") and call.text.endswith(f"= {child}"))
        return own[reaped + 1 :]

    def executed(self) -> list[Call]:
        """Every program that was started, in whichever process."""
        return [call for call in self.calls if call.name in ("execve", "execveat") and call.text.endswith("= 0")]


def _whole(file: Path) -> str:
    return file.read_text(errors="replace")


def modules_at_the_spawn(stage: Stage, start: Path, python: Path) -> list[str]:
    """The modules that the launcher had loaded when it started the command."""
    code = f"""
import posix, sys
def show(*_, **__):
    posix.write(1, " ".join(sorted(sys.modules)).encode())
    posix._exit(0)
posix.posix_spawn = posix.posix_spawnp = posix.fork = posix.execve = posix.execv = show
sys.argv = [{str(start)!r}, "run", "--", "true"]
exec(compile(open({str(start)!r}, "rb").read(), {str(start)!r}, "exec"), {{"__name__": "__main__", "__file__": {str(start)!r}}})
"""
    return _modules(stage, python, code)


def modules_of_a_bare_interpreter(stage: Stage, python: Path) -> list[str]:
    """The modules that `python -I -S` loads anyway."""
    return _modules(stage, python, "import posix, sys; posix.write(1, ' '.join(sorted(sys.modules)).encode())")


def _modules(stage: Stage, python: Path, code: str) -> list[str]:
    done = subprocess.run([python, "-I", "-S", "-c", code], cwd=stage.cwd, env=stage.env, capture_output=True, text=True, check=True)
    return done.stdout.split()
