"""How the collector's packages stand; which may import which is a contract in pyproject.toml."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.conftest import ROOT

_NAME = "innerloop_collector"
_SOURCE = ROOT / "packages" / "collector" / "src" / _NAME
_LARGEST_SHARE = 0.2
_OWN_PROGRAM = "demo"  # it imports nothing of the rest, so that its files may be called as theirs are


def _modules() -> dict[str, Path]:
    """Every file by its dotted name."""
    found = {}
    for path in _SOURCE.rglob("*.py"):
        parts = path.relative_to(_SOURCE.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def _imports(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Which of the files a file imports, wherever in it: also what is imported by a string."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                yield f"{node.module}.{name.name}" if f"{node.module}.{name.name}" in known else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known:
            yield node.value


def test_no_file_imports_itself_by_way_of_others() -> None:
    known = _modules()
    left = {name: {one for one in _imports(path, known) if one in known} - {name} for name, path in known.items()}
    while ends := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in ends}

    assert {} == left, "these files are in a circle, or lead into one"


def test_no_package_is_larger_than_a_fifth() -> None:
    lines: Counter[str] = Counter()
    for path in _SOURCE.rglob("*.py"):
        lines[path.relative_to(_SOURCE).parts[0]] += len(path.read_text().splitlines())

    assert {} == {name: count for name, count in lines.items() if count > _LARGEST_SHARE * lines.total()}


def test_a_files_name_says_in_which_package_it_is() -> None:
    places = defaultdict(list)
    for path in _SOURCE.rglob("*.py"):
        if path.name not in ("__init__.py", "__main__.py") and path.relative_to(_SOURCE).parts[0] != _OWN_PROGRAM:
            places[path.name].append(str(path.relative_to(_SOURCE)))

    assert {} == {name: found for name, found in places.items() if len(found) > 1}
