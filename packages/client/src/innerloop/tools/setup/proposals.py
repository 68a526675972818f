"""What `init` proposes besides names: groups of the files that make builds, and which names are sessions or checks. A person reviews all of it."""

import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from innerloop.core.plan.names_table import MOST_MARKED
from innerloop.core.plan.project import CHECK, SESSION
from innerloop.core.shared.names import LONGEST
from innerloop.tools.setup import targets
from innerloop.tools.setup.makefiles import Makefile
from innerloop.tools.setup.targets import Target

MOST_GROUPS = 20  # that are proposed
MOST_DIRECTORIES = 3  # with files of one ending, each with a group of its own; of more there is one for all
_CHECKS = frozenset(
    ("test", "tests", "check", "checks", "lint", "linting", "typecheck", "types", "mypy", "ruff", "eslint", "fmtcheck", "coverage", "cov", "spec",
     "e2e", "smoke", "quality", "verify", "validate", "audit", "vet", "pytest", "unittest"),
)  # fmt: skip
_SESSIONS = frozenset(
    (
        "run",
        "serve",
        "server",
        "runserver",
        "shell",
        "up",
        "watch",
        "watcher",
        "logs",
        "attach",
        "start",
        "dev",
        "console",
        "repl",
        "tail",
        "bash",
    )
)
_OTHERWISE = frozenset(  # what a name is that has one of these, whatever else is in it
    ("build", "clean", "compile", "create", "down", "fix", "image", "images", "install", "kill", "migrate", "provision", "pull", "push", "release", "remove",
     "reset", "restart", "rm", "setup", "stop", "update", "upgrade"),
)  # fmt: skip
_USED = re.compile(
    r"\b(?:serves?|watch(?:es|ing)?|interactive(?:ly)?|in the foreground|follow(?:s|ing)? (?:the )?logs?|(?:dev(?:elopment)?|local|live) server|"
    r"(?:open|start)s? an? .{0,20}(?:shell|console)|ctrl-c|until (?:it is )?(?:stopped|interrupted))\b",
    re.IGNORECASE,
)
_BUILDS = re.compile(r"\$@|\$[({](?:@|CC|CXX|LD|LINK)\b|\b(?:g?cc|g\+\+|clang|ld|go build)\s")
_DETACHED = re.compile(r"(?:^|\s)(?:-[A-Za-z]*d[A-Za-z]*|--detach|--no-start|&)(?=\s|$)")


class Proposed(NamedTuple):
    """What is proposed for `[names]`, by key."""

    groups: "list[str]"
    sessions: "list[str]"
    checks: "list[str]"

    def lacking(self, document: "dict[str, Any]") -> "Proposed":
        """What of it a project file says nothing about: only of names that it lists, and of no key that it has."""
        names = document.get("names")
        names = names if isinstance(names, dict) else {}
        allow = names.get("allow")
        listed = allow if isinstance(allow, list) else []
        return Proposed(
            *(
                [one for one in words if key == "groups" or one in listed] if key not in names else []
                for key, words in self._asdict().items()
            )
        )


NOTHING = Proposed([], [], [])


def mark(target: Target) -> str:
    """What a target seems to be, by its name, help text and recipe: SESSION, CHECK, or empty."""
    words = [word for word in re.split(r"[^a-z0-9]+", target.name.lower()) if word]
    if not _OTHERWISE.isdisjoint(words):
        return ""
    if "watch" not in words and not _CHECKS.isdisjoint(words):
        return CHECK
    used = not _SESSIONS.isdisjoint((words or [""])[i] for i in (0, -1)) or bool(_USED.search(target.text))
    return SESSION if used and not _DETACHED.search(target.recipe) and not _BUILDS.search(target.recipe) else ""


def marked(listed: "Iterable[tuple[str, str]]", groups: "list[str]") -> Proposed:
    """What is proposed, from names with what each seems to be, and the groups."""
    found: "dict[str, list[str]]" = {SESSION: [], CHECK: []}
    for name, what in listed:
        found.get(what, []).append(name)
    return Proposed(groups, found[SESSION][:MOST_MARKED], found[CHECK][:MOST_MARKED])


def groups(root: str, found: "list[Makefile]") -> "list[str]":
    """Groups for the files that Makefiles build, by ending and directory."""
    directories: "dict[str, set[str]]" = {}
    for makefile in found:
        for path in targets.files(os.path.join(root, makefile.directory), makefile.name, root):
            directory, name = os.path.split(path)
            directories.setdefault(os.path.splitext(name)[1], set()).add(directory)
    proposed = []
    for ending in sorted(directories):
        of = sorted(directories[ending])
        proposed += ["%" + ending] if len(of) > MOST_DIRECTORIES else [os.path.join(directory, "*" + ending) for directory in of]
    return [group for group in proposed if len(group) <= LONGEST][:MOST_GROUPS]
