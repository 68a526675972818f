"""The client's own reader of the part of TOML that an `innerloop.toml` may use (Python 3.9 has no tomllib).

Read: comments; bare and quoted keys; `[tables]`, `[dotted.tables]` and `[[arrays of tables]]`; basic and
literal strings, on one line or many; whole decimal numbers of 64 bits; true and false; arrays.
Not read: dotted keys left of an equals sign, inline tables, fractions, dates, hexadecimal, octal and binary
numbers. Each of these is an error that says so. The law: whatever is accepted here, tomllib reads alike.
"""

import re
from typing import Any, NoReturn

MOST_NESTED = 16  # arrays in arrays, and parts of a table's name; the file is untrusted input
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK = re.compile(r"[ \t]*")
_GAP_WITH_COMMENTS = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_LINE_END = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_JOINED_LINE = re.compile(r"[ \t]*\n[ \t\n]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]*")
_WORD = re.compile(r"[^ \t\n,#\[\]]*")
_INTEGER = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
# What a word may be that is TOML but not of the subset, or nearly TOML; the first that matches names the error.
_REFUSED = tuple(
    (re.compile(pattern), message)
    for pattern, message in (
        (r"\{", "tables in braces are not read here, write a [table]"),
        (r"[0-9]{4}-[0-9]{2}|[0-9]{2}:[0-9]{2}", "dates and times are not read here, write a string"),
        (r"[+-]?0[xobXOB]", "only decimal numbers are read here"),
        (r"[+-]?(?:inf|nan)$|[+-]?[0-9][0-9_]*(?:\.|[eE][+-]?[0-9])", "fractions are not read here, write a whole number"),
        (r"[+-]?0[0-9_]", "a number must not begin with a zero"),
        (r"[+-]?[0-9]", "this is not a whole number"),
        (r"(?i)(?:true|false)$", "true and false are written in small letters"),
    )
)
_NO_VALUE = "a value should stand here; text needs quotes"


class TomlError(ValueError):
    """The text is not of the subset. The message is one sentence that begins with the line."""


def loads(text: str) -> "dict[str, Any]":
    """Read a document. Raises TomlError."""
    return _Reader(text.replace("\r\n", "\n")).document()


def line_of(text: str, table: str, key: str, at: int) -> int:
    """The line on which a value begins that stands in a list, in a document that `loads` reads."""
    reader = _Reader(text.replace("\r\n", "\n"))
    values = reader.document()[table][key]
    return reader.text.count("\n", 0, reader.starts[id(values)][at]) + 1


