"""Files that only their owner reads and that are on the disk when a call returns. May import: the standard library."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, and durably."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_directory(path.parent)


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
