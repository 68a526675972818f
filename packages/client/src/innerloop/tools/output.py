"""Print what was asked for on stdout: texts, which cannot steer a terminal, and JSON, in which what could stands as an escape."""

import json
from typing import Any, Optional

from innerloop.core.shared.printable import clean
from innerloop.core.shared.terminal import UNUSUAL, safe, write


def count(number: int, what: str, several: str = "") -> str:
    """A number and what is counted, in the singular or the plural."""
    return f"{number} {what if number == 1 else several or what + 's'}"


def escaped(text: str) -> str:
    """JSON in which what could steer a terminal stands as an escape, which means the same."""
    return UNUSUAL.sub(lambda found: "".join(one if clean(one) else _escape(one) for one in found[0]), text)


def _escape(one: str) -> str:
    """A character as JSON writes it in a string. JSON itself leaves DEL as it is."""
    return "\\u007f" if one == "\x7f" else json.dumps(one)[1:-1]


def show(text: str, end: str = "\n") -> None:
    """Print what was asked for."""
    write(1, safe(text + end))


def show_json(document: Any, indent: Optional[int] = 2) -> None:
    """Print a document as JSON, in ASCII."""
    write(1, escaped(json.dumps(document, indent=indent) + "\n"))


def give(data: bytes) -> None:
    """Print JSON that is bytes already: the very ones, where they hold nothing that could steer a terminal."""
    write(1, escaped(data.decode("utf-8", "backslashreplace")), "utf-8")
