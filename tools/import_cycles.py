"""No import cycle among the files of a distribution, by whatever kind of import: also inside a function, for types only, or by a string.

usage: import_cycles.py [PACKAGE_DIRECTORY...]

Without arguments both distributions are looked at. import-linter sees neither a name in a string nor what is imported for types.
"""

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (ROOT / "packages/client/src/innerloop", ROOT / "packages/collector/src/innerloop_collector")


def main(arguments: list[str]) -> int:
    """Print one cycle of each package that has any."""
    found = [cycle for package in arguments or PACKAGES if (cycle := cycle_in(graph(Path(package))))]
    for cycle in found:
        print("import cycle: " + " -> ".join(cycle))
    return 1 if found else 0


def graph(package: Path) -> dict[str, set[str]]:
    """Return which modules of a package each of them imports."""
    files = {_name(path, package): path for path in sorted(package.rglob("*.py"))}
    return {name: set(_imports(path, name, files)) - {name, package.name} for name, path in files.items()}


def cycle_in(imports: dict[str, set[str]]) -> list[str]:
    """Return a cycle, its first module again at its end; empty where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _name(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, name: str, files: dict[str, Path]) -> Iterator[str]:
    package = name.partition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        wanted: list[str] = []
        match node:
            case ast.Import(names=names):
                wanted = [one.name for one in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                above = name.split(".")[: -level or None] if level else []
                base = ".".join([*above, *([module] if module else [])])
                wanted = [f"{base}.{one.name}" for one in names]
            case ast.Constant(value=str(text)) if re.fullmatch(rf"{package}(\.\w+)+", text):
                wanted = [text]
        yield from (module for one in wanted if (module := _module(one, files)))


def _module(name: str, files: dict[str, Path]) -> str:
    """The module that a dotted name is of, or `` where it is none of this package's."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
