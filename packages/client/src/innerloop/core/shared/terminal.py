"""Talk with a person: stdout holds what was asked for, stderr what is said."""

import os
import re
import signal
import sys
from typing import Any, NoReturn

from innerloop.core.shared.printable import clean

COLOURS = ("31", "33", "2", "1", "0")  # of a timeline, and the end of each
_OURS = re.compile(rf"(\033\[(?:{'|'.join(COLOURS)})m)")
UNUSUAL = re.compile(r"[^\n -~]+")  # the rest is printable ASCII, and quick
_failed: "dict[int, OSError]" = {}  # by descriptor: why nothing more is written there
_lost: "set[int]" = set()  # descriptors on which something could not be printed


class Failure(Exception):
    """The command cannot do what was asked: one line that says what, why and what to do. Exit status 1."""


def prepare() -> None:
    """See to it that the three standard streams are open, so that no file of ours ever gets one of their numbers."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError as error:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
            _failed[number] = OSError(error.errno, "it is closed")


def safe(text: str) -> str:
    """A text for a terminal: nothing in it can steer it, hide or change order; lines stay, and colours of ours."""
    return "".join(
        part if number % 2 else UNUSUAL.sub(lambda found: clean(found[0]), part) for number, part in enumerate(_OURS.split(text))
    )


def line(text: str) -> str:
    """A text from elsewhere as part of a line of ours: in it, the end of a line is a blank."""
    return clean(" ".join(text.split("\n")))


def say(text: str) -> None:
    """Say something to the person, after everything that was printed before."""
    _flush(1)
    write(2, safe(text) + "\n")
    _flush(2)


def complain(error: Exception) -> None:
    """Say in one line what failed."""
    say(f"innerloop: {line(str(error))}")


def ask(text: str) -> str:
    """Print a question and read one line. Typed-ahead input counts; the end of input is an empty line, as is a question that nobody could read."""
    _flush(1)
    write(2, safe(text))
    _flush(2)
    if 2 in _failed:
        return ""
    line = bytearray()
    while True:  # byte by byte: nothing that was typed for the next program is taken
        byte = os.read(0, 1)
        if byte in (b"", b"\n"):
            break
        line += byte
    if byte == b"":
        say("")
    return line.decode("utf-8", "replace").strip()


def _stream(number: int) -> Any:
    return sys.stdout if number == 1 else sys.stderr


def write(number: int, text: str, encoding: str = "") -> None:
    """Write in the terminal's encoding; what that does not have is shown by its number. Raises nothing."""
    stream = _stream(number)
    if number in _failed or stream is None:
        _lost.add(number)
        return
    try:
        stream.buffer.write(text.encode(encoding or stream.encoding or "ascii", "backslashreplace"))
    except (OSError, ValueError) as error:
        _fail(number, error)


def _flush(number: int) -> None:
    stream = _stream(number)
    if number in _failed or stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError) as error:
        _fail(number, error)


def _fail(number: int, error: Exception) -> None:
    """Note that a stream takes nothing more; what is left in its buffer goes nowhere."""
    _failed[number] = error if isinstance(error, OSError) else OSError(0, "it is closed")
    _lost.add(number)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def leave(status: int) -> NoReturn:
    """End with a status; with 1 where what was asked for could not be printed, as a reader would not notice otherwise."""
    _flush(1)
    error = _failed.get(1) if 1 in _lost else None
    if isinstance(error, BrokenPipeError):
        status = 128 + signal.SIGPIPE  # whoever read our output has seen enough
    elif error and not status:
        say(f"innerloop: standard output: {error.strerror}; what was asked for could not be printed")
        status = 1
    raise SystemExit(status)
