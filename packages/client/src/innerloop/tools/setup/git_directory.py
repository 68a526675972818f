"""Which git directory is a checkout's own. Its `.git` is part of what was cloned or unpacked, so it may name anybody's.

Where `.git` is no directory but a file that names one, both must name each other: a worktree's directory lies among its
repository's `worktrees` and says where the worktree is; a submodule's says it in its configuration.
"""

import os
from typing import Optional

from innerloop.core.shared import files, git
from innerloop.tools.setup.changes import Refused

LARGEST = 65536  # bytes of a file of git's that is looked into
PATIENCE = 20  # s that git may take


def exclude_file(checkout: str) -> str:
    """The path of the list of what git shall not see in a checkout, named by its top. Raises Refused where that list is not its own, with the reason."""
    own = f"{os.path.realpath(checkout)}/.git"
    said = _asked(checkout, "rev-parse", "--git-dir", "--git-common-dir")
    if said is None or said.count("\n") != 1:
        raise Refused(f"git does not say where its files for {checkout} are; use --way makefile")
    directory, common = (os.path.realpath(os.path.join(checkout, path)) for path in said.split("\n"))
    if common != _common(own, directory):
        raise Refused(
            f"{own} leads to {common}, which does not say that it belongs to this checkout, so nothing is written there; use --way makefile"
        )
    if os.path.realpath(f"{common}/info") != f"{common}/info":
        raise Refused(f"{common}/info leads elsewhere, so nothing is written there; use --way makefile")
    return f"{common}/info/exclude"


def _common(own: str, directory: str) -> str:
    """Where the files are that all worktrees share, by what the git directory itself says of a checkout; empty where it is not its own."""
    if directory == own:
        return own
    if os.path.islink(own) or not os.path.isfile(own):
        return ""
    above, name = os.path.split(os.path.dirname(directory))
    if name == "worktrees" and _same(_read(f"{directory}/gitdir"), directory, own):
        return above
    tree = _asked(os.path.dirname(own), "config", "--file", f"{directory}/config", "--no-includes", "core.worktree")
    return directory if tree and _same(f"{tree}/.git", directory, own) else ""


def _same(path: str, directory: str, own: str) -> bool:
    """Whether a path, counted from a directory, is a checkout's `.git`."""
    return bool(path) and os.path.realpath(os.path.join(directory, path)) == own


def _read(path: str) -> str:
    try:
        return os.fsdecode(files.read_own(path, LARGEST) or b"").rstrip("\n")
    except files.UnusableFile:
        return ""


def _asked(directory: str, *words: str) -> Optional[str]:
    said = git.ask([os.fsencode(word) for word in words], directory, git.environment(dict(os.environb)), PATIENCE)
    return None if said is None else os.fsdecode(said).rstrip("\n")
