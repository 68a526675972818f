"""A directory of open data: replaced as a whole, and only where it is new, empty or ours.

It is filled under another name beside its place, `.NAME.new-...`, and held locked meanwhile. One that nobody holds is what a kill left: it goes with the next write.
"""

import fcntl
import glob
import json
import os
import shutil
import tempfile
from pathlib import Path

from innerloop_collector.config.files import read_plain, sync_directory
from innerloop_collector.errors import UsageError
from innerloop_collector.open_data.data_package import DESCRIPTION, MARK

_MOST_BYTES = 16_000_000  # of datapackage.json


def write(directory: Path, files: dict[str, bytes]) -> None:
    """Have a directory hold these files and no other. Whoever looks finds all of the old ones or all of the new. Raises UsageError."""
    place = directory.absolute()
    if place.name in ("", ".."):
        raise UsageError(f"{directory} is no directory of figures; give it a name of its own")
    try:
        _replace(place, files)
    except OSError as error:
        raise UsageError(f"cannot write {directory}: {error.strerror}; choose another directory") from error


def _replace(place: Path, files: dict[str, bytes]) -> None:
    old = place.with_name(f".{place.name}.old")
    if not os.path.lexists(place) and _is_ours(old):
        os.rename(old, place)  # a write was cut off between its two last steps
    _refuse_what_is_not_ours(place, set(files))
    if os.path.lexists(old) and not _is_ours(old):
        raise UsageError(f"{old} is in the way, and is no earlier package of figures; choose another directory, or move it")
    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_over(place, set(files))
    new, held = _made_beside(place)
    try:
        _fill(new, files)
        if place.exists() and any(place.iterdir()):
            _remove(old)
            os.rename(place, old)
        os.rename(new, place)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise
    finally:
        os.close(held)
    sync_directory(place.parent)
    _remove(old)


def _made_beside(place: Path) -> tuple[Path, int]:
    """A new directory beside a place, by a name that nobody has, and what holds it until that is closed."""
    while True:
        new = Path(tempfile.mkdtemp(prefix=_beside(place), dir=place.parent))
        if (held := _hold(new)) is not None:  # else another write took it for left over
            return new, held


def _remove_left_over(place: Path, known: set[str]) -> None:
    """Remove what writes that were killed left beside a place, and nothing that another write fills, or that is not ours."""
    for left in place.parent.glob(f"{glob.escape(_beside(place))}*"):
        held = _hold(left)
        if held is not None:
            if {one.name for one in left.iterdir()} <= known:
                shutil.rmtree(left, ignore_errors=True)
            os.close(held)


def _beside(place: Path) -> str:
    return f".{place.name}.new-"


def _hold(directory: Path) -> int | None:
    """Hold a directory, until what is returned is closed; a kill lets go of it as well. None: another does, or it is none."""
    try:
        held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.stat(directory), os.fstat(held)):
            return held
    except OSError:
        pass
    os.close(held)
    return None


def _remove(old: Path) -> None:
    """Remove an earlier package, and nothing that came into its place."""
    if _is_ours(old):
        shutil.rmtree(old, ignore_errors=True)


def _refuse_what_is_not_ours(place: Path, known: set[str]) -> None:
    if not os.path.lexists(place):
        return
    if place.is_symlink() or not place.is_dir():
        raise UsageError(f"{place} is no directory; choose another")
    there = {one.name for one in place.iterdir()}
    if there and not (there <= known and _is_ours(place)):
        raise UsageError(f"{place} holds what is not a package of figures, and would be replaced; choose a new or empty directory")


def _is_ours(place: Path) -> bool:
    if place.is_symlink() or not place.is_dir():
        return False
    try:
        said = json.loads(read_plain(place / DESCRIPTION, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and MARK in said


def _fill(new: Path, files: dict[str, bytes]) -> None:
    """Fill a directory that everybody may read, and see it to the disk."""
    new.chmod(0o755)
    for name, content in files.items():
        descriptor = os.open(new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    sync_directory(new)
