"""Add names to the list of an `innerloop.toml` that is there, in place: every other byte stays.

The result is read again before anybody writes it: where it does not say what the old file said plus the names, nothing is
changed. May import: the standard library, toml, and this package.
"""

import copy
import re
from typing import Any

from innerloop import toml
from innerloop.setup import template
from innerloop.setup.changes import Refused
from innerloop.setup.template import Listed

_TOKEN = re.compile(
    r'"""(?:\\.|(?!""").)*"""|\'\'\'(?:(?!\'\'\').)*\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]\n]|[ \t]+|[^\[\]\n"\'#]+',
    re.DOTALL,
)
_TABLE = re.compile(r"\[[ \t]*(?:names|\"names\"|'names')[ \t]*\][ \t]*(?:#[^\n]*)?")
_ALLOW = re.compile(r"(?:allow|\"allow\"|'allow')[ \t]*=[ \t]*")


def listed(data: bytes) -> "list[str]":
    """The names that a file lists. Raises Refused where it cannot be read."""
    names = _read(data).get("names", {})
    allow = names.get("allow", []) if isinstance(names, dict) else []
    return [name for name in allow if isinstance(name, str)] if isinstance(allow, list) else []


def add(data: bytes, new: "list[Listed]") -> bytes:
    """The file with names added to its list. Raises Refused where that cannot be done without touching anything else."""
    before = _read(data)
    wanted = copy.deepcopy(before)
    names = wanted.setdefault("names", {})
    names["allow"] = [*names.get("allow", []), *(one.name for one in new)]
    after = _insert(data.decode("utf-8"), new)
    try:
        good = toml.loads(after) == wanted
    except toml.TomlError:
        good = False
    if not good:
        raise Refused("the list of names in innerloop.toml is written in a way that init cannot add to; add the names above by hand")
    return after.encode()


def _read(data: bytes) -> "dict[str, Any]":
    try:
        return toml.loads(data.decode("utf-8"))
    except ValueError as error:
        raise Refused(f"innerloop.toml: {error}") from error


def _insert(text: str, new: "list[Listed]") -> str:
    end = "\r\n" if "\r\n" in text.partition("\n")[0] + "\n" else "\n"
    lines = template.lines(new).replace("\n", end)
    table, opening, closing, last = _places(text)
    if closing >= 0:
        comma = "" if last < 0 or text[last] in ",[" else ","
        head = text[: last + 1] + comma + text[last + 1 : closing] if comma else text[:closing]
        start = head.rfind("\n") + 1
        if head[start:].strip() == "" and start > opening:  # the bracket stands on a line of its own
            return head[:start] + lines + head[start:] + text[closing:]
        return head.rstrip(" \t") + end + lines + text[closing:]
    block = f"allow = [{end}{lines}]{end}"
    if table >= 0:
        return text[:table] + ("" if text[table - 1] == "\n" else end) + block + text[table:]
    return text + ("" if text.endswith("\n") or not text else end) + f"{end}[names]{end}{block}"


def _places(text: str) -> "tuple[int, int, int, int]":
    """Where the line behind `[names]` begins; where its list opens and closes; the last character in it that is no comment or blank."""
    table = opening = closing = last = -1
    inside, depth, fresh = False, 0, True
    at = 0
    while at < len(text):
        rest = _TABLE.match(text, at) if fresh and depth == 0 else None
        allow = _ALLOW.match(text, at) if fresh and inside and depth == 0 else None
        if rest:
            at, inside = rest.end(), True
            table = text.find("\n", at) + 1 or len(text)
            continue
        if allow and text[allow.end() : allow.end() + 1] == "[":
            opening = last = allow.end()
            at, depth, fresh = allow.end() + 1, 1, False
            continue
        token = _TOKEN.match(text, at)
        piece = token[0] if token else text[at]
        if piece == "[" and fresh and depth == 0:
            inside = False
        if opening >= 0 and closing < 0:
            depth += {"[": 1, "]": -1}.get(piece, 0)
            if depth == 0:
                closing = at
            elif piece.strip() and not piece.startswith("#"):
                last = at + len(piece.rstrip()) - 1
        fresh = piece == "\n" or (fresh and not piece.strip())
        at += len(piece)
    return table, opening, closing, last
