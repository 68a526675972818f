"""Is this command part of a run that is being measured already? Then it is no run of its own: minutes count once.

A record names the process that its run is: the launcher, or the make that was attached to. Whoever has that process
among its ancestors, while the record is locked and so its keeper alive, belongs to that run. What the environment says alone counts for
nothing: variables outlive the run that set them. Where the system has no /proc (macOS, untested) nothing is found, and a script's
measured commands count beside the script.
"""

import posix
import time

from innerloop.core.launcher import record
from innerloop.core.shared import processes

BEGUN_WITHIN = 0.5  # s in which a launcher, or a watcher, is expected to have begun its record


def outer(spool: bytes, pid: int, late: bool = False) -> bytes:
    """The id of the live run that a process or one of its ancestors is, or b"". Raises nothing.

    `late`: both asked the sources for their answer, so a launcher above us may not have begun its record yet.
    """
    until = time.monotonic() + BEGUN_WITHIN
    while True:
        found = _outer(spool, pid)
        if found or not late or time.monotonic() > until or not launched(pid):
            return found
        time.sleep(0.005)


def _outer(spool: bytes, pid: int) -> bytes:
    try:
        runs = posix.listdir(spool + b"/run")
    except OSError:
        return b""
    known = {}
    for run_id in runs:
        if len(run_id) == 36:  # a record names its process in a line of its own
            known.update({line: run_id for line in processes.read(spool + b"/run/" + run_id).split(b"\n") if line.startswith(b"pid ")})
    if not known:
        return b""  # nearly always
    here = record.namespace()
    for one in processes.lineage(pid):
        run_id = known.get(b"pid %d %s" % (one, here), b"")
        if run_id and is_held(spool + b"/run/" + run_id):
            return run_id
    return b""


def is_member(variable: bytes, spool: bytes, pid: int) -> bool:
    """Whether a process belongs to the run of this spool that a make's variable names (see `probe`)."""
    first, _, log = variable.partition(b":")
    directory, _, run_id = log.rpartition(b"/")
    above = processes.lineage(pid)
    if directory != spool + b"/targets" or not (is_held(log) or is_held(spool + b"/run/" + run_id)):
        return False
    return len(above) < 2 or first.partition(b"-")[0] in [b"%d" % one for one in above]


def launched(pid: int) -> bool:
    """Tell whether a process has a launcher of ours above it, which then measures: otherwise it would have become its command."""
    for one in processes.lineage(pid):
        words = processes.read(b"/proc/%d/cmdline" % one).split(b"\0")
        for place, word in enumerate(words[:-1]):
            if word.endswith((b"/innerloop/start.py", b"innerloop.pyz")) and words[place + 1] in (b"run", b"wrap"):
                return True
    return False


def is_held(path: bytes) -> bool:
    """Tell whether somebody else holds the lock of a record: a killed launcher's record holds nobody back."""
    try:
        descriptor = posix.open(path, posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    except OSError:
        return False
    try:
        posix.lockf(descriptor, posix.F_TEST, 0)
    except OSError:
        return True
    finally:
        posix.close(descriptor)
    return False
