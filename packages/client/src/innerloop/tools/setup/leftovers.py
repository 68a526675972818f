"""Everything of innerloop's on a machine, by the names that we give: what `innerloop uninstall` removes, and what it only names.

Only what we made is ours: a name of ours, a regular file or a directory of this user. Links are never followed. Changes nothing.
"""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from innerloop.core.consent import cache_files
from innerloop.core.probe import place
from innerloop.core.shared import files
from innerloop.tools.setup import gnumakefile, targets

KEY = r"[0-9a-f]{24}"
STATE = {
    "": rf"(?:enabled|asked|receipts|attach\.mk){files.BEING_WRITTEN}",
    "hot": cache_files.NAME.pattern,
    "spool": rf"{KEY}(?:-ci)?",
    "probe": rf"\.?{place.DIGEST.pattern}(?:[.-].*)?|{place.UNFINISHED.pattern}",
}
ERASURE = rf"{KEY}(?:-ci)?\.json"  # in `forget`: removed once it is done
ANSWER = rf"[a-z0-9][a-z0-9._-]*\.json{files.BEING_WRITTEN}"
VERSION = re.compile(r"\.[0-9a-f]{8}\.(?:new|old)|[0-9][0-9A-Za-z.+-]*")
SCRIPT, PACKAGE = "bin/innerloop", "lib/python3/site-packages/innerloop"
SHELL_FILES = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_aliases", ".profile", ".zshrc", ".zprofile", ".zshenv", ".zlogin", ".kshrc",
    ".config/fish/config.fish",
)  # fmt: skip
MOST_ROOTS = 200


class Named(NamedTuple):
    """What stays, and why, or what to do about it."""

    path: str
    why: str


def state(directory: str) -> "list[str]":
    """What innerloop keeps in its state directory, but for erasures that wait; what starts a measurement comes first."""
    found = [path for within, pattern in STATE.items() for path in _ours(os.path.join(directory, within).rstrip("/"), pattern)]
    return sorted(found, key=lambda path: os.path.basename(path) not in ("enabled", "attach.mk"))


def answers(directory: str) -> "list[str]":
    """The answers in the directory that is innerloop's own."""
    return list(_ours(directory, ANSWER))


def _ours(directory: str, pattern: str) -> "Iterator[str]":
    """What has a name of ours in a directory of ours, and is this user's own file or directory."""
    for name in _names(directory):
        path = f"{directory}/{name}"
        if re.fullmatch(pattern, name) and is_own(path):
            yield path


def _names(directory: str) -> "list[str]":
    try:
        return [] if os.path.islink(directory) else sorted(os.listdir(directory))
    except OSError:
        return []


def is_own(path: str) -> bool:
    """Whether something is a regular file or a directory of this user, and no link."""
    try:
        return not files.fault(path) or (os.path.isdir(path) and not os.path.islink(path) and os.lstat(path).st_uid == os.geteuid())
    except OSError:
        return False


def strangers(directory: str, within: "tuple[str, ...]" = ()) -> "Iterator[Named]":
    """What is left in a directory of ours: nothing of it is ours."""
    if os.path.islink(directory):
        yield Named(directory, "a link that innerloop did not make")
    for name in _names(directory):
        path = f"{directory}/{name}"
        if name in within and is_own(path):
            yield from strangers(path)
        else:
            yield Named(path, "innerloop did not make it")


def versions(share: str) -> "list[str]":
    """What `innerloop.pyz install` unpacked below a directory."""
    found = [f"{share}/{name}" for name in _names(share) if VERSION.fullmatch(name)]
    return [path for path in found if is_own(path) and os.path.isdir(f"{path}/{PACKAGE}") and os.path.isfile(f"{path}/{SCRIPT}")]


def shares(env: "dict[bytes, bytes]") -> "list[tuple[str, str]]":
    """Where `innerloop.pyz install` puts versions, and the link to one: the usual place, and the one that this very program runs from."""
    home, data = os.fsdecode(env.get(b"HOME", b"")), os.fsdecode(env.get(b"XDG_DATA_HOME", b""))
    usual = (data if data.startswith("/") else f"{home}/.local/share") + "/innerloop"
    found = [(usual, f"{home}/.local/bin/innerloop")] if home.startswith("/") else []
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    if package.endswith(f"/{PACKAGE}"):
        share = os.path.dirname(package[: -len(PACKAGE) - 1])
        found.append((share, f"{os.path.dirname(os.path.dirname(share))}/bin/innerloop"))
    return list(dict.fromkeys(found))


def is_link_to(link: str, share: str) -> bool:
    """Whether a link was made by `innerloop.pyz install`: it points to a version below `share`, also one that is gone."""
    return os.path.islink(link) and os.path.realpath(link).startswith(os.path.realpath(share) + "/")


def hook_lines(env: "dict[bytes, bytes]") -> "Iterator[Named]":
    """Lines of the shells' own files that load the hook, as file:line."""
    home = os.fsdecode(env.get(b"HOME", b""))
    config = os.fsdecode(env.get(b"XDG_CONFIG_HOME", b"")) or f"{home}/.config"
    zsh = os.fsdecode(env.get(b"ZDOTDIR", b"")) or home
    paths = [f"{home}/{name}" for name in SHELL_FILES] + [f"{zsh}/{name}" for name in SHELL_FILES if name.startswith(".z")]
    paths += [f"{config}/fish/config.fish", *(f"{config}/fish/conf.d/{name}" for name in _names(f"{config}/fish/conf.d"))]
    for path in dict.fromkeys(paths):
        for number, line in enumerate(targets.read(path).split(b"\n"), 1):
            if re.search(rb"\binnerloop\s+hook\b", line):
                yield Named(f"{path}:{number}", "loads the hook; where innerloop is gone it does nothing. It is yours to remove")


def gnumakefiles(roots: "list[str]") -> "Iterator[Named]":
    """GNUmakefiles of ours beside the project files that were used here."""
    for root in list(dict.fromkeys(roots))[:MOST_ROOTS]:
        path = f"{os.path.dirname(root)}/{gnumakefile.NAME}"
        if gnumakefile.is_attached(targets.read(path)):
            yield Named(
                path, "the repository's; without innerloop it does nothing. `innerloop init --uninstall` there takes it out, before this"
            )


def package() -> str:
    """How to remove the package that this program runs from."""
    here = os.path.realpath(__file__)
    if not os.path.isfile(here):
        return "delete the file innerloop.pyz"
    if "/uv/tools/innerloop/" in here:
        return "uv tool uninstall innerloop"
    if "/pipx/venvs/innerloop/" in here:
        return "pipx uninstall innerloop"
    return "" if f"/{PACKAGE}/" in here else "use what installed it, such as: pip uninstall innerloop"
