"""Which project is this, and did the developer agree? Answered from one small file, without parsing any other.

The hot file is a cache that the command line tools write. It names every source of its answer with the
source's identity, so that a changed source makes it worthless instead of wrong. One fact a line, as bytes.
"""

import posix

from innerloop.core.shared import environment, paths

PROJECT_FILE = b"innerloop.toml"
HEAD = b"innerloop-hot 5"  # one of an earlier version was judged by earlier rules, and counts for nothing
FACTS = ("config", "mode", "serial", "digest", "spool", "probe", "testvar", "due", "until")  # bytes
DAYS = ("due", "until")  # those of them that are numbers or empty
FLAGS = ("git", "ci", "away", "seed")
LISTS = {"p": "patterns", "s": "stems", "g": "groups", "c": "changes"}
LONGEST = 262144  # bytes; a larger file is not ours
BARE, RESOLVE, MEASURE, INVITE = "bare", "resolve", "measure", "invite"  # what to do with a run


class CachedAnswer:
    """What the launcher knows about a project on this machine. Bytes where it is written to files."""

    def __init__(self) -> None:
        self.mode = b"off"  # on, local, no (an answer), off (no answer, or paused)
        self.sources: "list[tuple[bytes, bytes]]" = []  # path and fingerprint
        self.consent = b""  # path of the consent file
        self.consent_print = b""
        self.project_file = b""
        self.config = b""
        self.serial = self.digest = self.spool = self.testvar = b""
        self.probe = b""  # directory of the probe; empty where make is left alone
        self.due = b""  # the first day (since 1970) on which the developer may be invited; empty: never again
        self.until = b""  # the day (since 1970) from which this is out of date by itself, because a field expires
        self.patterns: "list[str]" = []
        self.stems: "list[str]" = []
        self.groups: "list[str]" = []
        self.changes: "list[str]" = []  # that a run looks for in the checkout
        self.separator = ""
        self.git = self.ci = False
        self.seed = False  # as in the founding system, a `wrap` inside a run is an event of its own
        self.away = False  # the collector is on the host's own loopback: not to be reached from in here

    def measures(self) -> bool:
        """Whether runs are recorded."""
        return self.mode in (b"on", b"local")

    def invitation_due(self, today: int) -> bool:
        """Nobody answered, and the day has come from which the developer may be asked."""
        return self.mode == b"off" and self.due != b"" and today >= int(self.due)


