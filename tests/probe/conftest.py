"""A probe, ready for make, and a place where Makefiles are run bare and measured. MAKE_UNDER_TEST names another make."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import build_shim
import pytest
from filelock import FileLock

from innerloop.core.probe import place
from tests.conftest import ROOT
from tests.kept import keep, member

Since = Callable[..., None]
MAKE = os.environ.get("MAKE_UNDER_TEST", "make")
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PWD": "/elsewhere", "TERM": "dumb"}


JOB_SERVER = re.compile(r"(--jobserver-(?:auth|fds)=)\S+")  # a name with make's process id in it, since make 4.4


class Line(NamedTuple):
    """A recipe line as the log has it; names as make knows them."""

    id: str
    up: str
    make: int
    level: int
    flags: str
    start: int
    cwd: str
    target: str
    normal: tuple[str, ...]
    order: tuple[str, ...]
    end: int | None = None
    status: int | None = None
    user: int = 0
    system: int = 0
    memory: int = 0


class Ended(NamedTuple):
    """What can be seen of a make from outside."""

    status: int
    out: str
    err: str


def named(text: str) -> str:
    """Take a name's escapes back."""
    head, *rest = text.split("%")
    data = head.encode() + b"".join(bytes([int(part[:2], 16)]) + part[2:].encode() for part in rest)
    return data.decode()


def read(log: Path) -> list[Line]:
    """The lines of a log in the order in which they began, with what is known of their ends."""
    lines: dict[str, Line] = {}
    for record in log.read_text().splitlines():
        kind, name, *rest = record.split("\t")
        if kind == "b":
            up, make, level, flags, start, cwd, target, normal, order = rest
            names = [tuple(named(word) for word in words.split(" ") if word) for words in (normal, order)]
            lines[name] = Line(name, up, int(make), int(level), flags, int(start), named(cwd), named(target), *names)
        else:
            assert kind == "e"
            end, status, user, system, memory = map(int, rest)
            lines[name] = lines[name]._replace(end=end, status=status, user=user, system=system, memory=memory)
    return list(lines.values())


class Stage:
    """A directory with Makefiles, and a probe beside it, in a run that goes on until `lock` is closed."""

    def __init__(self, base: Path, probe: str) -> None:
        """Make the directory and an empty log."""
        self.base = base
        self.work = base / "work"
        self.work.mkdir()
        self.log = base / "log"
        self.lock = keep(self.log)
        self.probe = Path(probe)

    def write(self, text: str, name: str = "Makefile") -> None:
        """Write a Makefile. A line's recipe begins with a tab, as in make, or with `> ` for the eye."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line.replace("> ", "\t", 1) if line.startswith("> ") else line for line in text.splitlines(keepends=True)))

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a measured make."""
        return ENVIRONMENT | {"MAKEFILES": f"{self.probe}/probe.mk", "__innerloop": member(self.log)} | more

    def bare(self, *words: str, **more: str) -> Ended:
        """Run make without us."""
        return self._run(words, ENVIRONMENT | more)

    def measured(self, *words: str, **more: str) -> Ended:
        """Run make with the probe."""
        return self._run(words, self.env(**more))

    def same(self, *words: str, **more: str) -> Ended:
        """Run make in both ways, demand that nobody could tell, and return what was seen."""
        bare = self.bare(*words, **more)

        assert bare == self.measured(*words, **more)
        return bare

    def _run(self, words: tuple[str, ...], env: dict[str, str]) -> Ended:
        done = subprocess.run(
            [MAKE, *words], cwd=self.work, env=env, capture_output=True, text=True, check=False, timeout=60, errors="surrogateescape"
        )
        settled = [JOB_SERVER.sub(r"\1", text) for text in (done.stdout, done.stderr)]
        return Ended(done.returncode, *settled)

    def lines(self) -> list[Line]:
        """What was recorded."""
        return read(self.log)

    def targets(self) -> list[str]:
        """The targets of what was recorded, line by line."""
        return [line.target for line in self.lines()]

    def mode(self, *words: str) -> str:
        """The probe's mode, as a recipe sees it."""
        (self.base / "mode.mk").write_text("innerloop-print-mode: ; $(info $(.innerloop-mode))\n")
        return self._run(("-f", "Makefile", "-f", f"{self.base}/mode.mk", *words, "innerloop-print-mode"), self.env()).out.splitlines()[0]


@pytest.fixture(scope="session")
def shims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled shims."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with FileLock(ROOT / ".cache" / "shim.lock"):
        build_shim.build()
    return build_shim.BIN


@pytest.fixture
def stage(shims: Path, tmp_path: Path) -> Iterator[Stage]:
    """A probe and a directory to run make in."""
    directory, reason = place.prepare(str(tmp_path))
    assert reason == ""
    stage = Stage(tmp_path, directory)
    yield stage
    with suppress(OSError):
        os.close(stage.lock)


@pytest.fixture(scope="session")
def version() -> tuple[int, ...]:
    """The version of the make under test."""
    said = subprocess.run([MAKE, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return tuple(int(part) for part in said.split("."))


@pytest.fixture
def since(version: tuple[int, ...]) -> Callable[..., None]:
    """Skip a test where make is older."""

    def need(*oldest: int) -> None:
        if version < oldest:
            pytest.skip(f"this is make {'.'.join(map(str, version))}")

    return need
