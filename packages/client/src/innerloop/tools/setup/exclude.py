"""Lines of `.git/info/exclude`, by which a file of one developer stays out of git. Functions of bytes.

What was there before is restored to the byte, also a last line without an end.
"""

from typing import Optional

NOTE = b"# innerloop init"
MADE = NOTE + b" made this file"


def is_added(data: "Optional[bytes]", pattern: bytes) -> bool:
    """Tell whether our two lines for a pattern are there."""
    return _find((data or b"").split(b"\n"), pattern) >= 0


def add(data: "Optional[bytes]", pattern: bytes) -> bytes:
    """Append a note and a pattern. A file that ended without an end of line ends without one afterwards."""
    if data is None:
        return MADE + b"\n" + NOTE + b"\n" + pattern + b"\n"
    if data and not data.endswith(b"\n"):
        return data + b"\n" + NOTE + b"\n" + pattern
    return data + NOTE + b"\n" + pattern + b"\n"


def remove(data: bytes, pattern: bytes) -> "Optional[bytes]":
    """Take out what `add` appended; None where nothing is left of a file that it made."""
    lines = data.split(b"\n")
    at = _find(lines, pattern)
    if at >= 0:
        del lines[at : at + 2]
    left = b"\n".join(lines)
    return None if left == MADE + b"\n" else left


def patterns(data: bytes) -> "list[bytes]":
    """The patterns that we added."""
    lines = data.split(b"\n")
    return [after for line, after in zip(lines, lines[1:]) if line == NOTE]


def _find(lines: "list[bytes]", pattern: bytes) -> int:
    for at in range(len(lines) - 1):
        if lines[at : at + 2] == [NOTE, pattern]:
            return at
    return -1
