"""No file imports itself by way of others, and the check that says so notices each kind of import."""

import subprocess
import sys
from pathlib import Path

import pytest
from import_cycles import PACKAGES, cycle_in, graph

from tests.conftest import ROOT

TOOL = ROOT / "tools" / "import_cycles.py"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_file_imports_itself_by_way_of_others(package: Path) -> None:
    assert [] == cycle_in(graph(package))


def test_lint_looks_for_import_cycles() -> None:
    assert "$(RUN) python tools/import_cycles.py" in (ROOT / "Makefile").read_text(encoding="utf-8")


BACK = {
    "at the top": "from shop.a import f\n",
    "a module as a whole": "import shop.a\n",
    "in a function": "def g():\n    from shop import a\n    return a\n",
    "relative": "from .a import f\n",
    "for types": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from shop.a import f\n",
    "by a string": "import importlib\ng = importlib.import_module('shop.a')\n",
    "by the name of a function in it": "NAME = 'shop.a.f'\n",
}


@pytest.mark.parametrize("back", BACK.values(), ids=BACK)
def test_a_cycle_fails_and_is_named(back: str, tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from shop.b import g\n\n\ndef f(): pass\n")
    (package / "b.py").write_text(back)
    done = subprocess.run([sys.executable, TOOL, package], capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert done.stdout in ("import cycle: shop.a -> shop.b -> shop.a\n", "import cycle: shop.b -> shop.a -> shop.b\n")
