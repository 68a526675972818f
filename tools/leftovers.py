"""Run a command as the ancestor of everything that it starts, and fail it for whatever it leaves running.

usage: leftovers.py COMMAND [ARGUMENT...]

On Linux this process inherits every process below it that loses its parent, as init does elsewhere, detached or not: so
nothing gets away unseen. It is itself a child of init: below `make test` everything would have a make above it, which is one
of the things that the tests are about. When the command has ended, what still runs has some seconds to end by itself. Whoever does not is
named, with the test that it seems to belong to, and ended. The exit status is the command's, or 99 where something was left.
"""

import ctypes
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

LEFT = 99  # not a status of pytest's: a second try of what failed must not make up for it
PATIENCE = 75.0  # s: a delivery that a test let go of may be on its way, and ends by itself within a minute
_PR_SET_CHILD_SUBREAPER = 36
_FOR_THE_COMMAND = {signal.SIGTERM, signal.SIGHUP}
# what tells the worker and the test: their temporary directory, or what pytest itself leaves in the environment
_TEST = re.compile(rb"PYTEST_CURRENT_TEST=([^\0]+)")
_PLACE = re.compile(rb"/(?:pytest-\d+|popen-(gw\d+))/(test_[^/\0\s]+)")


def main(command: Sequence[str], mask: Iterable[int] = ()) -> int:
    """Run it, with this mask of signals. Ctrl-C is the command's business: it reaches the whole foreground group anyway."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = _start(command, mask)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for number in _FOR_THE_COMMAND:
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    status = _wait_for(child)
    left = _left(PATIENCE)
    if not left:
        return status
    print(f"leftovers: {len(left)} processes were still running {PATIENCE:.0f} s after the end, which fails this run:", file=sys.stderr)
    for process in left:
        print(f"  {process}: {describe(process)}", file=sys.stderr)
    _end()
    return LEFT


def describe(process: int) -> str:
    """Say what a process is, and which test of which worker of pytest it seems to belong to."""
    kept = [_read(process, name) for name in ("cmdline", "environ")] + [_link(process, "cwd")]
    command = kept[0].replace(b"\0", b" ").decode(errors="replace").strip()[:200]
    return f"{command or _read(process, 'comm').decode(errors='replace').strip()}  [{_owner(b' '.join(kept))}]"


def _owner(text: bytes) -> str:
    for pattern in (_PLACE, _TEST):
        if found := list(pattern.finditer(text)):
            return " ".join(part.decode(errors="replace") for part in found[-1].groups() if part)
    return "no sign of its test"


def _start(command: Sequence[str], mask: Iterable[int]) -> int:
    try:
        return os.posix_spawnp(command[0], list(command), os.environ, setsigmask=mask)
    except OSError as error:
        sys.exit(f"leftovers: {command[0]}: {error.strerror}")


def _wait_for(child: int) -> int:
    """Reap everybody who ends, until the command does. Return its status as a shell would."""
    while True:
        process, status = os.waitpid(-1, 0)
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _left(patience: float) -> list[int]:
    """Tell who is still there, with a while to go."""
    deadline = time.monotonic() + patience
    while (below := _below()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return below


def _end() -> None:
    """End them all, and whoever they start meanwhile."""
    while below := _below():
        for process in below:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def _below() -> list[int]:
    """Reap who has ended, and list every process below this one."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        fields = _read(int(path.name), "stat").rpartition(b")")[2].split()
        if fields and fields[0] != b"Z":
            parents[int(path.name)] = int(fields[1])
    below = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in below} - below:
        below |= more
    return sorted(below - {os.getpid()})


def _read(process: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""


def _link(process: int, name: str) -> bytes:
    try:
        return os.fsencode(os.readlink(f"/proc/{process}/{name}"))
    except OSError:
        return b""


def apart(command: Sequence[str]) -> int:
    """Run it below none of the caller's ancestors, and wait for it. The group stays the same, so Ctrl-C reaches it."""
    mine, its = os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_COMMAND)  # none is lost before it can be passed on
    first = os.fork()
    if first == 0:
        between = os.getpid()
        if os.fork():
            os._exit(0)
        while os.getppid() == between:
            time.sleep(0.001)
        os.write(its, b"%d\n" % os.getpid())
        status = main(command, before)
        sys.stderr.flush()
        os.write(its, b"%d\n" % status)
        os._exit(status)
    os.close(its)
    os.waitpid(first, 0)
    told = os.fdopen(mine)
    process = int(told.readline())
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for number in _FOR_THE_COMMAND:
        signal.signal(number, lambda number, _frame: os.kill(process, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return int(told.readline() or 1)


if __name__ == "__main__":
    sys.exit(apart(sys.argv[1:]))
