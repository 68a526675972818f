"""Write down one run: a file of its own, made right after the spawn and finished by one write and one rename.

    SPOOL/recorded    32 hex digits for every run that was started: what the ledger counts
    SPOOL/run/ID      the run while it lasts, locked by us, so that a file without a lock is a killed launcher's
    SPOOL/run/ID.git  what git said about the checkout, written by git itself
    SPOOL/new/ID      a finished run
    SPOOL/unrecorded  a page of its own: how many runs found no room on the disk (8 bytes)
    SPOOL/ballast     deleted when the disk is full, to make room for one record
    SPOOL/next        its modification time says when delivery is due

The lock is lockf(3)'s, which `posix` has: importing `fcntl` would cost more than the whole record. The id is random,
never ordered by time. The launcher imports this module when the command runs already.
"""

import posix
import sys

from innerloop.core.shared import environment, git, paths

HEAD = b"innerloop-run 1"
ID_LENGTH = 32
CHANGES = b"innerloop-changes"  # beside the project file
DIRECTORY = posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC
FARTHEST = 3 * 86400  # s that delivery may be told to wait
CLAIMED = 60  # s in which one sender is expected to be at work
NEW = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_APPEND | posix.O_CLOEXEC
# Neither wait for a pipe nor be led elsewhere: a container that shares the spool may be somebody else's.
APPEND = posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_CLOEXEC | posix.O_NONBLOCK | posix.O_NOFOLLOW


