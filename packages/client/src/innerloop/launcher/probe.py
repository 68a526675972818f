"""Let make show its targets: what a measured make finds in its environment, and the log that is filled by the probe.

    MAKEFILES=PROBE/probe.mk    make reads it before any other file (GNU make manual, "The Variable MAKEFILES")
    __innerloop=:LOG            the run's target log; nested makes find the id of the recipe line above them before the colon

Nothing here may hold make up or make it fail: whatever is missing, make runs as it would without us. May import: posix.
"""

import posix

MAKES = (b"make", b"gmake")
MAKEFILES, VARIABLE = b"MAKEFILES", b"__innerloop"
OFF = b"INNERLOOP_PROBE"  # set to `off`, runs are measured as a whole and make is left alone
NEW_LOG = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC | posix.O_NOFOLLOW


def is_make(argv: "list[bytes]") -> bool:
    """Tell whether a command is GNU make by its name."""
    return argv[0][argv[0].rfind(b"/") + 1 :] in MAKES


def begin_log(probe: bytes, spool: bytes, run_id: bytes, env: "dict[bytes, bytes]") -> bytes:
    """Make a run's empty target log and return its path, or b"" where targets cannot be seen: make is then left alone.

    `probe` is the directory that the hot file names. access(2) also notices a file system that is mounted noexec.
    """
    log = b"%s/targets/%s" % (spool, run_id)
    if not probe or env.get(OFF, b"").lower() in (b"off", b"0", b"no", b"false") or not plain(log):
        return b""
    try:
        if not posix.access(probe + b"/sh", posix.X_OK) or not posix.access(probe + b"/probe.mk", posix.R_OK):
            return b""
        posix.close(posix.open(log, NEW_LOG, 0o600))
    except OSError:
        return b""
    return log


def plain(path: bytes) -> bool:
    """Tell whether make can name a path: it ends words at blanks and expands dollar signs."""
    for byte in path:
        if byte <= 32 or byte in b"$#%:\\":
            return False
    return True


def environment(env: "dict[bytes, bytes]", probe: bytes, log: bytes) -> "dict[bytes, bytes]":
    """The environment of a make whose targets are seen. Files that MAKEFILES names already are read after ours."""
    before = env.get(MAKEFILES, b"")
    makefiles = probe + b"/probe.mk"
    return {**env, MAKEFILES: makefiles + b" " + before if before else makefiles, VARIABLE: b":" + log}
