"""Run a command so that nobody can tell the difference: spawn it, wait for it, end as it ended.

The rules are those of docs/transparency.md. In short: descriptors, process group, terminal and environment are
the caller's; signals that the terminal sends reach the child without us; what a process sends to us alone is
passed on, except INT and QUIT; a stopped child stops us; a killed child kills us by the same signal.
"""

import _signal  # type: ignore[import-not-found]
import posix
import time

from innerloop.core.launcher.execute import IGNORED_BY_PYTHON, attempt, complain

TYPE_CHECKING = False  # `typing` costs a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable

RELAYED = tuple(getattr(_signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTSTP"))
# The terminal stops the command; we stop when it did, not before: a full-screen program tidies up first.
STOPPING = (_signal.SIGTTIN, _signal.SIGTTOU)  # and TSTP
WATCHED = (*RELAYED, *STOPPING, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGALRM, _signal.SIGCHLD)
GRACE = 0.05  # seconds: a signal to the whole group has reached the child by then


class Child:
    """The running command: its process id and, once it ended, how."""

    def __init__(self, argv: "list[bytes]", env: "dict[bytes, bytes]") -> None:
        """Spawn the command with an environment. Raises OSError where it cannot be started."""
        ignored = {number for number in WATCHED if _signal.getsignal(number) == _signal.SIG_IGN}
        self.watched = [number for number in WATCHED if number not in ignored or number == _signal.SIGCHLD]
        self.mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, self.watched)
        self.status = 0
        try:
            if _signal.SIGCHLD in ignored:
                _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
                self.pid = attempt(lambda path, words: self._fork(path, words, env), argv, env)
            else:
                self.pid = attempt(lambda path, words: self._spawn(path, words, env), argv, env)
        except OSError:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, self.mask)
            raise

    def _spawn(self, path: bytes, argv: "list[bytes]", env: "dict[bytes, bytes]") -> int:
        return posix.posix_spawn(path, argv, env, setsigmask=self.mask, setsigdef=IGNORED_BY_PYTHON)

    def _fork(self, path: bytes, argv: "list[bytes]", env: "dict[bytes, bytes]") -> int:
        """Fork and exec: posix_spawn cannot give a child an ignored SIGCHLD back."""
        pid = posix.fork()
        if pid:
            return pid
        try:
            for number in IGNORED_BY_PYTHON:
                _signal.signal(number, _signal.SIG_DFL)
            _signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, self.mask)
            posix.execve(path, argv, env)
        except OSError as error:
            posix._exit(complain(argv, error))
        return 0

    def wait(self, others: "Callable[[], None]" = lambda: None) -> None:
        """Stay until the command ended, passing signals on and stopping with it; then `status` tells how it ended.

        `others` is called when some other child of ours may have ended.
        """
        while True:
            number, by_process, sender = self._next_signal()
            if number == _signal.SIGCHLD:
                if self._reap(posix.WNOHANG | posix.WUNTRACED):
                    return
                others()
            elif number == _signal.SIGALRM or (number in RELAYED and by_process and sender != self.pid):
                time.sleep(GRACE)
                if self._reap(posix.WNOHANG | posix.WUNTRACED):
                    return
                self._send(number)

    def _next_signal(self) -> "tuple[int, bool, int]":
        """Wait for a signal: its number, whether a process sent it (not the terminal), and which."""
        if hasattr(_signal, "sigwaitinfo"):
            info = _signal.sigwaitinfo(self.watched)
            return info.si_signo, info.si_code <= 0, info.si_pid
        number = _signal.sigwait(self.watched)  # macOS, untested: who sent it is not known
        return number, number != _signal.SIGTSTP, 0

    def _reap(self, flags: int) -> bool:
        """Look at the child once; tell whether it ended. Stops us where it stopped."""
        pid, status = posix.waitpid(self.pid, flags)
        if pid != self.pid:
            return False
        if posix.WIFSTOPPED(status):
            return self._stop_too(posix.WSTOPSIG(status))
        self.status = status
        return True

    def _stop_too(self, number: int) -> bool:
        """Stop by the signal that stopped the child, unless it goes on already; tell whether it ended meanwhile."""
        time.sleep(0.02)
        pid, status = posix.waitpid(self.pid, posix.WNOHANG | posix.WCONTINUED)
        if pid == self.pid:
            if posix.WIFCONTINUED(status):
                return False
            self.status = status
            return True
        posix.kill(posix.getpid(), number)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])  # here we stop, once, also where the terminal's own is pending
        _signal.pthread_sigmask(_signal.SIG_BLOCK, self.watched)
        self._send(_signal.SIGCONT)
        return False

    def _send(self, number: int) -> None:
        try:
            posix.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def exit_status(self) -> int:
        """The command's exit status, or its signal's number, negative."""
        return posix.waitstatus_to_exitcode(self.status)


def end_like(child: "Child", as_number: bool) -> None:
    """End as the command ended: same status or same signal. Does not return.

    With `as_number` a killed command gives 128 + n instead, as the founding system's `wrap` did.
    """
    status = child.exit_status()
    if status >= 0:
        posix._exit(status)
    number = -status
    if as_number:
        posix._exit(128 + number)
    if posix.WCOREDUMP(child.status):
        import resource  # noqa: PLC0415 (only here: one core file is enough)

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in (_signal.SIGKILL, _signal.SIGSTOP):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])
    posix.kill(posix.getpid(), number)
    posix._exit(128 + number)  # not reached: the signal ended us
