"""Put recipe lines together: to targets, these to makes, and these to a tree.

A target is all lines with the same make, directory and name. A make runs under the recipe line that started it, however
that was done (`$(MAKE)`, a bare make, a script): that line's target is the parent of everything that the make ran.
"""

from collections.abc import Iterable
from typing import NamedTuple, Optional

from innerloop.core.targets.lines import Line

# How a target ended, as far as its lines and what came after them tell
DONE, FAILED, IGNORED, STOPPED, UNKNOWN, RUNNING = "done", "failed", "ignored", "stopped", "unknown", "running"

Key = tuple[int, str, str]  # of a make: process id, the line above it, directory


class Target(NamedTuple):
    """One target whose recipe ran. Times in ns of the monotonic clock; parents and causes are places in the list of targets."""

    name: str
    directory: str  # of its make, absolute
    make: int  # place in the list of makes
    parent: Optional[int]  # the target whose recipe ran this one's make
    lines: "tuple[Line, ...]"  # by their start
    start_ns: int
    end_ns: Optional[int]  # None: its last line has no end
    status: Optional[int]  # of the last line: exit status, or minus the signal
    cpu_us: int
    memory_kb: int  # the most that one process of it had
    prerequisites: "tuple[str, ...]"
    order_only: "tuple[str, ...]"
    outcome: str = UNKNOWN
    cause: Optional[int] = None  # the target below whose failure made this one fail
    critical: bool = False  # whether it is on the critical path
    own_ns: int = 0  # without what the targets below it took
    lane: Optional[int] = None  # from 0; only of targets that ran no make

    @property
    def duration_ns(self) -> Optional[int]:
        """From the start of its first line to the end of its last one."""
        return None if self.end_ns is None else self.end_ns - self.start_ns

    @property
    def failed(self) -> bool:
        """Whether it failed, and make did not ignore that."""
        return self.outcome == FAILED


class Make(NamedTuple):
    """One make that ran recipes."""

    pid: int
    level: int  # its MAKELEVEL: 0 at the top
    flags: str  # those of i, k and j
    directory: str
    parent: Optional[int]  # the target whose recipe started it; None at the top
    line: Optional[Line]  # the very line
    targets: "tuple[int, ...]"  # by their start


class Tree(NamedTuple):
    """The targets of a run by their start, and the makes that ran them."""

    targets: "list[Target]"
    makes: "list[Make]"

    def within(self) -> "dict[Optional[int], list[int]]":
        """The makes that ran under each target; under None those at the top."""
        found: "dict[Optional[int], list[int]]" = {}
        for number, make in enumerate(self.makes):
            found.setdefault(make.parent, []).append(number)
        return found


def build(lines: "list[Line]") -> Tree:
    """Build the tree of lines that are ordered by their start. A make whose parent is not there stands at the top."""
    by_id = {line.id: line for line in lines}
    of_target: "dict[tuple[Key, str], list[Line]]" = {}  # by their start, as the lines are
    for line in lines:
        of_target.setdefault((_key(line), line.target), []).append(line)
    places = {target: place for place, target in enumerate(of_target)}
    of_make: "dict[Key, list[int]]" = {}
    for place, (make, _) in enumerate(of_target):
        of_make.setdefault(make, []).append(place)
    numbers = {make: number for number, make in enumerate(of_make)}
    firsts = [some[0] for some in of_target.values()]
    makes = []
    for mine in of_make.values():
        first = firsts[mine[0]]
        above = by_id.get(first.up)
        if above is not None and above.start >= first.start:
            above = None  # damaged: no parent, so there are no circles either
        parent = None if above is None else places[_key(above), above.target]
        makes.append(Make(first.pid, first.level, first.flags, first.directory, parent, above, tuple(mine)))
    return Tree([_target(some, numbers[make], makes[numbers[make]]) for (make, _), some in of_target.items()], makes)


def _key(line: Line) -> Key:
    return line.pid, line.up, line.directory


def _target(lines: "list[Line]", number: int, make: Make) -> Target:
    last = lines[-1]
    ends = [line.end for line in lines]
    return Target(
        name=last.target,
        directory=make.directory,
        make=number,
        parent=make.parent,
        lines=tuple(lines),
        start_ns=lines[0].start,
        end_ns=None if last.end is None else max(end for end in ends if end is not None),
        status=last.status,
        cpu_us=sum(line.user_us + line.system_us for line in lines),
        memory_kb=max(line.memory_kb for line in lines),
        prerequisites=_together(line.prerequisites for line in lines),
        order_only=_together(line.order_only for line in lines),
    )


def _together(lists: "Iterable[tuple[str, ...]]") -> "tuple[str, ...]":
    return tuple(dict.fromkeys(name for names in lists for name in names))
