"""Take a protection out of a copy of the collector, and run the test of it on that copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

_SOURCE = ROOT / "packages" / "collector" / "src"


class Patch(NamedTuple):
    """One protection taken out, and the test that must fail without it."""

    file: str
    old: str
    new: str
    test: str


def copy(directory: Path, patch: Patch | None = None) -> Path:
    """Copy the collector's source, with a protection taken out."""
    source = Path(shutil.copytree(_SOURCE, directory / "src", ignore=shutil.ignore_patterns("__pycache__")))
    if patch is not None:
        file = source / "innerloop_collector" / patch.file
        text = file.read_text()
        assert 1 == text.count(patch.old), "the patch does not fit the source any more"
        file.write_text(text.replace(patch.old, patch.new))
    return source


def run(source: Path, *tests: str) -> "subprocess.CompletedProcess[str]":
    """Run tests on a copy."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib",
         *(f"tests/collector/{test}" for test in tests)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )  # fmt: skip


def caught(source: Path, test: str) -> None:
    """Assert that a test ran on a copy, and failed."""
    done = run(source, test)
    assert 1 == done.returncode, done.stdout + done.stderr  # 1: tests ran and failed
    assert "failed" in done.stdout
    assert "SyntaxError" not in done.stdout
