"""The text of a new `innerloop.toml`: short, commented, and refused by its reader until somebody filled in what is missing."""

import hashlib
import json
import re
from typing import NamedTuple

from innerloop.core.plan import project_reader
from innerloop.tools.setup.proposals import NOTHING, Proposed

FILLED_IN = re.compile(r"^(organisation|endpoint|write_key) = .*$", re.MULTILINE)
FIRST = "# Written by `innerloop init` ({digest}): what may be measured here, and where it goes. Review it, then commit it."


class Listed(NamedTuple):
    """A name for the list of those that may leave."""

    name: str
    text: str  # its help text, or empty
    source: str  # the Makefile it is from
    mark: str = ""  # what it seems to be: a session, a check, or neither


class Answers(NamedTuple):
    """What a person must say; empty: left to be filled in, as is a write key that only holds a place."""

    project: str
    organisation: str
    endpoint: str
    write_key: str

    @property
    def missing(self) -> "list[str]":
        """The keys that the file's reader will ask for."""
        return project_reader.missing({"project": {**self._asdict(), "id": self.project}})


TEMPLATE = """\
# Without an answer of each developer nothing is recorded: `innerloop opt-in` shows what would be, and asks.

[project]
id = {project}
organisation = {organisation}{hint_organisation}
endpoint = {endpoint}{hint_endpoint}
write_key = {write_key}{hint_write_key}
# region = "EU"                    # where the collector stands, in words
# contact = "dev-tools@example.com" # whom to ask
# remotes = [{remotes}]  # only clones with one of these remotes are reported; forks keep their figures to themselves
# retention_days = 365

# What may leave as the name of a command, and nothing else: every other name is counted as `other`.
# Take out what says something about a person: a target that one person alone uses, a name of somebody.
[names]
{stems}allow = [
{names}]
{proposed}"""
HINTS = {
    "organisation": "  # to fill in: who asks; developers see it in the question",
    "endpoint": '  # to fill in: the collector, such as "https://innerloop.example.com"',
    "write_key": "  # to fill in: `innerloop-collector keys create {project}` prints one, once this file was applied",
}
STEMS = """\
# `*` stands for a stem, and only for those that are listed here: with ["web"], `run.*` allows `run.web` and nothing else.
stems = []
"""


PROPOSED = {
    "groups": "Files that make builds: one that is of such a group leaves as the group and never as itself. To add a group later asks everybody again.",
    "sessions": "Used, not waited for: servers, shells, watchers. Guessed from names and help texts.",
    "checks": "A failure of one of these is information; of any other it is friction. Guessed as well.",
}


def text(answers: Answers, listed: "list[Listed]", remotes: "tuple[str, ...]", proposed: Proposed = NOTHING) -> str:
    """A whole file; its first line knows whether somebody changed the rest."""
    shown = [remote for remote in remotes if "." in remote.partition("/")[0]]  # a path of this machine is nobody else's
    shown = shown or ["git.example.com/shop/shop"]
    body = TEMPLATE.format(
        **{key: quoted(value) for key, value in answers._asdict().items()},
        **{f"hint_{key}": hint.format(project=answers.project) if key in answers.missing else "" for key, hint in HINTS.items()},
        remotes=", ".join(map(quoted, shown)),
        stems=STEMS if any("*" in one.name for one in listed) else "",
        names=lines(listed),
        proposed="".join(
            f"\n# {PROPOSED[key]}\n{key} = [{', '.join(map(quoted, words))}]\n" for key, words in proposed._asdict().items() if words
        ),
    )
    return f"{FIRST.format(digest=_digest(_as_written(body)))}\n{body}"


def is_unchanged(data: bytes) -> bool:
    """Tell whether a project file is as init wrote it, but for what init asked to be filled in."""
    first, _, body = data.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n")
    return first == FIRST.format(digest=_digest(_as_written(body)))


def _as_written(body: str) -> str:
    return FILLED_IN.sub(r"\1 =", body, count=3)


def lines(listed: "list[Listed]", indent: str = "    ") -> str:
    """The names, one a line with its help text, under the Makefile they are from."""
    found, source = [], ""
    for one in listed:
        if one.source != source:
            source = one.source
            found.append(heading(source, indent))
        found.append(f"{indent}{quoted(one.name)},{f'  # {one.text}' if one.text else ''}\n")
    return "".join(found)


def heading(source: str, indent: str = "    ") -> str:
    """The line above the names of a Makefile."""
    return f"{indent}# {_printable(source)}\n"


def quoted(value: str) -> str:
    """A value as a TOML string, whose escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def word(name: str) -> str:
    """A project id made of a directory's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "project"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _printable(value: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in value)
