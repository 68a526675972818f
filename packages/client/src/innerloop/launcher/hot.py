"""Which project is this, and did the developer agree? Answered from one small file, without parsing any other.

The hot file is a cache that the command line tools write. It names every source of its answer with the
source's identity, so that a changed source makes it worthless instead of wrong. One fact a line, as bytes.

May import: sys, posix, environment and places.
"""

import posix

from innerloop import environment, places

PROJECT_FILE = b"innerloop.toml"
HEAD = b"innerloop-hot 1"
LONGEST = 262144  # bytes; a larger file is not ours
REMIND_AFTER = 30  # days


class Hot:
    """What the launcher knows about a project on this machine. Bytes where it is written to files."""

    def __init__(self):  # type: () -> None
        self.mode = b"off"  # on, local, no (an answer), off (no answer, or paused)
        self.sources = []  # type: ignore[var-annotated]  # (path, fingerprint)
        self.consent = b""  # path of the consent file
        self.consent_print = b""
        self.project_file = b""
        self.config = b""
        self.serial = self.digest = self.spool = self.testvar = b""
        self.asked = []  # type: ignore[var-annotated]  # days since 1970, as int
        self.patterns = []  # type: ignore[var-annotated]
        self.stems = []  # type: ignore[var-annotated]
        self.separator = ""
        self.git = self.ci = self.question = False

    def measures(self):  # type: () -> bool
        return self.mode in (b"on", b"local")

    def invitation_due(self, today):  # type: (int) -> bool
        """Shown once, and once more after 30 days without an answer; then never."""
        if self.mode != b"off" or len(self.asked) > 1:
            return False
        return not self.asked or today - self.asked[0] >= REMIND_AFTER


def fingerprint(path):  # type: (bytes) -> bytes
    """Identify a file's present state: device, inode, size, mtime and ctime (ns); `-` where there is none."""
    try:
        s = posix.stat(path)
    except FileNotFoundError:
        return b"-"
    except NotADirectoryError:
        return b"-"
    return b"%d %d %d %d %d" % (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def find_project(euid):  # type: (int) -> tuple[bytes, posix.stat_result] | None
    """Walk up from the working directory to the first regular innerloop.toml.

    Stops at a directory that belongs to neither the developer nor root, and takes no other owner's file: a
    file that somebody left in /tmp means nothing. Raises OSError where a directory cannot be read.
    """
    directory = posix.getcwdb()
    while True:
        if posix.stat(directory).st_uid not in (euid, 0):
            return None
        path = directory.rstrip(b"/") + b"/" + PROJECT_FILE
        try:
            found = posix.stat(path)
        except FileNotFoundError:
            found = None
        if found is not None and found.st_mode & 0o170000 == 0o100000:
            return (path, found) if found.st_uid in (euid, 0) else None
        if directory == b"/":
            return None
        directory = directory[: directory.rindex(b"/")] or b"/"


def own_home(env, euid):  # type: (..., int) -> bool
    """Tell whether HOME belongs to whoever runs this: under sudo -E it does not."""
    try:
        return posix.stat(env.get(b"HOME", b"")).st_uid == euid
    except OSError:
        return False


def path_for(state, found):  # type: (bytes, posix.stat_result) -> bytes
    """Name the hot file of a project file. Device and inode cannot be borrowed by a copy or a symlink."""
    return b"%s/hot/%d-%d" % (state, found.st_dev, found.st_ino)


def read(path, euid, config):  # type: (bytes, int, bytes) -> Hot | None
    """Read a hot file if it can be trusted and every source is as it was; else return None."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
    except OSError:
        return None
    try:
        own = posix.fstat(descriptor)
        if own.st_uid != euid or own.st_mode & 0o170077 != 0o100000 or own.st_size > LONGEST:
            return None
        data = posix.read(descriptor, LONGEST)
    finally:
        posix.close(descriptor)
    hot = parse(data)
    if hot is None or hot.config != config:
        return None
    for source, known in hot.sources:
        if fingerprint(source) != known:
            return None
    return hot


def parse(data):  # type: (bytes) -> Hot | None
    """Read the lines of a hot file. Anything but a whole one of this version gives None."""
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[0] != HEAD or lines[-2:] != [b"end", b""]:
        return None
    hot = Hot()
    for line in lines[1:-2]:
        key, _, value = line.partition(b" ")
        if key == b"f":
            source, _, known = value.partition(b"\0")
            hot.sources.append((source, known))
            if not hot.project_file:
                hot.project_file = source
            elif not hot.consent:
                hot.consent, hot.consent_print = source, known
        elif key == b"p":
            hot.patterns.append(value.decode())
        elif key == b"s":
            hot.stems.append(value.decode())
        elif key == b"separator":
            hot.separator = value.decode()
        elif key == b"asked":
            hot.asked = [int(day) for day in value.split()]
        elif key in (b"git", b"ci", b"question"):
            setattr(hot, key.decode(), value == b"1")
        elif key in (b"mode", b"serial", b"digest", b"spool", b"testvar", b"config"):
            setattr(hot, key.decode(), value)
        else:
            return None
    return hot


def render(hot):  # type: (Hot) -> bytes
    """Write a hot file's bytes. The first two sources are the project file and the consent file."""
    lines = [HEAD]
    lines += [b"f %s\0%s" % source for source in hot.sources]
    for key in ("config", "mode", "serial", "digest", "spool", "testvar"):
        lines.append(b"%s %s" % (key.encode(), getattr(hot, key)))
    for key in ("git", "ci", "question"):
        lines.append(b"%s %d" % (key.encode(), getattr(hot, key)))
    lines.append(b"asked " + b" ".join(b"%d" % day for day in hot.asked))
    lines.append(b"separator " + hot.separator.encode())
    lines += [b"p " + name.encode() for name in hot.patterns]
    lines += [b"s " + name.encode() for name in hot.stems]
    return b"\n".join([*lines, b"end", b""])


def forbidden(env, euid):  # type: (..., int) -> bool
    """Tell whether nothing may be recorded or asked, whatever any file says."""
    return bool(environment.forbidden(env)) or not places.state(env) or not own_home(env, euid)
