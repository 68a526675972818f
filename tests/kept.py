"""A target log whose run goes on: what a launcher does for a make, done by a test."""

import fcntl
import os
import struct
from pathlib import Path


def keep(log: Path) -> int:
    """Lock a log as a launcher does, until the descriptor that is returned is closed.

    The lock belongs to the descriptor, not to this process: a test that reads the log does not give it up.
    """
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return descriptor


def member(log: Path) -> str:
    """The variable that makes whatever this process starts a member of the run that the log belongs to."""
    return f"{os.getpid()}:{log}"
