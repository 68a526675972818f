"""Where the collector keeps things.

One frozen value is handed down; nothing below reads the environment.
"""

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from innerloop_collector.errors import UsageError

DATA_VARIABLE = "INNERLOOP_COLLECTOR_DATA"


@dataclass(frozen=True, slots=True)
class Paths:
    """Every path below the data directory."""

    data: Path

    @property
    def store(self) -> Path:
        """The embedded engine's files."""
        return self.data / "store"

    @property
    def lock(self) -> Path:
        """Held by the one process that has the store open; says which, and its address."""
        return self.data / "lock"

    @property
    def secret(self) -> Path:
        """The key of every keyed hash in the store."""
        return self.data / "secret"

    @property
    def throw_away(self) -> Path:
        """Is there where the store was made to try things."""
        return self.data / "throw-away"

    @property
    def erasures(self) -> Path:
        """Every erasure once more, outside the store."""
        return self.data / "erasures.log"

    @property
    def releases(self) -> Path:
        """Every release once more, outside the store."""
        return self.data / "releases.log"

    @property
    def looked_at(self) -> Path:
        """Up to which day each project was looked at for alerts."""
        return self.data / "looked-at.json"

    @property
    def notifications(self) -> Path:
        """What each channel of notifications was told."""
        return self.data / "notifications.json"

    @property
    def backups(self) -> Path:
        """Where backups were made."""
        return self.data / "backups.json"

    @property
    def admin_token(self) -> Path:
        """What the command line shows to a running service."""
        return self.data / "admin-token"

    @property
    def destinations(self) -> Path:
        """A key for each destination, of the names that it sees."""
        return self.data / "destinations"

    @property
    def restoring(self) -> Path:
        """Where a backup is put back before everything gets its place. Something is in it as long as that is not done."""
        return self.data / "restoring"

    @property
    def scratch(self) -> Path:
        """Short-lived files of the driver, so that no event ever lies in a shared /tmp."""
        return self.data / "scratch"


def data_directory(given: str | None, environ: Mapping[str, str], configured: str = "") -> Path:
    """Find the data directory: the option, else the variable, else what the configuration says, else XDG's place for data."""
    if chosen := given or environ.get(DATA_VARIABLE) or configured:
        try:
            return Path(chosen).expanduser().absolute()
        except (OSError, RuntimeError) as error:  # no such user; or the working directory is gone
            raise UsageError(
                f"cannot tell where {chosen} is: {getattr(error, 'strerror', None) or error}; give --data DIR from the root on"
            ) from error
    base = environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(base):  # the XDG rules say to ignore a relative one
        home = environ.get("HOME", "")
        if not home:
            raise UsageError(f"no data directory: neither --data, {DATA_VARIABLE}, XDG_DATA_HOME nor HOME is set; give one with --data DIR")
        base = os.path.join(home, ".local", "share")
    return Path(base) / "innerloop-collector"


def prepare(data: Path) -> Paths:
    """Make the data directory, readable by its owner only, and see that it is nobody else's. What this process makes from now on is as private."""
    os.umask(0o077)  # of the engine's files, too
    paths = Paths(data)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths.scratch.mkdir(mode=0o700, exist_ok=True)
        _open_to_us(paths)
        _refuse_what_is_anothers(paths)
    except OSError as error:
        raise unusable(data, error) from error
    return paths


def unusable(data: Path, error: OSError) -> UsageError:
    """Say why a data directory cannot be used, and whose it must be."""
    within = f"{error.filename}: " if error.filename and Path(error.filename) != data else ""
    what = f"cannot use {data} as data directory: {within}{error.strerror}"
    return UsageError(f"{what}; run this as the user whom the service runs as, or choose another with --data DIR")


def tighten(paths: Paths) -> list[Path]:
    """Close to others what is open to them: the directory, and what lies at its top. Returns what was. Raises UsageError where that cannot be done."""
    opened = []
    try:
        for path in (paths.data, *paths.data.iterdir()):
            if not path.is_symlink() and open_to_others(path):
                os.chmod(path, stat.S_IMODE(path.stat().st_mode) & ~0o077)
                opened.append(path)
    except OSError as error:
        raise unusable(paths.data, error) from error
    if left := next((path for path in opened if open_to_others(path)), None):
        raise UsageError(
            f"others may read {left}, and its file system does not let that be changed; choose another place for the data with --data DIR"
        )
    return opened


def open_to_others(path: Path) -> bool:
    """Tell whether the mode of a file lets anybody but its owner in."""
    return bool(path.stat().st_mode & 0o077)


def _refuse_what_is_anothers(paths: Paths) -> None:
    """Raise OSError where somebody else could have put rows, a secret or a token here. Root may look at everybody's."""
    ours = {os.geteuid(), 0} if os.geteuid() else {0, paths.data.stat().st_uid}
    for path in (
        paths.data,
        paths.store,
        paths.secret,
        paths.admin_token,
        paths.erasures,
        paths.releases,
        paths.backups,
        paths.destinations,
        paths.lock,
    ):
        for look in (os.lstat, os.stat):
            try:
                owner = look(path).st_uid
            except FileNotFoundError:
                continue
            if owner not in ours:
                raise PermissionError(errno.EPERM, f"it belongs to another user ({owner})", str(path))


def _open_to_us(paths: Paths) -> None:
    """Raise OSError for what is here and another user's, or on a disk that takes no changes: the engine would say it less well."""
    for path in (paths.data, paths.scratch, paths.lock, paths.secret, paths.store, paths.erasures, paths.releases):
        wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if path.exists() and not os.access(path, wanted):
            read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
            number = errno.EROFS if read_only else errno.EACCES
            raise OSError(number, os.strerror(number), str(path))
