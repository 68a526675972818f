"""Add names to the list of an `innerloop.toml` that is there, in place: every other byte stays.

The result is read again before anybody writes it: where it does not say what the old file said plus the names, nothing is
changed.
"""

import copy
import re
from typing import Any

from innerloop.core.plan import toml
from innerloop.tools.setup import template
from innerloop.tools.setup.changes import Refused
from innerloop.tools.setup.template import Listed

_TOKEN = re.compile(
    r'"""(?:\\.|(?!""").)*"""|\'\'\'(?:(?!\'\'\').)*\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]\n]|[ \t]+|[^\[\]\n"\'#]+',
    re.DOTALL,
)
_ENTRY = re.compile(r'\s*"[^"\\]*",\s*(?:#.*)?$')  # a line with one name, as init writes them
_TABLE = re.compile(r"\[[ \t]*(?:names|\"names\"|'names')[ \t]*\][ \t]*(?:#[^\n]*)?")
_ALLOW = re.compile(r"(?:allow|\"allow\"|'allow')[ \t]*=[ \t]*")


def listed(data: bytes) -> "list[str]":
    """The names that a file lists. Raises Refused where it cannot be read."""
    names = _read(data).get("names", {})
    allow = names.get("allow", []) if isinstance(names, dict) else []
    return [name for name in allow if isinstance(name, str)] if isinstance(allow, list) else []


def document(data: bytes) -> "dict[str, Any]":
    """A project file as it is. Raises Refused where it cannot be read."""
    return _read(data)


def add(data: bytes, new: "list[Listed]") -> bytes:
    """The file with names added to its list. Raises Refused where that cannot be done without touching anything else."""
    before = _read(data)
    wanted = copy.deepcopy(before)
    names = wanted.setdefault("names", {})
    names["allow"] = [*names.get("allow", []), *(one.name for one in new)]
    text = data.decode("utf-8")
    grouped = _insert_in_groups(text, new)
    if grouped and _means(grouped, wanted, in_order=False):
        return grouped.encode()
    after = _insert(text, new)
    if not _means(after, wanted, in_order=True):
        raise Refused("the list of names in innerloop.toml is written in a way that init cannot add to; add the names above by hand")
    return after.encode()


def _read(data: bytes) -> "dict[str, Any]":
    try:
        return toml.loads(data.decode("utf-8"))
    except ValueError as error:
        raise Refused(f"innerloop.toml: {error}") from error


def _means(text: str, wanted: "dict[str, Any]", in_order: bool) -> bool:
    """Tell whether a file says what it shall; names that stand elsewhere in their list mean the same."""
    try:
        found = toml.loads(text)
    except toml.TomlError:
        return False
    if not in_order and isinstance(found.get("names"), dict) and len(found["names"].get("allow", [])) == len(wanted["names"]["allow"]):
        if set(found["names"]["allow"]) != set(wanted["names"]["allow"]):
            return False
        found["names"]["allow"] = wanted["names"]["allow"]
    return found == wanted


def _insert_in_groups(text: str, new: "list[Listed]") -> str:
    """Put each name under the heading of its Makefile, as init wrote them; empty where no heading is so."""
    _, opening, closing, _ = _places(text)
    if closing < 0:
        return ""
    lines = text[opening:closing].splitlines(keepends=True)
    if not any(template.heading(one.source) in lines for one in new):
        return ""
    for source in dict.fromkeys(one.source for one in new):
        block = template.lines([one for one in new if one.source == source]).splitlines(keepends=True)
        at = next((at for at, line in enumerate(lines) if line == block[0]), -1)
        if at < 0:
            lines += block
            continue
        end = at + 1
        while end < len(lines) and _ENTRY.match(lines[end]):
            end += 1
        lines[end:end] = block[1:]
    return text[:opening] + "".join(lines) + text[closing:]


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
