"""Read the lines of a target log: what the probe's shim wrote down about each recipe line, in the order of its writes.

    b ID UP MAKE-PID LEVEL FLAGS START DIRECTORY TARGET PREREQUISITES ORDER-ONLY     a recipe line starts
    e ID END STATUS USER-US SYSTEM-US MEMORY-KB                                      it ended
    c                                                                                one started that had no room any more

A log is full at 16 MB; from 4 MB on it names no prerequisites. Fields are separated by one tabulator, names escaped as %XX, lists separated by one blank. Times are those of the
monotonic clock (ns). Whatever cannot be read is counted, never raised: a build's log may be cut short at any byte.

What many lines say alike (directories, prerequisites) is kept once, so that a log takes memory for what it tells.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Callable, NamedTuple, Optional
from urllib.parse import unquote_to_bytes

BEGIN, END = 11, 7  # fields
DIGITS = 19  # of the largest number that we believe
FLAGS = frozenset("ijk")
MOST = 100_000  # recipe lines of a log that are understood: about as many take 16 MB
LARGEST = 34 << 20  # bytes of a log that are read; only the sh shim's, on a bash, may be larger than 17 MB


class Line(NamedTuple):
    """One recipe line that make ran. Times in ns of the monotonic clock."""

    id: str
    up: str  # id of the line that its make runs under, or empty
    pid: int  # of its make
    level: int  # its make's MAKELEVEL: 0 at the top
    flags: str  # those of i, k and j that its make runs under
    start: int
    directory: str  # absolute
    target: str
    prerequisites: "tuple[str, ...]"
    order_only: "tuple[str, ...]"
    end: Optional[int] = None  # None: it still runs, or was killed together with its shim
    status: Optional[int] = None  # exit status, or minus the signal
    user_us: int = 0
    system_us: int = 0
    memory_kb: int = 0


class Lines(NamedTuple):
    """What a log says."""

    lines: "list[Line]"  # by their start
    damaged: int  # records that could not be read
    cut: int  # recipe lines that started when the log was full, or are beyond what is read of one


def parse(records: "Iterable[bytes]") -> Lines:
    """Understand a log's records as they come: each ends with a newline, or is torn."""
    found: "dict[str, Line]" = {}
    begun = _reader()
    damaged = cut = read = 0
    for record in records:
        read += len(record)
        if record == b"c\n":
            cut += 1
            continue
        if read > LARGEST or (len(found) >= MOST and record.startswith(b"b\t")):
            cut += record.startswith(b"b\t")
            continue
        fields = record[:-1].decode("utf-8", "backslashreplace").split("\t")
        try:
            if not record.endswith(b"\n"):
                damaged += 1
            elif fields[0] == "b" and len(fields) >= BEGIN and fields[1] not in found:
                found[fields[1]] = begun(fields)
            elif fields[0] == "e" and len(fields) >= END and found[fields[1]].end is None:
                found[fields[1]] = _ended(found[fields[1]], fields)
            else:
                damaged += 1
        except KeyError:
            damaged += len(found) < MOST  # else it is the end of a line that was cut
        except ValueError:
            damaged += 1
    return Lines(sorted(found.values(), key=lambda line: line.start), damaged, cut)


def _reader() -> "Callable[[list[str]], Line]":
    """What reads the fields of a line that starts; what they say is one object, however often it stands in the log."""
    name_of = lru_cache(maxsize=None)(_name)
    list_of = lru_cache(maxsize=None)(lambda words: tuple([name_of(word) for word in words.split(" ")]) if words else ())

    def begun(fields: "list[str]") -> Line:
        _, line_id, up, pid, level, flags, start, directory, target, prerequisites, order_only = fields[:BEGIN]
        if not line_id or not target or not FLAGS.issuperset(flags):
            raise ValueError(line_id)
        return Line(
            line_id, up, _number(pid), _number(level), flags, _number(start), name_of(directory), name_of(target),
            list_of(prerequisites), list_of(order_only),
        )  # fmt: skip

    return begun


def _ended(line: Line, fields: "list[str]") -> Line:
    end, status, *usage = fields[2:END]
    user, system, memory = (_number(word) for word in usage)
    moment, code = _number(end), -_number(status[1:]) if status[:1] == "-" else _number(status)
    if moment < line.start:
        raise ValueError(end)
    return line._replace(end=moment, status=code, user_us=user, system_us=system, memory_kb=memory)


def _number(word: str) -> int:
    if not word.isdecimal() or len(word) > DIGITS:
        raise ValueError(word)
    return int(word)


def _name(word: str) -> str:
    """A name, whatever its bytes: those that are no text stay visible as they are."""
    return unquote_to_bytes(word).decode("utf-8", "backslashreplace") if "%" in word else word
