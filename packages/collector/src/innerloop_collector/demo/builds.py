"""What the demo's developers do all day: real builds of Lua with Lua's own untouched Makefile.

Every way in which a build can end comes from the sources themselves: a clean build, an incremental one after a change, a
syntax error, tests before anything is built, and Ctrl-C in the middle.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

COMMANDS = ("generic", "test", "clean", "echo", "pecho")  # goals of Lua's Makefile: the names that may leave

WHO_NEVER_TESTS = 5  # so that `test` is a command of some and not of all


class Build(NamedTuple):
    """One command as a developer types it."""

    goal: str
    expected: str  # "works", "fails" or "is interrupted"
    before: Callable[[Path], None] | None = None  # what the developer does to the checkout first
    interrupt_at: str = ""  # press Ctrl-C once the terminal shows this
    options: tuple[str, ...] = ("CFLAGS=-O0",)  # quick builds, as for debugging; arguments do not leave the machine

    @property
    def command(self) -> list[str]:
        """The command line."""
        return ["make", *self.options, self.goal]


def edit(name: str) -> Callable[[Path], None]:
    """Change a source file without changing what it means."""

    def change(checkout: Path) -> None:
        path = checkout / "src" / name
        path.write_text(path.read_text(encoding="latin-1") + "\n/* looked at again */\n", encoding="latin-1")
        _make_newer(path)

    return change


def break_(name: str) -> Callable[[Path], None]:
    """Forget something in a source file, so that it does not compile."""

    def change(checkout: Path) -> None:
        path = checkout / "src" / name
        path.write_text(path.read_text(encoding="latin-1") + "\nint forgotten(\n", encoding="latin-1")
        _make_newer(path)

    return change


def repair(name: str) -> Callable[[Path], None]:
    """Take that back."""

    def change(checkout: Path) -> None:
        path = checkout / "src" / name
        path.write_text(path.read_text(encoding="latin-1").replace("\nint forgotten(\n", "\n"), encoding="latin-1")
        _make_newer(path)

    return change


def _make_newer(path: Path) -> None:
    """Let make see the change even where the file system's clock is coarse."""
    time.sleep(0.01)
    path.touch()


def first_build() -> Build:
    """Return what everybody does first."""
    return Build("generic", "works", options=("-j2",))


def small_build() -> Build:
    """Return one that costs nothing: Lua's Makefile shows its settings."""
    return Build("echo", "works")


def working_day(number: int) -> list[Build]:
    """Return a developer's builds. They differ a little, as people do."""
    edited = ("lauxlib.c", "lgc.c", "lstring.c", "ltable.c", "lmathlib.c", "lobject.c")[number % 6]
    broken = ("lapi.c", "lcode.c", "ldebug.c")[number % 3]
    day = [
        Build("clean", "works"),
        Build("test", "fails"),  # nothing is built: there is no src/lua
        Build("generic", "works"),
        Build("test", "works"),
        Build("generic", "works", edit(edited)),
        Build("generic", "fails", break_(broken)),
        Build("generic", "works", repair(broken)),
        Build("test", "works"),
        Build("echo" if number % 2 else "pecho", "works"),  # three developers each: too few for a figure
        Build("clean", "works"),
        Build("generic", "is interrupted", interrupt_at="-o ldo.o"),
        Build("clean", "works"),
    ]
    return [build for build in day if build.goal != "test"] if number == WHO_NEVER_TESTS else day
