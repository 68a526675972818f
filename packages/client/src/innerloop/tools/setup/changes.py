"""Changes of files in a repository: planned first, shown if wanted, then written. Somebody else's bytes are never lost."""

import difflib
import os
from typing import NamedTuple, Optional

LARGEST = 1 << 20  # bytes of a file that is looked into


class Refused(Exception):
    """A file cannot be changed safely: the message says which, why and what to do."""


class Change(NamedTuple):
    """One file as it is and as it shall be; None where there is none."""

    path: str
    before: Optional[bytes]
    after: Optional[bytes]
    about: str

    @property
    def verb(self) -> str:
        """What happens to the file."""
        return "write" if self.before is None else "remove" if self.after is None else "change"


def look(path: str) -> Optional[bytes]:
    """Read a regular file, or return None where there is nothing. Raises Refused for anything else."""
    if not os.path.lexists(path):
        return None
    if os.path.islink(path) or not os.path.isfile(path):
        raise Refused(f"{path} is {'a symbolic link' if os.path.islink(path) else 'not a regular file'}; init leaves it alone")
    with open(path, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Refused(f"{path} is larger than 1 MB; init leaves it alone")
    return data


def apply(change: Change) -> None:
    """Write, replace or remove one file. Raises Refused where somebody else changed it meanwhile, and OSError."""
    if look(change.path) != change.before:
        raise Refused(f"{change.path} was changed meanwhile, and is left alone; run init again")
    if change.after is None:
        os.unlink(change.path)
    elif change.before is None:
        os.makedirs(os.path.dirname(change.path), exist_ok=True)
        with open(change.path, "xb") as file:
            file.write(change.after)
    else:
        _replace(change.path, change.after)


def _replace(path: str, data: bytes) -> None:
    """Replace a file by one of the same mode: nobody ever sees half of it, also on a full disk."""
    temporary = f"{path}.innerloop-{os.getpid()}"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.chmod(temporary, os.stat(path).st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def difference(change: Change, root: str) -> str:
    """A change as a unified diff, with paths below the project's directory."""
    name = os.path.relpath(change.path, root)
    before, after = (_lines(data) for data in (change.before, change.after))
    old = "/dev/null" if change.before is None else f"a/{name}"
    new = "/dev/null" if change.after is None else f"b/{name}"
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in difflib.unified_diff(before, after, old, new))


def _lines(data: Optional[bytes]) -> "list[str]":
    return (data or b"").decode("utf-8", "replace").replace("\r\n", "\n").splitlines(keepends=True)
