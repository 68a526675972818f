"""A terminal of the demo's own, with one command in it: what a person at a keyboard is to that command.

The command gets a session and a controlling terminal, so that Ctrl-C is a key here too: the kernel turns it into SIGINT
for the whole foreground process group, as it does for a person.
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# Between fork and exec only: take the terminal, undo what Python's start did to two signals, become the command.
_BECOME = (
    "import os, sys, signal; os.login_tty(int(sys.argv[1]));"
    "[signal.signal(s, signal.SIG_DFL) for s in (signal.SIGPIPE, signal.SIGXFSZ)];"
    "os.execvpe(sys.argv[2], sys.argv[2:], os.environ)"
)
CTRL_C = b"\x03"
WIDTH, HEIGHT = 80, 40


class TerminalError(Exception):
    """The command did not do what the person at the terminal waited for."""


class Terminal:
    """One command at a terminal."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
        """Start the command."""
        self.command = command
        self._seen = bytearray()
        self._looked_at = 0
        self._keys, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BECOME, str(slave), *command],
                env=dict(environment), cwd=directory, pass_fds=[slave], stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError:
            os.close(self._keys)
            raise
        finally:
            os.close(slave)

    @property
    def text(self) -> str:
        """Everything that the terminal has shown."""
        return self._seen.decode("utf-8", "replace").replace("\r\n", "\n")

    def wait_for(self, text: str, timeout: float = 20.0) -> None:
        """Read until the terminal shows a text. Raises TerminalError where it does not."""
        deadline = time.monotonic() + timeout
        wanted = text.encode()
        while (found := self._seen.find(wanted, self._looked_at)) < 0:
            if not self._read(deadline - time.monotonic()):
                raise TerminalError(f"`{' '.join(self.command)}` did not show {text!r}. It showed:\n{self.text}")
        self._looked_at = found + len(wanted)

    def type(self, text: str) -> None:
        """Type a line and press Enter."""
        os.write(self._keys, text.encode() + b"\n")

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C."""
        os.write(self._keys, CTRL_C)

    def finish(self, timeout: float = 120.0) -> int:
        """Read to the end. Return the exit status, negative for a signal as `subprocess` does."""
        deadline = time.monotonic() + timeout
        while self._read(min(0.2, deadline - time.monotonic())) or self.process.poll() is None:
            if time.monotonic() > deadline:
                self.close()
                raise TerminalError(f"`{' '.join(self.command)}` did not end within {timeout:.0f} s. It showed:\n{self.text}")
        os.close(self._keys)
        self._keys = -1
        return self.process.wait()

    def close(self) -> None:
        """Hang up, as closing the window does, and wait until the command is gone."""
        if self._keys >= 0:
            os.close(self._keys)
            self._keys = -1
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def _read(self, timeout: float) -> bool:
        """Read what there is. False: nothing came in time, or everybody hung up."""
        if timeout <= 0 or not select.select([self._keys], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self._keys, 65536)
        except OSError:  # EIO: nobody holds the other end any more
            time.sleep(0.005)
            return False
        self._seen += data
        return bool(data)
