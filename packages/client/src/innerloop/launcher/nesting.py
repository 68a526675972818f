"""Is this command part of a run that is being measured already? Then it is no run of its own: minutes count once.

A record names the process that its run is: the launcher, or the make that was attached to. Whoever has that process
among its ancestors, while the record is locked and so its keeper alive, belongs to that run. Where the system has no
/proc (macOS, untested) nothing is found, and a script's measured commands count beside the script. May import: posix.
"""

import posix

DEEPEST = 64  # ancestors that are looked at
HEAD = 512  # bytes of a record that hold its line `pid`


def identity(pid: int) -> bytes:
    """What a record says of its process: its id, and the namespace that the id means something in."""
    return b"pid %d %s" % (pid, namespace())


def namespace() -> bytes:
    """The name of our process id namespace, or `-`: in a container that shares the spool the same ids are others."""
    try:
        return posix.readlink(b"/proc/self/ns/pid")
    except OSError:
        return b"-"


def outer(spool: bytes) -> bytes:
    """The id of the live run that this process is part of, or b"". Raises nothing."""
    try:
        runs = posix.listdir(spool + b"/run")
    except OSError:
        return b""
    known = {}
    for run_id in runs:
        if len(run_id) == 36:
            line = pid_line(spool + b"/run/" + run_id)
            if line:
                known[line] = run_id
    if not known:
        return b""  # nearly always
    here = namespace()
    for pid in ancestors():
        run_id = known.get(b"pid %d %s" % (pid, here), b"")
        if run_id and is_held(spool + b"/run/" + run_id):
            return run_id
    return b""


def pid_line(path: bytes) -> bytes:
    """The line of a record that names its process, or b""."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    except OSError:
        return b""
    try:
        data = posix.read(descriptor, HEAD)
    finally:
        posix.close(descriptor)
    for line in data.split(b"\n"):
        if line.startswith(b"pid "):
            return line
    return b""


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


def ancestors() -> "list[int]":
    """Our ancestors' process ids, the nearest first (proc(5), stat: the parent's id is the second field after the name)."""
    found: "list[int]" = []
    pid = posix.getppid()
    while pid > 0 and len(found) < DEEPEST:
        found.append(pid)
        try:
            descriptor = posix.open(b"/proc/%d/stat" % pid, posix.O_RDONLY | posix.O_CLOEXEC)
        except OSError:
            break
        try:
            fields = posix.read(descriptor, 1024).rpartition(b") ")[2].split()
        finally:
            posix.close(descriptor)
        pid = int(fields[1]) if len(fields) > 1 else 0
    return found