class _Reader:
    """One pass over the text; `at` is the index of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.root: dict[str, Any] = {}
        self.table = self.root  # the one that assignments go to
        self.opened = {id(self.root)}  # tables that had a header of their own
        self.arrays: set[int] = set()  # lists that were made by [[headers]]
        self.starts: dict[int, list[int]] = {}  # where the values of each other list begin

    def fail(self, what: str) -> NoReturn:
        raise TomlError(f"line {self.text.count(chr(10), 0, self.at) + 1}: {what}")

    def ahead(self, expected: str) -> bool:
        return self.text.startswith(expected, self.at)

    def take(self, expected: str) -> bool:
        found = self.text.startswith(expected, self.at)
        self.at += len(expected) if found else 0
        return found

    def run(self, pattern: "re.Pattern[str]") -> str:
        """Take what the pattern matches here; every pattern used with it matches nothing, too."""
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found.group() if found else ""

    def document(self) -> "dict[str, Any]":
        control = _CONTROL.search(self.text)
        if control:
            self.at = control.start()
            self.fail("a control character must be written as an escape, in double quotes")
        self.run(_GAP_WITH_COMMENTS)
        while self.at < len(self.text):
            if self.ahead("["):
                self.header()
            else:
                self.assignment()
            if not self.run(_LINE_END) and self.at < len(self.text):
                self.fail("the line should end here")
            self.run(_GAP_WITH_COMMENTS)
        return self.root

    def assignment(self) -> None:
        key = self.key()
        self.run(_BLANK)
        if self.ahead("."):
            self.fail("a dotted key is only read between brackets, as a table's name")
        if not self.take("="):
            self.fail(f"the key {_shown(key)} should be followed by '='")
        if key in self.table:
            self.fail(f"the key {_shown(key)} is there twice")
        self.run(_BLANK)
        self.table[key] = self.value(0)

    def header(self) -> None:
        end = "]]" if self.take("[[") else "]"
        self.at += 2 - len(end)
        path: list[str] = []
        while not path or self.take("."):
            self.run(_BLANK)
            path.append(self.key())
            self.run(_BLANK)
        if len(path) > MOST_NESTED:
            self.fail(f"a table's name has more than {MOST_NESTED} parts")
        if not self.take(end):
            self.fail(f"the table's name should end with {end}")
        parent = self.root
        for part in path[:-1]:
            parent = self.inner(parent.setdefault(part, {}), part)
        self.table = self.append(parent, path[-1]) if end == "]]" else parent.setdefault(path[-1], {})
        if not isinstance(self.table, dict) or id(self.table) in self.opened:
            self.fail(f"{_shown(path[-1])} is there twice")
        self.opened.add(id(self.table))

    def inner(self, value: Any, name: str) -> "dict[str, Any]":
        """Return the table that the next part of a table's name belongs to."""
        value = value[-1] if id(value) in self.arrays else value
        if not isinstance(value, dict):
            self.fail(f"{_shown(name)} is already a value, so it cannot be a table")
        return value

    def append(self, parent: "dict[str, Any]", name: str) -> "dict[str, Any]":
        if name not in parent:
            parent[name] = []
            self.arrays.add(id(parent[name]))
        if id(parent[name]) not in self.arrays:
            self.fail(f"{_shown(name)} is already there, and is no array of tables")
        table: dict[str, Any] = {}
        parent[name].append(table)
        return table

    def key(self) -> str:
        if self.ahead('"') or self.ahead("'"):
            self.at += 1
            return self.string(self.text[self.at - 1])
        key = self.run(_BARE_KEY)
        if not key:
            self.fail("a key should stand here: letters, digits, '_' and '-', or anything in quotes")
        return key

    def value(self, depth: int) -> Any:
        for quote in ('"', "'"):
            if self.take(quote * 3):
                return self.string(quote, lines=True)
            if self.take(quote):
                return self.string(quote)
        return self.array(depth + 1) if self.take("[") else self.word()

    def array(self, depth: int) -> "list[Any]":
        if depth > MOST_NESTED:
            self.fail(f"arrays are nested more than {MOST_NESTED} deep")
        values: list[Any] = []
        starts = self.starts[id(values)] = []
        self.run(_GAP_WITH_COMMENTS)
        while not self.take("]"):
            starts.append(self.at)
            values.append(self.value(depth))
            self.run(_GAP_WITH_COMMENTS)
            if self.take(","):
                self.run(_GAP_WITH_COMMENTS)
            elif not self.ahead("]"):
                self.fail("the array's values should be separated by ',' and end with ']'")
        return values

    def word(self) -> "bool | int":
        word = self.run(_WORD)
        if word in ("true", "false"):
            return word == "true"
        if not _INTEGER.fullmatch(word):
            self.fail(next((message for pattern, message in _REFUSED if pattern.match(word)), _NO_VALUE))
        if len(word) > 40 or not -(2**63) <= int(word) < 2**63:
            self.fail("the number does not fit in 64 bits")
        return int(word)

    def string(self, quote: str, lines: bool = False) -> str:
        """Read the rest of a string whose opening quotes are taken."""
        parts = []
        if lines:
            self.take("\n")
        while not self.take(quote * 3 if lines else quote):
            if self.at == len(self.text) or (self.ahead("\n") and not lines):
                self.fail(f"a text in {quote * 3} is never closed" if lines else "a quote is not closed on its line")
            self.at += 1
            escaped = quote == '"' and self.text[self.at - 1] == "\\"
            if not (escaped and lines and self.run(_JOINED_LINE)):
                parts.append(self.escape() if escaped else self.text[self.at - 1])
        for _ in range(2 if lines else 0):  # of five closing quotes the first two are text
            parts.append(quote if self.take(quote) else "")
        return "".join(parts)

    def escape(self) -> str:
        """Read the rest of an escape whose backslash is taken."""
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        length = {"u": 4, "U": 8}.get(letter)
        if length is None:
            self.fail("there is no such escape; a backslash itself is written \\\\")
        digits = self.text[self.at : self.at + length]
        number = int(digits, 16) if len(digits) == length and _HEX.fullmatch(digits) else -1
        if not (0 <= number < 0xD800 or 0xE000 <= number <= 0x10FFFF):
            self.fail(f"\\{letter} needs {length} hexadecimal digits that name a character")
        self.at += length
        return chr(number)


def _shown(name: str) -> str:
    """A name from the file, safe to print."""
    return ascii(name if len(name) <= 40 else name[:40] + "...")
