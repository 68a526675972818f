"""The table `[names]` of a project file: which names may leave, in which groups, which of them are sessions or checks, and which changes are open.

What a session or a check is changes no byte that leaves. The developer's own report asks it of the file, and the
collector of the versions that it knows.
"""

import re
from typing import Any

from innerloop.core.plan.check import Names
from innerloop.core.plan.project import Marks, ProjectError
from innerloop.core.plan.table_reader import Reader
from innerloop.core.shared.names import LONGEST, LONGEST_NAME, OTHER, allowed
from innerloop.core.shared.printable import clean

MOST_NAMES = 2000  # each name that is looked up is compared with all of them
MOST_GROUPS = 50  # as above, and a developer reads them before a yes
MOST_MARKED = 200
MOST_OPEN = 8  # changes: each costs a run one look into the checkout
CHANGE = re.compile(r"[a-z0-9-]{1,40}")
MOST_RENAMED = 200
STARTUP_MS = 10_000  # a session that ends by itself, with an error, within this time did not start


def read(reader: Reader) -> "tuple[Names, Marks]":
    """The lists of the table. Seed mode, whose properties are fixed, has no groups. Raises ProjectError."""
    separator = reader.text("names", "separator", "", 1)
    groups = _groups(reader.words("names", "groups")) if "seed" not in reader.document else ()
    allow, stems = _allow(reader.words("names", "allow")), _bounded("stems", reader.words("names", "stems"))
    listed = Names(allow, stems, separator, groups=groups, changes=_changes(reader.words("names", "changes")))
    return listed, _marks(reader.words("names", "sessions"), reader.words("names", "checks"), listed)


def _allow(words: "list[str]") -> "tuple[str, ...]":
    """The names that may leave. What stands before a colon may be a directory: it is one below the project file's."""
    names = _bounded("allow", words)
    for name in names:
        directory, colon, _ = name.partition(":")
        parts = directory.split("/")
        if colon and " " not in directory and (parts in (["."], [".."]) or (len(parts) > 1 and not {"", ".", ".."}.isdisjoint(parts))):
            raise ProjectError(f"names.allow: {name}: a directory before the colon is relative to this file, and has no . or .. in it")
    return names


def renamed_from(table: "dict[str, Any]", listed: Names) -> "dict[str, tuple[str, ...]]":
    """What listed names were called before: name -> old names. Raises ProjectError.

    It changes nothing that leaves: the collector reads it where it tells how figures went.
    """
    found: "dict[str, tuple[str, ...]]" = {}
    seen: "set[str]" = set()
    for name, value in table.items():
        old = [value] if isinstance(value, str) else value
        at = f"renamed_from.{clean(name)[:LONGEST]}"
        if name == OTHER or not listed.holds(name):
            raise ProjectError(f"{at}: names.allow and names.groups do not list this name")
        if not isinstance(old, list) or not all(isinstance(one, str) and 0 < len(one) <= LONGEST and clean(one) == one for one in old):
            raise ProjectError(f"{at} must be what it was called before: a string of at most {LONGEST} characters, or a list of them")
        for one in old:
            if one in table or one in seen or one == OTHER:
                raise ProjectError(
                    f"{at}: {one} is {'`other`' if one == OTHER else 'in this table twice'}; one name has one series of figures"
                )
            seen.add(one)
        found[name] = tuple(old)
    if len(seen) > MOST_RENAMED:
        raise ProjectError(f"renamed_from has more than {MOST_RENAMED} old names")
    return found


def _bounded(key: str, words: "list[str]") -> "tuple[str, ...]":
    """Names or stems, of which there are not too many."""
    if len(words) > MOST_NAMES or any(len(word) > LONGEST_NAME for word in words):
        raise ProjectError(f"names.{key} must be at most {MOST_NAMES} strings of at most {LONGEST_NAME} characters each")
    return tuple(map(clean, words))


def _groups(words: "list[str]") -> "tuple[str, ...]":
    """The groups, in the order in which they are tried."""
    for at, group in enumerate(words):
        if "*" not in group and "%" not in group:
            raise _wrong("groups", words, at, "has neither * nor %: a name belongs into names.allow")
    return _exact("groups", words, MOST_GROUPS, LONGEST)


def _changes(words: "list[str]") -> "tuple[str, ...]":
    """The open changes."""
    for at, word in enumerate(words):
        if not CHANGE.fullmatch(word):
            raise _wrong("changes", words, at, "is no name of a change: 1 to 40 characters of a-z 0-9 -")
    return _exact("changes", words, MOST_OPEN)


def _marks(sessions: "list[str]", checks: "list[str]", listed: Names) -> Marks:
    """The sessions and checks, each of which is a name or group that is listed, and not both."""
    found = Marks(_exact("sessions", sessions, MOST_MARKED), _exact("checks", checks, MOST_MARKED), listed.stems, listed.separator)
    known = {*listed.allow, *listed.groups}
    for key, words, others in (("sessions", sessions, found._replace(sessions=())), ("checks", checks, found._replace(checks=()))):
        for at, word in enumerate(words):
            if word not in known and not allowed(word, listed.allow, listed.stems, listed.separator):
                raise _wrong(key, words, at, "is in neither names.allow nor names.groups")
            if others.of(word):
                raise _wrong(key, words, at, "is a session and a check: what is used is not waited for, and does not fail as a check does")
    return found


def _exact(key: str, words: "list[str]", most: int, longest: int = LONGEST_NAME) -> "tuple[str, ...]":
    """Words that are shown to people and compared as they are: each once, short, and without anything that nobody sees."""
    seen: "set[str]" = set()
    for at, word in enumerate(words):
        if at == most:
            raise _wrong(key, words, at, f"is one too many: there may be {most}")
        if len(word) > longest:
            raise _wrong(key, words, at, f"is longer than {longest} characters")
        if clean(word) != word or " ".join(word.split()) != word or not word:
            raise _wrong(key, words, at, "is empty, or has a control character, or a blank at an end or beside another")
        if word in seen:
            raise _wrong(key, words, at, "stands there twice")
        seen.add(word)
    return tuple(words)


def _wrong(key: str, words: "list[str]", at: int, what: str) -> ProjectError:
    """A list cannot be used: its key, and which of its words is at fault."""
    shown = clean(words[at])
    error = ProjectError(f"names.{key}: {shown if len(shown) <= LONGEST else shown[:LONGEST] + '...'} {what}")
    error.place = ("names", key, at)
    return error
