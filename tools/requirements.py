"""The table of requirements, the tests that bear their numbers, and the protections that were shown to matter.

Read by tools/generate_docs.py for docs/requirements.md, and by the tests that hold the three together.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "requirements" / "requirements.toml"
PROTECTIONS = ROOT / "tests" / "protections" / "protections.toml"
CLIENT = ROOT / "packages" / "client"
NUMBERED = re.compile(r"test_c(\d\d)_\w+")


class NamedTest(NamedTuple):
    """One test: its file, from the repository's root, and its name."""

    file: str
    name: str

    @property
    def id(self) -> str:
        """What pytest calls it."""
        return f"{self.file}::{self.name}"

    @property
    def promise(self) -> str:
        """Its name as a sentence."""
        return re.sub(r"^test_(c\d\d_)?", "", self.name).replace("_", " ")


class Protection(NamedTuple):
    """A small patch that takes one protection out, and the test that must fail then."""

    name: str
    requirements: "tuple[int, ...]"
    file: str  # inside the package innerloop, or `bin/innerloop`, the script
    old: str
    new: str
    test: str  # as pytest calls it

    @property
    def source(self) -> Path:
        """The file in this repository."""
        return CLIENT / "scripts" / "innerloop" if self.file == "bin/innerloop" else CLIENT / "src" / "innerloop" / self.file


class Requirement(NamedTuple):
    """One line of the table."""

    number: int
    text: str
    complaints: "tuple[str, ...]"
    design: str = ""
    theirs: str = ""
    covered: "tuple[str, ...]" = ()

    @property
    def title(self) -> str:
        """Its number as people say it."""
        return f"C{self.number}"

    @property
    def state(self) -> str:
        """Whether it holds here, and if nobody can say so yet, whose it is or what it waits for."""
        return f"theirs: {self.theirs}" if self.theirs else "kept"


def requirements() -> list[Requirement]:
    """The whole table, in the order of the numbers."""
    rows: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["requirement"]
    lists = ("complaints", "covered")
    return [Requirement(**{**row, **{key: tuple(row.get(key, ())) for key in lists}}) for row in rows]


def tests_in(path: Path) -> Iterator[NamedTest]:
    """Every test of a file, by name."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield NamedTest(path.relative_to(ROOT).as_posix(), node.name)


def numbered_tests() -> dict[int, list[NamedTest]]:
    """The tests that bear a requirement's number."""
    found: dict[int, list[NamedTest]] = {}
    for path in sorted(TABLE.parent.glob("test_*.py")):
        for test in tests_in(path):
            number = NUMBERED.fullmatch(test.name)
            if number:
                found.setdefault(int(number[1]), []).append(test)
    return found


def protections() -> list[Protection]:
    """The table of small patches."""
    rows: list[dict[str, Any]] = tomllib.loads(PROTECTIONS.read_text(encoding="utf-8"))["protection"]
    return [Protection(**{**row, "requirements": tuple(row["requirements"])}) for row in rows]
