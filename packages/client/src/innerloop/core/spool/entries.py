"""What lies in a spool, by name. Whatever has another name is a leftover; whatever is no file of ours is odd and never opened."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator

from innerloop.core.shared import files

RUNS = ("run", "new", "sealed", "sent", "quarantine")
TARGETS = "targets"  # the target logs, named like their runs
PLACES = (*RUNS, TARGETS)
LOCKS = ("lock", "seal.lock")
DROPPED = "dropped-"  # and the reason
JOURNALS = ("recorded", "acknowledged", "local")
FILES = (
    *LOCKS, *JOURNALS, "held.json", "totals.json", "folding.json", "roots", "history", "known-ids", "about.json", "delivery.json",
    "unrecorded", "ballast", "next",
)  # fmt: skip
BESIDE = {"run": ".git", "quarantine": ".reason"}  # what else a run may have in a place
LARGEST_JOURNAL = 1 << 25  # bytes: a million runs, and they are folded long before
YOUNG = 3600  # s in which a name that we do not know may be a file that somebody of us is just writing
RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DROPPED = re.compile(DROPPED + r"[a-z0-9-]{1,40}")


def names(directory: str) -> "list[str]":
    """The names in a directory; none where there is no such directory, or a link stands in its place."""
    try:
        return [] if os.path.islink(directory) else sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []


def spools(state: str) -> "list[str]":
    """The spools of a state directory, by their keys. What lies behind a link is none of ours, and nothing of it is read."""
    directory = f"{state}/spool"
    return [name for name in names(directory) if not os.path.islink(f"{directory}/{name}")]


def ids(spool: str, place: str) -> "list[str]":
    """The runs in one place."""
    return [name for name in names(f"{spool}/{place}") if len(name) == 36 and RUN.fullmatch(name)]


def is_known(place: str, name: str) -> bool:
    """Whether we make files of this name in a place; the spool itself is the place ``."""
    if not place:
        return name in FILES or name in PLACES or bool(_DROPPED.fullmatch(name))
    run, beside = name[:36], name[36:]
    return bool(RUN.fullmatch(run)) and beside in ("", BESIDE.get(place))


def fault(spool: str, name: str) -> str:
    """What is wrong with one of the spool's own files and directories; nothing where it is not there."""
    path = f"{spool}/{name}"
    try:
        status = os.lstat(path)
    except OSError:
        return files.fault(path)
    if name not in PLACES:
        return files.fault(path) or ("" if status.st_size <= LARGEST_JOURNAL else "it is larger than any file of ours")
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return "" if ours else files.fault(path) or "it is a file where a directory should be"


def heal(spool: str) -> None:
    """Move aside what stands in the place of one of the spool's files and directories, and make the directories."""
    for name in (*FILES, *PLACES, *(name for name in names(spool) if _DROPPED.fullmatch(name))):
        path = f"{spool}/{name}"
        if fault(spool, name) and os.path.lexists(path):
            with contextlib.suppress(FileNotFoundError):  # another command of ours was faster
                files.move_aside(path)
    for place in PLACES:
        files.private_directory(f"{spool}/{place}")


def tidy(spool: str, now: float) -> None:
    """Delete leftovers: of commands that were killed, of versions that are gone. Call it under both locks."""
    for place, name in every(spool):
        path = f"{spool}/{place}/{name}"
        if files.is_aside(name) or not _left_over(spool, place, name):
            continue
        with contextlib.suppress(OSError):  # it is gone, or somebody else's: `doctor` names what is odd
            # nobody writes into these but under the locks
            if place in ("sealed", "sent", "quarantine") or now - os.lstat(path).st_mtime > YOUNG:
                files.clear(path)


def _left_over(spool: str, place: str, name: str) -> bool:
    """Whether a name is none of ours, or stands beside a run that is gone."""
    if not is_known(place, name):
        return True
    beside = bool(place) and len(name) > 36
    return beside and not any(os.path.lexists(f"{spool}/{where}/{name[:36]}") for where in {place, "new" if place == "run" else place})


def empty(spool: str) -> None:
    """Delete everything that has no name of ours, young or odd: for whoever leaves."""
    for place, name in every(spool):
        if _left_over(spool, place, name):
            with contextlib.suppress(OSError):  # somebody else's directory is not ours to delete
                files.clear(f"{spool}/{place}/{name}")


def every(spool: str) -> "Iterator[tuple[str, str]]":
    """Each name in a spool with its place; the spool itself is the place ``."""
    for name in names(spool):
        yield "", name
    for place in PLACES:
        for name in names(f"{spool}/{place}"):
            yield place, name
