"""Whose is the name GNUmakefile in a directory? Where it is somebody's, a file of ours would be in their way.

A project may make its GNUmakefile by a tool (GNUmakefile.in, configure), tell git to ignore it, or behave otherwise where
there is one: then `make` could start itself for ever. Text is read and git's list of ignored files is asked; nothing of the
project is run. What cannot be read is no reason; the guard in our file ends what was not seen.
"""

import fnmatch
import os
import re
from collections.abc import Iterator

from innerloop.tools.setup import exclude, gnumakefile, makefiles, targets
from innerloop.tools.setup.makefiles import Makefile

MOST_FILES = 500  # beside the Makefile
MOST_NAMED = 100  # that a Makefile names
WORD = gnumakefile.NAME.lower().encode()
PROSE = re.compile(
    r"(?:readme|change|news|history|authors|copying|licen[sc]e|notice|todo|contributing|security|hacking|thanks|release)"
    r"|.*\.(?:md|markdown|rst|adoc|html?|pdf|po|pot|[1-8])$"
    r"|(?!cmakelists).*\.txt$",
    re.IGNORECASE,
)
OURS = (gnumakefile.NAME, "innerloop.toml")
_PATTERN = re.compile(rb"[\w./\[\]*?-]*[*?\[][\w./\[\]*?-]*")
_BRACKETS = re.compile(r"\[[^\]]*\]?")
_WORDS = re.compile(rb"[\w./+-]{1,200}")


def owners(root: str, found: "list[Makefile]", chosen: "list[Makefile]") -> "dict[str, str]":
    """Of the directories of some Makefiles, those in which the name is somebody's, each with the reason. `found`: all of the project."""
    named = next((reason for one in found for reason in _texts(root, one)), "")
    return {one.directory: reason for one in chosen if (reason := _owner(root, one, named))}


def _owner(root: str, one: Makefile, named: str) -> str:
    directory = os.path.join(root, one.directory)
    if one.name == gnumakefile.NAME and one.tracked:
        return ""  # the project's own, in git: it is there for everybody, and may get our lines
    if template := _template(directory):
        return f"{os.path.relpath(os.path.join(directory, template), root)} is there, of which a tool makes one"
    if rule := _ignored(root, one.directory):
        return rule
    return "" if one.name == gnumakefile.NAME else named or next(_beside(root, directory, one), "")


def _template(directory: str) -> str:
    """A file beside it that has the name with an ending, as GNUmakefile.in."""
    start = f"{gnumakefile.NAME.lower()}."
    return next((name for name in _names(directory) if name.lower().startswith(start) and not PROSE.match(name)), "")


def _names(directory: str) -> "list[str]":
    try:
        return sorted(os.listdir(directory))[:MOST_FILES]
    except OSError:
        return []


def _ignored(root: str, directory: str) -> str:
    """The rule by which git ignores the name, unless it is the one that keeps a private file of ours out."""
    path = os.path.join(directory, gnumakefile.NAME)
    rule = makefiles.ignoring(root, path)
    if rule is None:
        return ""
    source, line, pattern = rule
    if source.endswith("info/exclude") and exclude.is_added(targets.read(os.path.join(root, source)), pattern):
        return ""
    return f"git ignores that name ({source}:{line})"


def _texts(root: str, one: Makefile) -> "Iterator[str]":
    """What names it in a Makefile and what that includes, or looks there for files by a pattern that it matches."""
    if os.path.basename(os.path.realpath(os.path.join(root, one.path))) == gnumakefile.NAME != one.name:
        yield f"{one.path} is a link to one"
    for path in targets.sources(os.path.join(root, one.directory), one.name, root):
        text, name = targets.read(path), os.path.relpath(path, os.path.realpath(root))
        if WORD in text.lower():
            yield f"{name} names it"
        for pattern in _PATTERN.findall(text):
            if _is_meant(os.path.basename(os.fsdecode(pattern))):
                yield f"{name} looks for files by the pattern {os.fsdecode(pattern)}, which it would match"


def _is_meant(pattern: str) -> bool:
    """Whether a pattern is about names like this one: `*akefile`, but not `*`."""
    return bool(re.search(r"[A-Za-z]", _BRACKETS.sub("", pattern))) and fnmatch.fnmatchcase(gnumakefile.NAME, pattern)


def _beside(root: str, directory: str, one: Makefile) -> "Iterator[str]":
    """What names it beside a Makefile, or among the files that the Makefile names, such as scripts that it runs."""
    base = os.path.realpath(root)
    beside = [os.path.join(os.path.realpath(directory), name) for name in _names(directory)]
    for path in dict.fromkeys([*beside, *_named(base, directory, one)]):
        name = os.path.basename(path)
        hidden = name.startswith(".") and (name != ".gitignore" or bool(makefiles.in_checkout(root)))  # git was asked already
        if not (hidden or name in OURS or PROSE.match(name)) and os.path.isfile(path) and WORD in targets.read(path).lower():
            yield f"{os.path.relpath(path, base)} names it"


def _named(base: str, directory: str, one: Makefile) -> "Iterator[str]":
    words = _WORDS.findall(targets.read(os.path.join(directory, one.name)))
    found = 0
    for word in dict.fromkeys(words):
        path = os.path.realpath(os.path.join(directory, os.fsdecode(word)))
        if found < MOST_NAMED and path.startswith(f"{base}/") and os.path.isfile(path):
            found += 1
            yield path
