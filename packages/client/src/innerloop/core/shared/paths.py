"""Where innerloop keeps its files (XDG base directories), and whose they are. Paths are bytes.

`STATE/hot/`      what the launcher must know, by project file (a cache: deleting it is always safe)
`STATE/asked`     on which days a project, or a change of it, was shown as an invitation or question
`STATE/enabled`   exists while a project here is measured; holds the directory of the innerloop command
`STATE/spool/K/`  the spool of one (organisation, project, endpoint)
`CONFIG/K.json`   the answer for one (organisation, project, endpoint)

In a container they are the host's, where the mount is present that `innerloop init --container` prints:

`/run/innerloop/state`       the host's STATE
`/run/innerloop/config`      the host's CONFIG
`/run/innerloop/seed/WORD`   the directory of a seed project's config file

There `own` means owned by the owner of that mount point, and HOME does not matter. May import: posix, git.
"""

import posix

MACHINE_FILE = b"/etc/innerloop.toml"
MOUNT = b"/run/innerloop"
MARKS = (b"/.dockerenv", b"/run/.containerenv", b"/run/systemd/container")  # of Docker, Podman; of LXC and nspawn where systemd starts
KEYS = (b"container", b"KUBERNETES_SERVICE_HOST")  # what engines, and Kubernetes, put into the environment


def _base(env: "dict[bytes, bytes]", variable: bytes, default: bytes) -> bytes:
    value: bytes = env.get(variable, b"")
    if value.startswith(b"/"):  # the specification: relative values are ignored
        return value
    home = env.get(b"HOME", b"")
    return home + default if home.startswith(b"/") else b""


def state(env: "dict[bytes, bytes]") -> bytes:
    """The state directory that the environment names, or b""."""
    base = _base(env, b"XDG_STATE_HOME", b"/.local/state")
    return base and base + b"/innerloop"


def config(env: "dict[bytes, bytes]") -> bytes:
    """The configuration directory that the environment names, or b""."""
    base = _base(env, b"XDG_CONFIG_HOME", b"/.config")
    return base and base + b"/innerloop"


def mounted(path: bytes) -> "posix.stat_result | None":
    """What is mounted on a directory, or None: what an image brought along in its place is nobody's answer."""
    try:
        found = posix.lstat(path)
        if found.st_dev == posix.lstat(path[: path.rindex(b"/")]).st_dev and not _in_mount_table(path):
            return None
    except OSError:
        return None
    return found


def mount_table() -> bytes:
    """What the system says about its mounts (proc(5), mountinfo). Raises OSError where it has no such file, as macOS (untested)."""
    descriptor = posix.open(b"/proc/self/mountinfo", posix.O_RDONLY | posix.O_CLOEXEC)
    data = b""
    try:
        while chunk := posix.read(descriptor, 1 << 16):
            data += chunk
    finally:
        posix.close(descriptor)
    return data


def _in_mount_table(path: bytes) -> bool:
    """A directory of the same file system may be mounted too: only the kernel's table tells."""
    for line in mount_table().split(b"\n"):
        if line.split(b" ")[4:5] == [path]:
            return True
    return False


class Home:
    """Whose files are ours, and where they are: in the home that the environment names, or on the host's mount."""

    def __init__(self, env: "dict[bytes, bytes]") -> None:
        """Look for the mount: one failed stat where there is none. Raises nothing."""
        self.env = env
        self.uid = posix.geteuid()
        self.problem = ""  # why the mount cannot be used
        mount = mounted(MOUNT + b"/state")
        self.shared = mount is not None
        self.state = MOUNT + b"/state" if self.shared else state(env)
        self.config = MOUNT + b"/config" if self.shared else config(env)
        self.before: "tuple[tuple[int, int, int], tuple[int, int, int], list[int]] | None" = None
        if mount is None:
            return
        if self.uid not in (0, mount.st_uid):
            self.problem = "%s belongs to uid %d, and neither they nor root run this" % (MOUNT.decode(), mount.st_uid)
        self.uid, self.gid = mount.st_uid, mount.st_gid

    def refusal(self) -> str:
        """Why nothing may be kept here, or an empty string. Under sudo -E, HOME is somebody else's."""
        if self.shared:
            return self.problem
        if not self.state:
            return "HOME is not set"
        try:
            found = posix.stat(self.env.get(b"HOME", b""))
        except OSError:
            return "HOME does not exist"
        if found.st_uid != self.uid:
            return "HOME belongs to somebody else"
        return "" if found.st_mode & 0o170000 == 0o040000 else "HOME is not a directory"

    def in_container(self) -> bool:
        """Whether this is a container: the one judge for the events, the question's example and doctor."""
        return self.container_mark() != b""

    def container_mark(self) -> bytes:
        """What says that this is a container, the engine's mark or our own; b"" where nothing does."""
        if self.shared:
            return MOUNT
        for mark in MARKS:
            try:
                posix.stat(mark)
            except OSError:
                continue
            return mark
        for key in KEYS:
            if self.env.get(key):
                return key
        return b""

    def enter(self) -> None:
        """Act as the owner of the mount where root runs this, so that the host's developer can read and delete everything.

        Real ids too, so that a process that is started meanwhile is theirs for good; the saved ones lead back.
        """
        if self.shared and not self.problem and posix.geteuid() == 0 != self.uid:
            self.before = posix.getresuid(), posix.getresgid(), posix.getgroups()
            posix.setgroups([self.gid])
            posix.setresgid(self.gid, self.gid, -1)
            posix.setresuid(self.uid, self.uid, 0)

    def leave(self) -> None:
        """Be again who we were before `enter`."""
        if self.before is not None:
            users, groups, further = self.before
            self.before = None
            posix.setresuid(*users)
            posix.setresgid(*groups)
            posix.setgroups(further)

    def for_git(self, directory: bytes) -> "dict[bytes, bytes]":
        """The environment to ask git in: behind the mount, a checkout may belong to another user than git runs as."""
        from innerloop.core.shared import git  # noqa: PLC0415 (the launcher asks git while the command runs already)

        return git.environment(self.env, git.checkout(directory) if self.shared else b"")
