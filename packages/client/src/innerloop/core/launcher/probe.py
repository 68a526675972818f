"""Let make show its targets: what a measured make finds in its environment, and the log that is filled by the probe.

    MAKEFILES=PROBE/probe.mk    make reads it before any other file (GNU make manual, "The Variable MAKEFILES")
    __innerloop=MEMBER:LOG      the run's target log; MEMBER is the process by which a make belongs to the run: this one, the
                                make that was attached to, or, for nested makes, the id of the recipe line above them

Variables outlive runs: in a tmux that a recipe started, in an IDE, in a container. So a make is a member only where that process is
itself or above it, and while the run lives: until its keeper, who locks the log, has ended.

Nothing here may hold make up or make it fail: whatever is missing, make runs as it would without us.
"""

import posix

MAKEFILES, VARIABLE = b"MAKEFILES", b"__innerloop"
OFF = b"INNERLOOP_PROBE"  # set to `off`, runs are measured as a whole and make is left alone
ROOM = 256 << 10  # bytes that execve(2) must have left: a recipe line (128 KB) and what the probe tells of it are to fit
NEW_LOG = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC | posix.O_NOFOLLOW


def begin_log(probe: bytes, spool: bytes, run_id: bytes, env: "dict[bytes, bytes]") -> bytes:
    """Make a run's empty target log and return its path, or b"" where targets cannot be seen: make is then left alone.

    `probe` is the directory that the hot file names. access(2) also notices a file system that is mounted noexec.
    """
    log = b"%s/targets/%s" % (spool, run_id)
    if not probe or env.get(OFF, b"").lower() in (b"off", b"0", b"no", b"false") or not plain(log) or not has_room(env):
        return b""
    try:
        if not posix.access(probe + b"/sh", posix.X_OK) or not posix.access(probe + b"/probe.mk", posix.R_OK):
            return b""
        posix.close(posix.open(log, NEW_LOG, 0o600))
    except OSError:
        return b""
    return log


def hold(log: bytes) -> int:
    """Lock a log, so that recipe lines are written into it until this process ends, and return the descriptor that must stay open.

    Raises OSError where the file system has no locks: nothing is written into the log then.
    """
    descriptor = posix.open(log, posix.O_WRONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    posix.lockf(descriptor, posix.F_TLOCK, 0)
    return descriptor


def has_room(env: "dict[bytes, bytes]") -> bool:
    """Tell whether execve(2) takes an environment, what the probe adds to it, and a recipe line as long as any may be."""
    size = sum([len(key) + len(value) + 10 for key, value in env.items()])  # with `=`, the end, and a pointer
    return size + ROOM <= posix.sysconf("SC_ARG_MAX")


def member(pid: int, log: bytes) -> bytes:
    """What makes a make a member of a run, below a process or as it."""
    return b"%d:%s" % (pid, log)


def plain(path: bytes) -> bool:
    """Tell whether make can name a path: it ends words at blanks and expands dollar signs."""
    return not any(byte <= 32 or byte in b"$#%:\\" for byte in path)


def environment(env: "dict[bytes, bytes]", probe: bytes, log: bytes) -> "dict[bytes, bytes]":
    """The environment of a make whose targets are seen. Files that MAKEFILES names already are read after ours."""
    makefiles = probe + b"/probe.mk"
    before = b" ".join([b"", *[word for word in env.get(MAKEFILES, b"").split() if word != makefiles]])
    return {**env, MAKEFILES: makefiles + before, VARIABLE: member(posix.getpid(), log)}
