"""Find a project's Makefiles: one a directory, the one that GNU make would read there. Runs git's listing and nothing of the project."""

import itertools
import os
import re
from typing import NamedTuple, Optional

from innerloop.core.shared import git
from innerloop.tools.setup import gnumakefile

_RULE = re.compile(rb"(.*):(\d+):(.*)\t")
NAMES = (gnumakefile.NAME, *gnumakefile.OTHERS)  # make's order
DEEPEST = 4  # directories below the project's
DEEPEST_ALONE = 1  # where no git tells what belongs to the project
MOST = 200
MOST_WALKED = 5000  # directories that are looked into where no git lists the files, as in somebody's home
PATIENCE = 20  # s that git may take
FOREIGN = frozenset(
    (
        "node_modules", "vendor", "vendored", "third_party", "third-party", "external", "extern", "deps", "site-packages",
        "testdata", "fixtures",
    )
)  # fmt: skip
RECIPES = ("configure", "configure.ac", "configure.in", "Makefile.am", "Makefile.in", "CMakeLists.txt")  # of which tools make a Makefile
MADE = frozenset(("build", "dist", "target", "venv", "env"))  # where no git tells what is generated


class Makefile(NamedTuple):
    """The Makefile of a directory."""

    directory: str  # relative to the project's; empty: that one itself
    name: str  # what make would read without us; GNUmakefile where that is the project's own
    tracked: Optional[bool]  # whether git knows it; None: no git here

    @property
    def path(self) -> str:
        """Relative to the project's directory."""
        return os.path.join(self.directory, self.name)


def find(root: str, generated: bool = False) -> "list[Makefile]":
    """The Makefiles of a project, its own directory first. Other people's code is left out; what git ignores too, unless it is asked for."""
    tracked, paths = _listed(root, generated)
    found: "list[Makefile]" = []
    for directory, names in _by_directory(root, paths).items():
        name = _read_by_make(root, directory, names)
        if name and len(found) < MOST:
            found.append(Makefile(directory, name, None if tracked is None else os.path.join(directory, name) in tracked))
    return found


def ignored(root: str) -> "list[Makefile]":
    """The Makefile of the project's own directory where git ignores it, as it does what configure or cmake made; else none."""
    if not in_checkout(root) or any(not one.directory for one in find(root)):
        return []
    name = _read_by_make(root, "", {name for name in NAMES if os.path.isfile(os.path.join(root, name))})
    return [Makefile("", name, tracked=False)] if name else []


def directories(root: str) -> "list[str]":
    """Every directory that may hold a GNUmakefile of ours: the project's own, and those with any Makefile."""
    return sorted({"", *_by_directory(root, _listed(root, generated=True)[1])})


def _listed(root: str, generated: bool) -> "tuple[Optional[set[str]], list[str]]":
    """What git tracks (None: no git here), and every file with a name of make's."""
    tracked = _git(root, "--cached")
    if tracked is None:
        return None, _walk(root)
    others = _git(root, "--others", "--exclude-standard") or []
    return set(tracked), [*tracked, *others, *((_git(root, "--others", "--ignored", "--exclude-standard") or []) if generated else [])]


def is_unconfigured(root: str) -> bool:
    """Tell whether a tool makes the Makefile here, and has not yet."""
    return any(_exists(root, name) for name in RECIPES) and not any(_exists(root, name) for name in gnumakefile.OTHERS)


def _exists(root: str, name: str) -> bool:
    return os.path.exists(os.path.join(root, name))


def is_tracked(path: str) -> bool:
    """Tell whether git knows a file."""
    return bool(_git(os.path.dirname(path), "--cached", names=(os.path.basename(path),)))


def is_generated(root: str, one: Makefile) -> bool:
    """Tell whether a tool made a Makefile: git ignores it, or does not track it beside what a tool makes one of."""
    if one.tracked is not False:
        return False
    made_of = any(_exists(os.path.join(root, one.directory), name) for name in RECIPES)
    return made_of or _ask(root, "check-ignore", "-q", "--", one.path) is not None


def ignoring(root: str, path: str) -> "Optional[tuple[str, str, bytes]]":
    """The rule by which git ignores a path, whether or not it tracks it: the file that it stands in, its line, and the pattern."""
    said = _RULE.match(_ask(root, "check-ignore", "--no-index", "--verbose", "--", path) or b"")
    return (os.fsdecode(said[1]), said[2].decode(), said[3]) if said and not said[3].startswith(b"!") else None


def _by_directory(root: str, paths: "list[str]") -> "dict[str, set[str]]":
    """The names of make's that each directory has, the nearest directories first."""
    found: "dict[str, set[str]]" = {}
    for path in paths:
        directory, name = os.path.split(path)
        if name in NAMES and _ours(directory) and is_within(root, directory) and os.path.isfile(os.path.join(root, path)):
            found.setdefault(directory, set()).add(name)
    return {directory: found[directory] for directory in sorted(found, key=lambda one: (one.count("/") + bool(one), one))}


def is_within(root: str, directory: str) -> bool:
    """Whether a directory (relative to the project's) is really there: git's listing names what was there before a link took its place."""
    return os.path.realpath(os.path.join(root, directory)) == os.path.normpath(os.path.join(os.path.realpath(root), directory))


def _read_by_make(root: str, directory: str, names: "set[str]") -> str:
    """The first in make's order that is not wholly ours; empty where there is none."""
    for name in NAMES:
        if name in names and not (name == gnumakefile.NAME and _is_ours(os.path.join(root, directory, name))):
            return name
    return ""


def _is_ours(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return gnumakefile.is_whole(file.read(65536))
    except OSError:
        return False


def _ours(directory: str) -> bool:
    """Whether a directory is near enough, and not hidden or somebody else's code."""
    parts = [part for part in directory.split("/") if part]
    return len(parts) <= DEEPEST and not any(part.startswith(".") or part in FOREIGN for part in parts)


def _git(root: str, *words: str, names: "tuple[str, ...]" = ()) -> "Optional[list[str]]":
    """What git lists of these names, or of make's below `root`; None where there is no git or no checkout."""
    if not in_checkout(root):
        return None
    patterns = names or [pattern for name in NAMES for pattern in (name, f"*/{name}")]
    said = _ask(root, "ls-files", "-z", *words, "--", *patterns)
    return None if said is None else [os.fsdecode(path) for path in said.split(b"\0") if path]


def _ask(root: str, *words: str) -> "Optional[bytes]":
    return git.ask([os.fsencode(word) for word in words], root, git.environment(dict(os.environb)), PATIENCE)


def in_checkout(directory: str) -> str:
    """The top of the checkout around a directory, or an empty string."""
    while not os.path.exists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return ""
        directory = parent
    return directory


def _walk(root: str) -> "list[str]":
    found = []
    for directory, below, names in itertools.islice(os.walk(root), MOST_WALKED):
        relative = os.path.relpath(directory, root)
        relative = "" if relative == "." else relative
        deeper = relative.count("/") + bool(relative) < DEEPEST_ALONE
        below[:] = [
            name for name in below if deeper and name not in MADE and _ours(os.path.join(relative, name)) and not _other(directory, name)
        ]
        found += [os.path.join(relative, name) for name in names if name in NAMES]
    return found


def _other(directory: str, name: str) -> bool:
    """Whether a directory is a checkout of its own."""
    return os.path.exists(os.path.join(directory, name, ".git"))