def random_id() -> str:
    """A random UUID (version 4), without the uuid module, which costs as much as the interpreter's start."""
    raw = bytearray(posix.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def namespace() -> bytes:
    """The name of our process id namespace, which a record's ids mean something in, or `-`: a container that shares the spool has another."""
    try:
        return posix.readlink(b"/proc/self/ns/pid")
    except OSError:
        return b"-"


class Record:
    """The record of one run."""

    def __init__(self, spool: bytes, facts: "list[bytes]", run_id: bytes = b"") -> None:
        """Begin the record: `facts` are its lines; a run that has a target log has its id already. Raises OSError where that cannot be done."""
        self.id = run_id or random_id().encode()
        self.spool = spool
        self.path = b"%s/run/%s" % (spool, self.id)
        self.descriptor = posix.open(self.path, NEW, 0o600)
        try:
            posix.lockf(self.descriptor, posix.F_TLOCK, 0)
        except OSError:
            pass  # a file system without locks: a killed launcher's record stays unfinished there
        try:
            self._write(b"\n".join([HEAD, *facts, b""]))
            self._note(b"/recorded")
        except OSError:
            posix.unlink(self.path)
            raise

    def _write(self, data: bytes) -> None:
        if posix.write(self.descriptor, data) != len(data):
            raise OSError(28, "short write")

    def finish(self, status: "int | None", awake: int, boot: int) -> None:
        """Add how the run ended (exit status, or minus the signal, None where nobody could read it; ns) and make it ready for delivery."""
        self._write(b"end %s %d %d\n" % (b"-" if status is None else b"%d" % status, awake, boot))
        finished = b"%s/new/%s" % (self.spool, self.id)
        try:
            posix.rename(self.path, finished)
        except FileNotFoundError:  # opt-out took it away before we had locked it
            self._remove()
            raise
        self.path = finished

    def withdraw(self) -> None:
        """Consent changed while the command ran: forget the run, and count that in the ledger."""
        self._note(b"/dropped-withdrawn")
        self._remove()

    def _remove(self) -> None:
        """Delete the record and what git said; whoever left may have been faster."""
        for path in (self.path, b"%s/run/%s.git" % (self.spool, self.id), b"%s/targets/%s" % (self.spool, self.id)):
            try:
                posix.unlink(path)
            except FileNotFoundError:
                pass

    def _note(self, journal: bytes) -> None:
        """Add our id to a journal: 32 bytes, which never cross a page, so that a kill cannot tear them."""
        descriptor = posix.open(self.spool + journal, APPEND, 0o600)
        try:
            if posix.write(descriptor, self.id.replace(b"-", b"")) != ID_LENGTH:
                raise OSError(28, "short write")
        finally:
            posix.close(descriptor)


def changes_held(project_file: bytes, names: "list[str]") -> "list[bytes]":
    """The line that says which of these changes the checkout has; none where that cannot be told.

    Only these names are looked up, in a directory and files that are no links: whatever else is there is not read.
    """
    held = []
    try:
        directory = posix.open(project_file.rpartition(b"/")[0] + b"/" + CHANGES, posix.O_RDONLY | DIRECTORY)
    except FileNotFoundError:
        return [b"changes "]
    except OSError:
        return []
    try:
        for name in names:
            if "/" in name:
                continue  # whoever wrote it
            try:
                found = posix.stat(name + ".toml", dir_fd=directory, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if found.st_mode & 0o170000 == 0o100000:
                held.append(name.encode())
    except OSError:
        return []
    finally:
        posix.close(directory)
    return [b"changes " + b" ".join(held)]


def begin(spool: bytes, facts: "list[bytes]", run_id: bytes = b"") -> "Record | None":
    """Begin a record. On a full disk give up the ballast once, then only count what was lost."""
    for last in (False, True):
        try:
            return Record(spool, facts, run_id)
        except OSError as error:
            if error.errno not in (28, 122) or last:  # ENOSPC, EDQUOT
                break
            try:
                posix.unlink(spool + b"/ballast")
            except OSError:
                break
    count_unrecorded(spool)
    return None


def count_unrecorded(spool: bytes) -> None:
    """Count a run that could not be recorded, in place: that works on a full disk too."""
    try:
        descriptor = posix.open(spool + b"/unrecorded", posix.O_RDWR | posix.O_CLOEXEC | posix.O_NONBLOCK | posix.O_NOFOLLOW)
    except OSError:
        return  # the spool is gone or cannot be written: there is nothing to count in
    try:
        posix.lockf(descriptor, posix.F_TLOCK, 8)
        count = int.from_bytes(posix.pread(descriptor, 8, 0), "little") + 1
        posix.pwrite(descriptor, count.to_bytes(8, "little"), 0)
    except OSError:
        pass
    finally:
        posix.close(descriptor)


def detached(argv: "list[bytes]", env: "dict[bytes, bytes]", output: bytes = b"/dev/null") -> int:
    """Spawn a helper that holds nothing of the developer's: own session, no terminal, no descriptors."""
    actions: "list[tuple[object, ...]]" = [
        (posix.POSIX_SPAWN_OPEN, 0, b"/dev/null", posix.O_RDONLY, 0),
        (posix.POSIX_SPAWN_OPEN, 1, output, posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND, 0o600),
        (posix.POSIX_SPAWN_OPEN, 2, b"/dev/null", posix.O_WRONLY, 0),
    ]
    actions += [(posix.POSIX_SPAWN_CLOSE, number) for number in open_descriptors() if number > 2]
    return posix.posix_spawn(argv[0], argv, env, file_actions=actions, setsid=True, setsigmask=[])


def open_descriptors() -> "list[int]":
    """The numbers of our open descriptors, found among all likely ones where the system does not list them."""
    try:
        likely = [int(name) for name in posix.listdir("/dev/fd")]
    except OSError:
        likely = list(range(256))
    found = []
    for number in likely:
        try:
            posix.fstat(number)
        except OSError:
            continue  # the listing's own, closed by now
        found.append(number)
    return found


def ask_git(record: "Record", home: "paths.Home", project: bytes) -> int:
    """Let git write its facts beside the record. Nobody waits for it. Returns its process id; 0 where there is no git."""
    env = git.environment_in(home, project)
    argv = git.facts(env, project, git.ALONE)
    return detached(argv, env, record.path + b".git") if argv else 0


def delivery_due(spool: bytes, now: float) -> bool:
    """Tell whether the sender is due: one stat(2). If so nobody else finds it due in the next minute.

    The access time 0 tells the sender that the date is such a claim, and no date to wait for.
    """
    try:
        moment = posix.stat(spool + b"/next").st_mtime
        due = moment <= now or moment > now + FARTHEST  # so far away only a clock that was wrong once has put it
        if due:
            posix.utime(spool + b"/next", (0, now + CLAIMED))
    except OSError:
        return False
    return due


def start_delivery(env: "dict[bytes, bytes]", testvar: bytes = b"") -> None:
    """Start the sender. Its arguments say nothing; its environment is cut down to what it needs."""
    start = (
        getattr(globals()["__loader__"], "archive", "") or __file__[: -len("core/launcher/record.py")] + "start.py"
    )  # innerloop.pyz starts as a whole
    wanted = (*SENDER_ENVIRONMENT, environment.CI_ALLOWED, testvar)
    keep = {key: value for key, value in env.items() if key in wanted or key.lower().endswith(b"_proxy")}
    if environment.actor(env) == "ci":
        keep[b"CI"] = b"1"  # whatever said so
    detached([sys.executable.encode(), b"-I", b"-S", start.encode(sys.getfilesystemencoding(), "surrogateescape"), b"deliver"], keep)


SENDER_ENVIRONMENT = (
    b"HOME", b"PATH", b"XDG_STATE_HOME", b"XDG_CONFIG_HOME", b"SSL_CERT_FILE", b"SSL_CERT_DIR",
    b"DO_NOT_TRACK", b"INNERLOOP_MODE",
)  # fmt: skip
