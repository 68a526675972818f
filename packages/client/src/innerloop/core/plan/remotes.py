"""Is this clone one of the project's? Asks git, once, for its configuration; nothing of it is run.

git's own reading counts, with included files, worktrees and rewritten addresses (`url.*.insteadOf`), as `git remote get-url`
has it. A repository can say of itself what it likes; so can anybody's. The list of remotes narrows where an answer counts,
and is no proof of where a clone came from.
"""

import os
import re
from typing import NamedTuple

from innerloop.core.shared import git, paths

PATIENCE = 1  # s; a command may be over before that
_SCHEME = re.compile(r"[A-Za-z0-9+.-]+://")
_BRACKETED = re.compile(r"(?:[^/@]*@)?\[(?:[^]@]*@)?([^]]*)\]:(.*)")  # user@[::1]:path, [user@host:port]:path
_URL = re.compile(r"^\s*url\s*=\s*(.*?)\s*$", re.IGNORECASE)


class Clone(NamedTuple):
    """The remotes of a clone, each as host/path, and every file that may say another thing tomorrow."""

    remotes: "tuple[str, ...]" = ()
    sources: "tuple[str, ...]" = ()

    def belongs(self, allowed: "tuple[str, ...]") -> bool:
        """Tell whether any remote of the clone is one of the project's. A list without entries allows all."""
        return not allowed or bool({host_and_path(remote) for remote in allowed} & set(self.remotes))


def look(directory: str, home: paths.Home) -> Clone:
    """The clone around a directory. Where there is no git that can be asked, the text of the one file counts."""
    top = os.fsdecode(git.checkout(os.fsencode(directory)))
    if not top:
        return Clone(sources=(os.path.join(directory, ".git"),))
    plain = _plain_config(top)
    env = git.environment_in(home, os.fsencode(directory))
    words = [b"config", b"--list", b"-z", b"--show-origin"]
    said = git.ask(words, top, env, PATIENCE) if os.path.isfile(plain) else None  # git would wait for a pipe
    if said is None:
        return Clone(tuple(_written(plain)), (plain,))
    found = _entries(os.fsdecode(said))
    files = [plain, *_users(os.fsdecode(env.get(b"HOME", b"")), os.fsdecode(env.get(b"XDG_CONFIG_HOME", b"")))]
    files += [os.path.join(top, origin) for origin, _, _ in found if origin]
    files += [_included(top, origin, value, env) for origin, key, value in found if origin and key.endswith(".path") and "include" in key]
    rules = [(value, key[4:-10]) for _, key, value in found if key.startswith("url.") and key.endswith(".insteadof")]
    urls = [value for _, key, value in found if key.startswith("remote.") and key.endswith(".url")]
    return Clone(
        tuple(dict.fromkeys(host_and_path(rewritten(url, rules)) for url in urls)), tuple(filter(_can_be_watched, dict.fromkeys(files)))
    )


def _can_be_watched(path: str) -> bool:
    """Whether it can be seen that a file changes, appears or goes."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True


def _entries(text: str) -> "list[tuple[str, str, str]]":
    """Read `git config --list -z --show-origin`: the file, if it is one, the key and the value of each entry."""
    words = text.split("\0")
    found = []
    for origin, entry in zip(words[::2], words[1::2]):
        key, _, value = entry.partition("\n")
        found.append((origin[5:] if origin.startswith("file:") else "", key, value))
    return found


def _users(home: str, base: str) -> "list[str]":
    """The files of a user and of the machine, whether they are there or not."""
    return [f"{home}/.gitconfig", f"{base or home + '/.config'}/git/config", "/etc/gitconfig"]


def _included(top: str, origin: str, path: str, env: "dict[bytes, bytes]") -> str:
    """The file that an `include.path` names, whether it is there or not."""
    if path.startswith("~/"):
        return os.fsdecode(env.get(b"HOME", b"")) + path[1:]
    return os.path.join(top, os.path.dirname(origin), path)


def rewritten(url: str, rules: "list[tuple[str, str]]") -> str:
    """An address after the longest of the rules that fits: what it begins with, and what stands there instead."""
    fitting = [rule for rule in rules if rule[0] and url.startswith(rule[0])]
    if not fitting:
        return url
    begins, instead = max(fitting, key=lambda rule: len(rule[0]))
    return instead + url[len(begins) :]


def _plain_config(top: str) -> str:
    """Path of the config file of a checkout, also where `.git` is the file of a worktree or submodule."""
    dot_git = os.path.join(top, ".git")
    if not os.path.isfile(dot_git):
        return os.path.join(dot_git, "config")
    git_dir = os.path.join(top, _line(dot_git).partition("gitdir:")[2].strip())
    return os.path.join(git_dir, _line(os.path.join(git_dir, "commondir")), "config")


def _line(path: str) -> str:
    return _text(path, 4096).strip()


def _text(path: str, most: int) -> str:
    """The beginning of a regular file, or an empty string. Never waits for a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, encoding="utf-8", errors="replace") as file:
            return file.read(most) if os.path.isfile(path) else ""
    except OSError:
        return ""


def _written(config: str) -> "list[str]":
    """The remotes that the text of a git config names, each as host/path."""
    found, inside = [], False
    for line in _text(config, 262144).splitlines():
        if line.lstrip().startswith("["):
            inside = line.lstrip().lower().startswith("[remote ")
        match = _URL.match(line) if inside else None
        if match:
            found.append(host_and_path(match[1]))
    return found


def host_and_path(url: str) -> str:
    """Reduce a git address to host/path: `git@github.com:a/b.git`, `ssh://git@github.com:22/a/b` and `https://github.com/a/b` are alike."""
    url = url.strip().strip('"')
    bracketed = _BRACKETED.fullmatch(url)
    if _SCHEME.match(url):
        host, _, path = url.partition("://")[2].partition("/")
    elif bracketed:
        host, path = bracketed.groups()
        host = f"[{host}]" if host.count(":") > 1 else host  # an address of IPv6, or host:port
    else:
        colon = ":" in url.partition("/")[0]
        host, _, path = url.partition(":" if colon else "/")
    host = host.rpartition("@")[2]
    host = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join([host, *parts]).lower().removesuffix(".git")
