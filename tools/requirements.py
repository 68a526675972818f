"""The table of requirements, and the tests that bear their numbers.

Read by tools/generate_docs.py for docs/requirements.md, and by the tests that hold the two together.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "requirements" / "requirements.toml"
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


class Requirement(NamedTuple):
    """One line of the table."""

    number: int
    text: str
    complaints: "tuple[str, ...]"
    design: str = ""
    collector: bool = False  # the collector keeps it, alone or with the client
    covered: "tuple[str, ...]" = ()  # names of the collector's tests, wherever they are
    lacks: str = ""  # what of it is not built yet

    @property
    def title(self) -> str:
        """Its number as people say it."""
        return f"C{self.number}"

    @property
    def state(self) -> str:
        """Whether it holds, and by whom."""
        kept = "kept by the collector" if self.collector else "kept"
        return f"{kept}, in part" if self.lacks else kept


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


@cache
def tests_by_name() -> dict[str, list[NamedTest]]:
    """All tests of the repository."""
    found: dict[str, list[NamedTest]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in tests_in(path):
            found.setdefault(test.name, []).append(test)
    return found


def test_named(name: str) -> NamedTest:
    """Find a test by its name, wherever it is. Raises LookupError where there is none, or where two have that name."""
    found = tests_by_name().get(name, [])
    if len(found) != 1:
        raise LookupError(f"{len(found)} tests are named {name}: {', '.join(test.file for test in found) or 'was it renamed?'}")
    return found[0]


def numbered_tests() -> dict[int, list[NamedTest]]:
    """The tests that bear a requirement's number."""
    found: dict[int, list[NamedTest]] = {}
    for path in sorted(TABLE.parent.glob("test_*.py")):
        for test in tests_in(path):
            number = NUMBERED.fullmatch(test.name)
            if number:
                found.setdefault(int(number[1]), []).append(test)
    return found
