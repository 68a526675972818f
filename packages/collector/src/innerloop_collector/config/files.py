"""Files that only their owner reads and that are on the disk when a call returns."""

import errno
import os
import stat
from pathlib import Path

from innerloop_collector.errors import UsageError


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, and durably."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)  # also a link that somebody put there: it would lead the writing elsewhere
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_directory(path.parent)


def open_plain(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file that may be anybody's: no link is followed, and nothing is waited for. Returns its descriptor. Raises OSError for what is no file."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR) if stat.S_ISDIR(mode) else "it is no file", str(path))
    return descriptor


def read_plain(path: Path, most: int) -> bytes:
    """Read a file of `most` bytes at most that may be anybody's. Raises OSError, also for what is no file."""
    with os.fdopen(open_plain(path), "rb") as file:
        content = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)
        if len(content) > most:
            raise OSError(errno.EFBIG, f"it has more than {most} bytes", str(path))
        return content


def sync_directory(directory: Path) -> None:
    """See to it that what was made, renamed or removed in a directory stays so."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lies_in(path: Path, directory: Path) -> bool:
    """Tell whether something is, or would be made, in a directory or below it, however its path leads there."""
    place = path.resolve()
    return any(one.exists() and one.samefile(directory) for one in (place, *place.parents))


MOST_BYTES = 262_144  # of a project file or a configuration: as much as the client reads


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Read a text. Raises UsageError, also for one that is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise UsageError(f"cannot read {path}: it has more than {most} bytes")
        return content.decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: it is not UTF-8 text") from error
