"""Leave no process behind, not even one that outlived the command that started it.

A delivery is detached from the developer's command on purpose. On Linux the demo becomes the process that inherits such
orphans, so that it can wait for them before it removes their files. Elsewhere it can only wait a moment.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> bool:
    """Become the parent of every process that loses its own from now on. False: this system cannot do that."""
    if not sys.platform.startswith("linux"):
        return False
    with contextlib.suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    return False


def wait(timeout: float) -> None:
    """Wait until no child is left; end those that stay too long."""
    deadline = time.monotonic() + timeout
    while _any_left():
        late = time.monotonic() - deadline
        if late > 0:
            _signal_children(signal.SIGKILL if late > 1 else signal.SIGTERM)
        time.sleep(0.05)


def _any_left() -> bool:
    """Reap who has ended, and tell whether somebody has not."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def _signal_children(number: int) -> None:
    try:
        with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children", encoding="ascii") as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)
