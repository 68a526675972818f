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

There `own` means owned by the owner of that mount point, and HOME does not matter.
"""

import posix

MACHINE_FILE = b"/etc/innerloop.toml"
MOUNT = b"/run/innerloop"
MAY_HANG = (b"nfs", b"fuse", b"cifs", b"smb", b"9p", b"ceph", b"afs", b"autofs", b"lustre", b"gpfs", b"beegfs", b"virtiofs")


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
    return read_whole(b"/proc/self/mountinfo")


def read_whole(path: bytes) -> bytes:
    """A file whose size nobody knows beforehand, as those of proc(5). Raises OSError."""
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    data = b""
    try:
        while chunk := posix.read(descriptor, 1 << 16):
            data += chunk
    finally:
        posix.close(descriptor)
    return data


def _in_mount_table(path: bytes) -> bool:
    """A directory of the same file system may be mounted too: only the kernel's table tells."""
    return any(line.split(b" ")[4:5] == [path] for line in mount_table().split(b"\n"))


class Owner:
    """Acts as the owner of the mount where root runs this, so that the host's developer can read and delete everything."""

    def __init__(self, uid: int, gid: int, needed: bool) -> None:
        self._uid, self._gid, self._needed = uid, gid, needed
        self._before: "tuple[tuple[int, int, int], tuple[int, int, int], list[int]] | None" = None

    def enter(self) -> None:
        """Be the owner. Real ids too, so that a process that is started meanwhile is theirs for good; the saved ones lead back."""
        if self._needed and posix.geteuid() == 0 != self._uid:
            self._before = posix.getresuid(), posix.getresgid(), posix.getgroups()
            posix.setgroups([self._gid])
            posix.setresgid(self._gid, self._gid, -1)
            posix.setresuid(self._uid, self._uid, 0)

    def leave(self) -> None:
        """Be again who we were before `enter`."""
        if self._before is not None:
            users, groups, further = self._before
            self._before = None
            posix.setresuid(*users)
            posix.setresgid(*groups)
            posix.setgroups(further)


class Home:
    """Where our files are, and whose they are: in the home that the environment names, or on the host's mount."""

    def __init__(self, env: "dict[bytes, bytes]") -> None:
        """Look for the mount: one failed stat where there is none. Raises nothing."""
        self.env = env
        self.uid, gid = posix.geteuid(), 0
        self.problem = ""  # why the mount cannot be used
        mount = mounted(MOUNT + b"/state")
        self.shared = mount is not None
        self.state = MOUNT + b"/state" if self.shared else state(env)
        self.config = MOUNT + b"/config" if self.shared else config(env)
        if mount is not None:
            if self.uid not in (0, mount.st_uid):
                self.problem = "%s belongs to uid %d, and neither they nor root run this" % (MOUNT.decode(), mount.st_uid)
            self.uid, gid = mount.st_uid, mount.st_gid
        self.owner = Owner(self.uid, gid, self.shared and not self.problem)

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


def may_hang(env: "dict[bytes, bytes]") -> bool:
    """Tell whether our files are on a network, or on another file system that may never answer. Nothing on such a system is looked at."""
    try:
        mounts = mount_table()
    except OSError:
        return False
    mounts = mounts.replace(b" - fusectl ", b"").replace(b" - autofs systemd-1 ", b"")  # the system's own, on every desktop
    for kind in MAY_HANG:
        if b" - " + kind in mounts:
            return far(env, mounts)
    return False  # nearly everywhere


def far(env: "dict[bytes, bytes]", mounts: bytes) -> bool:
    """Tell whether our files are on a file system that may hang, by what proc(5) says in `mountinfo`."""
    from innerloop.core.shared.mounts import leads_to  # noqa: PLC0415

    for path in (env.get(b"HOME", b""), state(env), config(env), MOUNT + b"/state", MOUNT + b"/config"):
        if path.startswith(b"/") and leads_to(path, mounts, MAY_HANG):
            return True
    return False
