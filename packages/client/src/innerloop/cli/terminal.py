"""Talk with a person: stdout holds what was asked for, stderr what is said. May import: the standard library, the plan."""

import os
import sys
from typing import NoReturn

from innerloop.plan.project import clean


class Failure(Exception):
    """The command cannot do what was asked: one line that says what, why and what to do. Exit status 1."""


def count(number: int, what: str, several: str = "") -> str:
    """A number and what is counted, in the singular or the plural."""
    return f"{number} {what if number == 1 else several or what + 's'}"


def say(text: str) -> None:
    """Print to the person, after everything that was printed before. Nothing of it can steer the terminal."""
    sys.stdout.flush()
    print(clean(text, keep_lines=True), file=sys.stderr, flush=True)


def ask(text: str) -> str:
    """Print a question and read one line. Typed-ahead input counts; the end of input is an empty line."""
    sys.stdout.flush()
    sys.stderr.write(text)
    sys.stderr.flush()
    line = bytearray()
    while True:  # byte by byte: nothing that was typed for the next program is taken
        byte = os.read(0, 1)
        if byte in (b"", b"\n"):
            break
        line += byte
    if byte == b"":
        say("")
    return line.decode("utf-8", "replace").strip()


def at_terminal() -> bool:
    """Whether a person sits at all three standard streams."""
    return all(os.isatty(number) for number in (0, 1, 2))


def give(data: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def leave(status: int) -> NoReturn:
    """End with a status, without a traceback where stdout is closed already."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise SystemExit(status)