def fingerprint(path: bytes) -> bytes:
    """Identify a file's present state: device, inode, size, mtime and ctime (ns); `-` where there is none."""
    try:
        s = posix.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return b"-"
    return b"%d %d %d %d %d" % (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def find_project(uid: int, directory: bytes) -> "tuple[bytes, posix.stat_result] | None":
    """Walk up from a directory (without links) to the first regular innerloop.toml.

    Stops at a directory that belongs to neither the developer (`uid`) nor root, and takes no other owner's file: a
    file that somebody left in /tmp means nothing. Raises OSError where a directory cannot be read.
    """
    while True:
        if posix.stat(directory).st_uid not in (uid, 0):
            return None
        path = directory.rstrip(b"/") + b"/" + PROJECT_FILE
        try:
            found = posix.stat(path)
        except FileNotFoundError:
            found = None
        if found is not None and found.st_mode & 0o170000 == 0o100000:
            return (path, found) if found.st_uid in (uid, 0) else None
        if directory == b"/":
            return None
        directory = directory[: directory.rindex(b"/")] or b"/"


def path_for(home: "paths.Home", path: bytes, found: "posix.stat_result") -> bytes:
    """Name the hot file of a project file. Device and inode cannot be borrowed by a copy or a symlink.

    Behind the mount both are those of the host's file while paths are not: each place has a cache of its own.
    """
    place = path.replace(b"/", b"%")[-150:] if home.shared else b""
    return b"%s/hot/%d-%d%s" % (home.state, found.st_dev, found.st_ino, place)


def read(home: "paths.Home", project: bytes, found: "posix.stat_result", today: int) -> "CachedAnswer | None":
    """Read a project file's hot file if it can be trusted and every source is as it was; else return None. `today`: days since 1970."""
    try:
        descriptor = posix.open(path_for(home, project, found), posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except OSError:
        return None
    try:
        own = posix.fstat(descriptor)
        if own.st_uid != home.uid or own.st_mode & 0o170077 != 0o100000 or own.st_size > LONGEST:
            return None
        data = posix.read(descriptor, LONGEST)
    finally:
        posix.close(descriptor)
    try:
        hot = parse(data)
    except ValueError:  # bytes that no name has
        return None
    if hot is None or not _is_about(hot, home, project) or (hot.until and today >= int(hot.until)):
        return None
    return hot if all(fingerprint(source) == known for source, known in hot.sources) else None


def _is_about(hot: CachedAnswer, home: "paths.Home", project: bytes) -> bool:
    """Tell whether a hot file speaks of this project, of an answer, and of places of ours.

    It may have come with an archive, or from a container that shares the host's files: it chooses no path.
    """
    answers = (home.config + b"/", home.env.get(b"HOME", b"/") + b"/.config/", paths.MOUNT + b"/")
    return (
        hot.config == home.config
        and hot.project_file == project
        and hot.consent.startswith(answers)
        and (hot.consent_print != b"-" or not hot.measures())
        and _is_below(hot.spool, home.state + b"/spool/", 24)
        and (not hot.probe or _is_below(hot.probe, home.state + b"/probe/", 12))
    )


def _is_below(path: bytes, parent: bytes, digits: int) -> bool:
    """Tell whether a path is a directory that is named by so many hexadecimal digits, right below another; of CI jobs, with their mark."""
    name = path[len(parent) :]
    name = name[:-3] if name.endswith(b"-ci") else name
    return path.startswith(parent) and len(name) == digits and not name.strip(b"0123456789abcdef")


def parse(data: bytes) -> "CachedAnswer | None":
    """Read the lines of a hot file. Anything but a whole one of this version gives None."""
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[0] != HEAD or lines[-2:] != [b"end", b""]:
        return None
    hot = CachedAnswer()
    for line in lines[1:-2]:
        key, _, value = line.partition(b" ")
        if not take(hot, key.decode(), value):
            return None
    if len(hot.sources) < 2:
        return None
    hot.project_file = hot.sources[0][0]
    hot.consent, hot.consent_print = hot.sources[1]
    return hot


def take(hot: CachedAnswer, key: str, value: bytes) -> bool:
    """Put one line's fact into its place; tell whether it is one that we know."""
    if key == "f":
        source, _, known = value.partition(b"\0")
        hot.sources.append((source, known))
    elif key in LISTS:
        getattr(hot, LISTS[key]).append(value.decode())
    elif key in FLAGS:
        setattr(hot, key, value == b"1")
    elif key in DAYS and value and not value.isdigit():
        return False
    elif key in FACTS:
        setattr(hot, key, value)
    elif key == "separator":
        hot.separator = value.decode()
    else:
        return False
    return True


def render(hot: "CachedAnswer") -> bytes:
    """Write a hot file's bytes. The first two sources are the project file and the consent file."""
    lines = [HEAD]
    lines += [b"f %s\0%s" % source for source in hot.sources]
    for key in FACTS:
        lines.append(b"%s %s" % (key.encode(), getattr(hot, key)))
    for key in FLAGS:
        lines.append(b"%s %d" % (key.encode(), getattr(hot, key)))
    lines.append(b"separator " + hot.separator.encode())
    for key, names in LISTS.items():
        lines += [b"%s %s" % (key.encode(), name.encode()) for name in getattr(hot, names)]
    return b"\n".join([*lines, b"end", b""])


def forbidden(env: "dict[bytes, bytes]", home: "paths.Home") -> bool:
    """Tell whether nothing may be recorded or asked, whatever any file says."""
    return bool(environment.forbidden(env) or home.refusal())


def action_of(answer: "CachedAnswer", env: "dict[bytes, bytes]", today: int) -> str:
    """What a known answer means for a run on a day (since 1970)."""
    testing = environment.test_value(env, answer.testvar)
    actor = "human" if testing else environment.actor(env)
    if actor == "ci" and not (answer.ci and ci_job(env)):
        return BARE
    if answer.measures():
        return MEASURE
    if actor == "human" and at_terminal() and (answer.mode == b"off" if testing else answer.invitation_due(today)):
        return INVITE
    return BARE


def ci_job(env: "dict[bytes, bytes]") -> bool:
    """Tell whether a CI job says that it may be recorded.

    At a terminal sits a person, whatever a Makefile exports or redirects: at ours, or at that of a process above us.
    """
    if env.get(environment.CI_ALLOWED) != b"1" or environment.actor(env) != "ci":
        return False
    try:
        posix.close(posix.open(b"/dev/tty", posix.O_RDONLY | posix.O_NOCTTY | posix.O_CLOEXEC))
    except OSError:
        from innerloop.core.shared import processes  # noqa: PLC0415 (nearly never)

        return not any(processes.has_terminal(pid) for pid in processes.lineage(posix.getpid()))
    return False


def at_terminal() -> bool:
    """Whether a person sits at all three standard streams."""
    return posix.isatty(0) and posix.isatty(1) and posix.isatty(2)
