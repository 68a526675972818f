"""What proc(5) says of processes: who is above one, and what it runs. Where the system has none (macOS, untested) nothing is found."""

import posix

DEEPEST = 64  # ancestors that are looked at
HEAD = 4096  # bytes that are read of a file


def below_make(pid: int) -> bool:
    """Whether a make is above a process, as MAKELEVEL says: it says so too in a tmux whose make ended long ago."""
    above = lineage(pid)[1:]
    return not above or any(b"make" in read(b"/proc/%d/comm" % one) for one in above)


def lineage(pid: int) -> "list[int]":
    """A process and its ancestors, itself first (proc(5), stat: the parent's id is the second field after the name)."""
    found: "list[int]" = []
    while pid > 0 and len(found) < DEEPEST:
        found.append(pid)
        fields = read(b"/proc/%d/stat" % pid).rpartition(b") ")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return found


def has_terminal(pid: int) -> bool:
    """Whether a process has a controlling terminal (proc(5), stat: tty_nr is the fifth field after the name)."""
    fields = read(b"/proc/%d/stat" % pid).rpartition(b") ")[2].split()
    return len(fields) > 4 and fields[4] != b"0"


def read(path: bytes) -> bytes:
    """The beginning of a small file, or b""."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return posix.read(descriptor, HEAD)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)
