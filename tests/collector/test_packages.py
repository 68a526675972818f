"""How the collector's packages stand; which may import which is a contract in pyproject.toml."""

import subprocess
import sys
from collections import Counter, defaultdict

from tests.conftest import ROOT

_SOURCE = ROOT / "packages" / "collector" / "src" / "innerloop_collector"
_LARGEST_SHARE = 0.2
_OWN_PROGRAM = "demo"  # it imports nothing of the rest, so that its files may be called as theirs are
_SHOWING = {"reports", "terminal", "dashboard"}  # one subject may be a view, a table and a page, in files of the same name


def test_no_package_is_larger_than_a_fifth() -> None:
    lines: Counter[str] = Counter()
    for path in _SOURCE.rglob("*.py"):
        lines[path.relative_to(_SOURCE).parts[0]] += len(path.read_text().splitlines())

    assert {} == {name: count for name, count in lines.items() if count > _LARGEST_SHARE * lines.total()}


def test_a_files_name_says_in_which_package_it_is() -> None:
    places = defaultdict(list)
    for path in _SOURCE.rglob("*.py"):
        package = path.relative_to(_SOURCE).parts[0]
        if path.name not in ("__init__.py", "__main__.py") and package != _OWN_PROGRAM:
            places[path.name].append(package)

    assert {} == {
        name: found for name, found in places.items() if len(found) > 1 and not (set(found) <= _SHOWING and len(set(found)) == len(found))
    }


def test_what_only_backups_need_is_loaded_by_nobody_else() -> None:
    """pyarrow, and numpy with it, takes a quarter of the time in which a collector starts."""
    loaded = "import sys, innerloop_collector.composition.service; print(*sorted({'numpy', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).split() == []
