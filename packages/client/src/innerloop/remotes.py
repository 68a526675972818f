"""Is this clone one of the project's? Reads git's config file; no process is started.

May import: the standard library.
"""

import os
import re

_URL = re.compile(r"^\s*url\s*=\s*(.*?)\s*$", re.IGNORECASE)


def git_config(directory: str) -> str:
    """Path of the git config that holds the remotes of the checkout around a directory, or ``."""
    while True:
        dot_git = os.path.join(directory, ".git")
        if os.path.isdir(dot_git):
            return os.path.join(dot_git, "config")
        if os.path.isfile(dot_git):
            return _linked(dot_git)
        parent = os.path.dirname(directory)
        if parent == directory:
            return ""
        directory = parent


def _linked(dot_git: str) -> str:
    """Follow the `.git` file of a worktree or submodule to the config that it uses."""
    git_dir = os.path.join(os.path.dirname(dot_git), _line(dot_git).partition("gitdir:")[2].strip())
    return os.path.join(git_dir, _line(os.path.join(git_dir, "commondir")), "config")


def _line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def remotes(config: str) -> "list[str]":
    """The remotes that a git config names, each as host/path."""
    try:
        with open(config, encoding="utf-8", errors="replace") as file:
            lines = file.read(262144).splitlines()
    except OSError:
        return []
    found, inside = [], False
    for line in lines:
        if line.lstrip().startswith("["):
            inside = line.lstrip().lower().startswith("[remote ")
        match = _URL.match(line) if inside else None
        if match:
            found.append(host_and_path(match[1]))
    return found


def host_and_path(url: str) -> str:
    """Reduce a git address to host/path: `git@github.com:a/b.git` and `https://github.com/a/b` are alike."""
    url = url.strip().strip('"')
    _, separator, rest = url.partition("://")
    if not separator:
        rest = url.replace(":", "/", 1) if ":" in url.partition("/")[0] else url
    host, _, path = rest.partition("/")
    host = host.rpartition("@")[2].partition(":")[0]
    path = path.rstrip("/")
    return f"{host}/{path.removesuffix('.git')}".lower()


def belongs(config: str, allowed: "tuple[str, ...]") -> bool:
    """Tell whether any remote of the clone is one of the project's. A list without entries allows all."""
    return not allowed or bool({host_and_path(remote) for remote in allowed} & set(remotes(config)))
