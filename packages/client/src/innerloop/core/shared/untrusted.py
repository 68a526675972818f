"""Parse JSON that somebody else may have written: an answer from the network, a file that may be damaged or planted.

Whatever the bytes are, parsing them takes bounded memory and time and ends in a value or in one ValueError.
"""

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 32  # objects and lists in each other
LONGEST_NUMBER = 40  # characters
# What changes nothing (an escape, a text's end and the next one's start at once), many at a time; else a bracket or a quote.
_MARK = re.compile(rb'(?:\\.|""){1,500}|[\[{\]}"]', re.DOTALL)


def parse(data: bytes) -> Any:
    """Read JSON text in UTF-8. Raises ValueError: for what is no JSON, lies too deep, names a key twice, or holds NaN or a monstrous number.

    How many bytes there may be is the caller's to say: whoever reads them does so within a bound.
    """
    if data.count(b"[") + data.count(b"{") > DEEPEST and _is_deep(data):
        raise ValueError(f"lists and objects lie more than {DEEPEST} deep in each other")
    return json.loads(
        data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole,
    )  # fmt: skip


def parse_object(data: bytes) -> "dict[str, Any]":
    """Read a JSON object. Raises ValueError as `parse` does, and for any other value."""
    value = parse(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 (it is about bytes)
    return value


def is_number(value: Any, most: float) -> bool:
    """Whether a value is a number, and nearer to zero than `most`."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < most


def is_whole(value: Any, most: float) -> bool:
    """Whether a value is a whole number, and nearer to zero than `most`."""
    return isinstance(value, int) and is_number(value, most)


def _is_deep(data: bytes) -> bool:
    """One mark at a time: a pattern for whole texts, and a list of what was found, take a hundred bytes for each of theirs."""
    depth, in_text = 0, False
    for mark in _MARK.finditer(data):
        found = mark[0]
        if found == b'"':
            in_text = not in_text
        elif not in_text and len(found) == 1:
            depth += 1 if found in b"[{" else -1
            if depth > DEEPEST:
                return True
    return False


def _once(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    value = float(text) if len(text) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:  # reading one of a million digits takes minutes
        raise ValueError("a number is too large")
    return int(text)
