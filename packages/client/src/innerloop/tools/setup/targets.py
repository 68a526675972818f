"""Find the targets of a Makefile by reading its text: nothing of it is run or expanded by make, so `$(shell)` is not either.

What is found is a proposal that a person reviews. A target counts as a command that people type where it has a help text
(`target: needs ## text`, or `## text` on the line above), where it is listed in .PHONY, or where it does not look like a file.
Simple variables are followed; a name that a function makes is not known.
"""

import glob
import os
import re
import stat
from typing import NamedTuple

LARGEST = 1 << 20  # bytes of a Makefile, or of a file that it includes
MOST_FILES = 50
_ASSIGNMENT = re.compile(r"^ *(?:(?:export|override|private) +)*([A-Za-z0-9_.-]+)\s*(:{1,3}=|\?=|\+=|!=|=)\s*(.*)$")
_OWN_VARIABLE = re.compile(r"^\s*(?:(?:export|override|private)\s+)*[^\s:;#=|]+\s*(?::{1,3}|\+|\?|!)?=")
_RULE = re.compile(r"^([^:=\t][^:=]*?)\s*&?(::?)(?![=:])(.*)$")
_INCLUDE = re.compile(r"^ *(?:-include|sinclude|include)\s+(.*)$")
_HELP = re.compile(r"(?:^|\s)##(?![@#])\s*(\S.*)$")
_REFERENCE = re.compile(r"\$(?:\(([\w.-]+)(?::([^=(){}]*)=([^(){}]*))?\)|\{([\w.-]+)(?::([^=(){}]*)=([^(){}]*))?\})")
_COMMENT = re.compile(r"(?<!\\)#.*$", re.DOTALL)
_NAME = re.compile(r"[^\s\\'\"`*?\[\](){}$~<>|.%_/-][^\s\\'\"`*?\[\](){}$~<>|]*")
_BLANKS = re.compile(r"(?<!\\)\s+")  # a backslash keeps a blank in a name
_ANSI = re.compile(r"\x1b\[[0-9;]*m|\\0?33\[[0-9;]*m")
# Endings of files that builds make; a target `dev.up` has a dot too.
_FILE = re.compile(
    r"\.(?:[acdhilosy]|ko|so|lo|la|xo|cc|cpp|cxx|hpp|py|pyc|js|ts|mjs|css|html?|json|ya?ml|toml|txt|md|rst|xml|csv|pdf|png|svg|jpe?g|"
    r"lock|tar|gz|tgz|xz|bz2|zip|whl|deb|rpm|exe|dll|jar|class|wasm|bin|elf|img|iso|map|mo|po|pot|pb|go|rs|java|stamp|log|out|tmp|in|am|ac|mk|conf|cfg|ini|"
    r"env|sh|sql|db|pem|crt|key|csr|proto|tex|bib|dvi|ps|info|[1-8]|so\.\d+.*)$",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(r"^ *(?:export|unexport|override|private|vpath|undefine|load|-load|ifn?eq|ifn?def|else|endif)(?:[ (]|$)(?! *:)")
_SUFFIX_RULE = re.compile(r"\.[a-zA-Z]+(\.(?:o|lo|obj|so))")
_PATH = re.compile(r"(?:[\w.+-]+/)*%?[\w.+-]*\.\w+")  # relative, and of a pattern nothing but its name is open
MOST_RECIPE = 500  # characters of one that are looked at
UNKNOWN = "\0"


class Target(NamedTuple):
    """A target that a person may type."""

    name: str  # with `*` for the stem of a pattern rule
    text: str  # its help text, or empty
    recipe: str = ""  # the beginning of what it runs, as it stands there


class _Seen:
    """What was read of a target so far."""

    def __init__(self) -> None:
        self.text = self.recipe = ""
        self.phony = False
        self.does = False  # has a recipe or needs something


def find(directory: str, name: str, root: str) -> "list[Target]":
    """The targets of `directory/name` and of what it includes from inside `root`, in their order."""
    reader = _Reader(directory, root)
    reader.file(os.path.join(directory, name))
    return [
        Target(target.replace("%", "*"), one.text, one.recipe) for target, one in reader.seen.items() if _counts(target, one, directory)
    ]


def files(directory: str, name: str, root: str) -> "set[str]":
    """The files that a Makefile builds, as make calls them: an ending that is known, in a directory below; `%` for what a pattern leaves open."""
    reader = _Reader(directory, root)
    reader.file(os.path.join(directory, name))
    suffixes = {f"%{rule[1]}" for target in reader.seen if (rule := _SUFFIX_RULE.fullmatch(target))}
    made = {*suffixes, *(target for target, one in reader.seen.items() if not one.phony and not one.text)}
    made = {path for path in made if _PATH.fullmatch(path) and _FILE.search(path) and ".." not in path.split("/")}
    endings = {".o", *(os.path.splitext(path)[1] for path in made)}
    needed = {path for path in reader.needs if _PATH.fullmatch(path) and ".." not in path.split("/")}
    return made | {path for path in needed if os.path.splitext(path)[1] in endings and not os.path.isfile(os.path.join(directory, path))}


def sources(directory: str, name: str, root: str) -> "list[str]":
    """The files that `find` reads: `directory/name`, and what it includes from inside `root`."""
    reader = _Reader(directory, root)
    reader.file(os.path.join(directory, name))
    return reader.files


def read(path: str) -> bytes:
    """The first bytes of a regular file; empty where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            return file.read(LARGEST) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""


def passes_goals_on(directory: str, name: str, root: str) -> bool:
    """Tell whether a Makefile has a recipe for goals that it does not know: `.DEFAULT`, or the pattern `%` alone."""
    reader = _Reader(directory, root)
    reader.file(os.path.join(directory, name))
    return any(reader.seen[target].does for target in (".DEFAULT", "%") if target in reader.seen)


def _counts(name: str, seen: _Seen, directory: str) -> bool:
    """Whether a target looks like something that people type."""
    if not _NAME.fullmatch(name) or name.count("%") > 1 or len(name) > 100 or not name.isprintable():
        return False
    if seen.text or seen.phony:
        return True
    looks_like_file = "/" in name or _FILE.search(name) or os.path.isfile(os.path.join(directory, name))
    return seen.does and not looks_like_file


class _Reader:
    """One pass over a Makefile and what it includes."""

    def __init__(self, directory: str, root: str) -> None:
        self.directory = directory
        self.root = os.path.realpath(root)
        self.variables: "dict[str, str]" = {}
        self.seen: "dict[str, _Seen]" = {}
        self.files: "list[str]" = []
        self.needs: "set[str]" = set()  # what any rule needs
        self.rule: "list[_Seen]" = []  # those that a recipe line belongs to

    def file(self, path: str) -> None:
        real = os.path.realpath(path)
        if real in self.files or len(self.files) >= MOST_FILES or not real.startswith(self.root + "/") or not os.path.isfile(real):
            return
        self.files.append(real)
        text = read(real).decode("utf-8-sig", "replace")
        self.lines(re.sub(r"\\\n[ \t]*", " ", text.replace("\r\n", "\n")).split("\n"))

    def lines(self, lines: "list[str]") -> None:
        defining = False
        above = ""
        for line in lines:
            word = line.split(None, 1)[:1]
            if defining or word == ["define"]:
                defining = word != ["endef"]
            elif line.startswith("\t"):
                for one in self.rule:
                    one.does = True
                    one.recipe = one.recipe if len(one.recipe) > MOST_RECIPE else f"{one.recipe}{line}\n"[:MOST_RECIPE]
            else:
                self.line(line, above)
            above = line

    def line(self, line: str, above: str) -> None:
        plain = _COMMENT.sub("", line).rstrip()
        if not plain:
            return
        assignment, include = _ASSIGNMENT.match(plain), _INCLUDE.match(plain)
        if assignment:
            self.assign(*assignment.groups())
        elif include:
            for pattern in self.words(include[1]):
                for path in sorted(glob.glob(os.path.join(self.directory, pattern))):
                    self.file(path)
        elif not _DIRECTIVE.match(plain):
            self.rule_line(self.expand(plain), _help(line, above))

    def assign(self, name: str, operator: str, value: str) -> None:
        if operator == "+=":
            value = f"{self.variables.get(name, '')} {value}"
        elif operator == "!=" or (operator == "?=" and name in self.variables):
            return
        self.variables[name] = value if operator in ("=", "?=", "+=") else self.expand(value)

    def rule_line(self, line: str, text: str) -> None:
        found = _RULE.match(line)
        if not found or _OWN_VARIABLE.match(found[3]):
            return
        needs, _, recipe = found[3].partition(";")
        names = [name for name in _BLANKS.split(found[1].strip()) if UNKNOWN not in name]
        if names == [".PHONY"]:
            for name in _BLANKS.split(needs.strip()):
                if name and UNKNOWN not in name:
                    self.seen.setdefault(name, _Seen()).phony = True
            return
        self.rule = [self.seen.setdefault(name, _Seen()) for name in names]
        self.needs.update(need for need in _BLANKS.split(needs.replace("|", " ").strip()) if need and UNKNOWN not in need)
        for one in self.rule:
            one.does = one.does or bool(needs.strip() or recipe.strip())
            one.recipe += recipe[:MOST_RECIPE]
            one.text = one.text or text

    def words(self, text: str) -> "list[str]":
        return [word for word in self.expand(text).split() if UNKNOWN not in word]

    def expand(self, text: str, depth: int = 0) -> str:
        """Follow simple variables; what is not known becomes UNKNOWN, and the word that it is in with it."""
        found, at = "", 0
        while (dollar := text.find("$", at)) >= 0:
            end = _behind(text, dollar)
            found += text[at:dollar] + self.value(text[dollar:end], depth)
            at = end
        return found + text[at:]

    def value(self, reference: str, depth: int) -> str:
        """What a simple variable holds, maybe with its ends substituted. Functions, and all else, are UNKNOWN."""
        match = _REFERENCE.fullmatch(reference)
        name = match and (match[1] or match[4])
        if not match or name not in self.variables or depth > 9:
            return UNKNOWN
        old, new = match[2] or match[5], match[3] or match[6]
        words = self.expand(self.variables[name], depth + 1)
        return words if old is None else " ".join(_substitute(word, old, new or "") for word in words.split())


def _behind(text: str, dollar: int) -> int:
    """Where a reference ends, counting brackets as make does; the end of the text where it is never closed."""
    at = dollar + 1 + (text[dollar + 1 : dollar + 2] == "$")
    opening = text[at : at + 1]
    if opening not in ("(", "{"):
        return at if at == dollar + 2 else at + 1
    closing, depth = {"(": ")", "{": "}"}[opening], 0
    for end in range(at, len(text)):
        depth += (text[end] == opening) - (text[end] == closing)
        if depth == 0:
            return end + 1
    return len(text)


def _substitute(word: str, old: str, new: str) -> str:
    """One word of `$(name:old=new)`."""
    old, new = (old, new) if "%" in old else (f"%{old}", f"%{new}")
    start, _, end = old.partition("%")
    if len(word) < len(start) + len(end) or not word.startswith(start) or not word.endswith(end):
        return word
    return new.replace("%", word[len(start) : len(word) - len(end)], 1)


def _help(line: str, above: str) -> str:
    """The help text of a rule, safe to put into a comment: printable, at most 80 characters."""
    found = _HELP.search(line) or (_HELP.match(above) if above.startswith("##") else None)
    text = _ANSI.sub("", found[1]) if found else ""
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return text if len(text) <= 80 else text[:77].rstrip() + "..."
