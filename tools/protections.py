"""The table of protections: small patches that each take one protection out, and the test that must fail then.

A patch names a definition (a function, a method, a class, a constant, a variable of a makefile) by its dotted name, and a little
text in it. The definition is looked for in all files of its distribution, the text however its lines are broken, and the test by
its name in all tests: so a file may be moved, split or formatted anew, and the table stays as it is.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLES = {name: ROOT / "tests" / "protections" / f"{name}.toml" for name in ("client", "collector")}
SOURCES = {name: ROOT / "packages" / name / "src" for name in TABLES}
# Not `define`, not a rule: no protection lies in one yet.
_MAKE_VARIABLE = re.compile(r"^(?:export )?(?P<name>[.\w-]+) *[:+?]?= *(?P<value>(?:.*\\\n)*.*)$", re.MULTILINE)


class MisfitError(Exception):
    """A patch does not fit the sources, so nothing shows any more that its protection matters."""


class Definition(NamedTuple):
    """A name that is defined in a file, and where."""

    name: str  # with its module
    file: str  # from the directory of the distribution's sources
    text: str  # the whole file
    whole: slice
    inner: slice  # the body of a function or class without its docstring, or the value of a constant


class Protection(NamedTuple):
    """One row: a patch that takes one protection out, and the test that must fail then."""

    name: str
    definition: str  # the end of its dotted name, as long as it takes to tell it from others
    new: str
    test: str  # its name and, in brackets, its parameters
    old: str = ""  # text that stands there once; without it, `new` stands in the place of the whole body or value
    requirements: "tuple[int, ...]" = ()  # numbers of tests/requirements/requirements.toml
    distribution: str = ""

    def patched(self, sources: Path) -> tuple[str, str]:
        """Return the file, from the directory of the sources, and what is in it without this protection.

        Raises MisfitError where the table does not name one place, or where the patch leaves no Python behind.
        """
        definition, place = self._place(definitions(sources))
        text = definition.text
        line = text.rfind("\n", 0, place.start) + 1
        indent = re.match(r"\s*", text[line : place.start])
        assert indent is not None
        new = self.new.strip("\n").replace("\n", "\n" + indent[0])
        changed = text[: place.start] + new + text[place.stop :]
        if changed == text:
            raise MisfitError(f"{definition.name}: the patch changes nothing")
        if definition.file.endswith(".py"):
            try:
                compile(changed, definition.file, "exec")
            except SyntaxError as error:
                raise MisfitError(
                    f"{definition.name}: patched, line {error.lineno} of {definition.file} is no Python: {error.msg}"
                ) from None
        return definition.file, changed

    def _place(self, every: Sequence[Definition]) -> tuple[Definition, slice]:
        named = [one for one in every if f".{one.name}".endswith(f".{self.definition}")]
        if not named:
            raise MisfitError(f"nothing is named {self.definition}; {self._elsewhere(every)}")
        places = list(self._places(named))
        if not places:
            raise MisfitError(f"`{self.old}` does not stand in {_names(named)}; {self._elsewhere(every)}")
        if len(places) > 1:
            raise MisfitError(f"{self.definition} is not one place but {len(places)}: {_names([one for one, _ in places])}")
        return places[0]

    def _places(self, among: Sequence[Definition]) -> Iterator[tuple[Definition, slice]]:
        for one in among:
            if not self.old:
                yield one, one.inner
            else:
                yield from ((one, slice(*found.span())) for found in _loosely(self.old).finditer(one.text, one.whole.start, one.whole.stop))

    def _elsewhere(self, every: Sequence[Definition]) -> str:
        found = [one for one, _ in self._places(every)] if self.old else []
        return f"its text stands in {_names(found)}" if found else "its text stands nowhere"


def protections() -> list[Protection]:
    """Return the rows of both distributions."""
    found = []
    for distribution, table in TABLES.items():
        rows: list[dict[str, Any]] = tomllib.loads(table.read_text(encoding="utf-8"))["protection"]
        found += [Protection(**{**row, "requirements": tuple(row.get("requirements", ()))}, distribution=distribution) for row in rows]
    return found


@cache
def definitions(sources: Path) -> tuple[Definition, ...]:
    """Return whatever is defined in the Python and make files of a distribution."""
    found: list[Definition] = []
    for path in sorted(sources.rglob("*")):
        file = path.relative_to(sources)
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            found += (
                Definition(name, str(file), text, *spans) for name, *spans in _python(ast.parse(text), module, _Places(text), local=False)
            )
        elif path.suffix == ".mk":
            text = path.read_text(encoding="utf-8")
            variables = _MAKE_VARIABLE.finditer(text)
            found += (
                Definition(f"{module}.{one['name']}", str(file), text, slice(*one.span()), slice(*one.span("value"))) for one in variables
            )
    return tuple(found)


class _Places:
    """Offsets into a text of what the parser says in lines and bytes."""

    def __init__(self, text: str) -> None:
        self._lines = re.findall(r".*\n|.+", text)  # not splitlines: for the parser a form feed ends no line
        self._begin = [0]
        for line in self._lines:
            self._begin.append(self._begin[-1] + len(line))

    def span(self, first: ast.expr | ast.stmt, last: ast.expr | ast.stmt) -> slice:
        assert last.end_lineno is not None
        assert last.end_col_offset is not None
        return slice(self._offset(first.lineno, first.col_offset), self._offset(last.end_lineno, last.end_col_offset))

    def _offset(self, line: int, column: int) -> int:
        return self._begin[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _python(parent: ast.AST, prefix: str, places: _Places, *, local: bool) -> Iterator[tuple[str, slice, slice]]:
    """Walk down to whatever has a name of its own; the variables of a function have none."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{prefix}.{node.name}"
            body = node.body[1:] if ast.get_docstring(node) is not None and node.body[1:] else node.body
            first: ast.expr | ast.stmt = node.decorator_list[0] if node.decorator_list else node
            yield name, places.span(first, node), places.span(body[0], body[-1])
            yield from _python(node, name, places, local=not isinstance(node, ast.ClassDef))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = [] if local else node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in map(ast.unparse, targets):
                yield f"{prefix}.{target}", places.span(node, node), places.span(node.value, node.value)
        elif not isinstance(node, ast.expr):
            yield from _python(node, prefix, places, local=local)


_GAP = r"(?:\s|#[^\n]*)"  # a comment may be written anew too


@cache
def _loosely(text: str) -> "re.Pattern[str]":
    """Find a text whatever white space a formatter puts into it, and the comma that it puts before a closing bracket."""
    pieces = re.findall(r"\w+|\S", text)
    pattern = re.escape(pieces[0])
    for before, piece in pairwise(pieces):
        apart = "+" if before[-1].isalnum() and piece[0].isalnum() else "*"
        comma = rf"(?:,{_GAP}*)?" if piece in ")]}" and before != "," else ""
        pattern += f"{_GAP}{apart}{comma}{re.escape(piece)}"
    return re.compile(rf"(?<!\w){pattern}" if pieces[0][0].isalnum() else pattern)


def _names(some: Sequence[Definition]) -> str:
    return ", ".join(dict.fromkeys(f"{one.name} ({one.file})" for one in some))
