"""Each protection matters: with it taken out of the installed client, the test that stands beside it in the table fails."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest
import requirements
from requirements import Protection

from tests.conftest import ROOT, Installed

LONGEST = 170  # s for one test, set-up included
EXIT_FAILED = 1


class Verdict(NamedTuple):
    """What pytest said about one test."""

    status: int
    failures: list[str]  # the messages
    errors: int
    skipped: list[str]  # why
    output: str


def without(one: Protection, installed: Installed, directory: Path) -> Path:
    """Copy the installed client, all but the patched file by hard links, with one protection taken out."""
    (package,) = installed.directory.glob("client/lib/python3*/site-packages/innerloop")
    copied = directory / "installed"
    shutil.copytree(installed.directory / "client", copied / "client", symlinks=True, copy_function=os.link)
    for name in ("collector", "wheels"):
        (copied / name).symlink_to(installed.directory / name)
    local = copied / "home" / ".local"
    for link, target in (("bin/innerloop", "client/bin/innerloop"), ("share/uv/tools/innerloop", "client")):
        (local / link).parent.mkdir(parents=True)
        (local / link).symlink_to(copied / target)
    patched = copied / "client" / one.file
    if one.file != "bin/innerloop":
        patched = copied / package.relative_to(installed.directory) / one.file
        for compiled in patched.parent.glob(f"__pycache__/{patched.stem}.*"):
            compiled.unlink()
    text, mode = patched.read_text(), patched.stat().st_mode
    assert text.count(one.old) == 1, "the installed file is not that of this checkout"
    patched.unlink()
    patched.write_text(text.replace(one.old, one.new))
    patched.chmod(mode)
    return copied


def verdict(test: str, directory: Path, **env: str) -> Verdict:
    """Run one test in a pytest of its own."""
    report = directory / "report.xml"
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-o",
        "addopts=-ra --strict-markers --import-mode=importlib",
    ]
    words += ["-m", "", f"--basetemp={directory / 'tmp'}", f"--junitxml={report}", "--timeout", str(LONGEST - 20), test]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(words, cwd=ROOT, env=inherited | env, capture_output=True, text=True, timeout=LONGEST, check=False)
    suite = next(ET.parse(report).iter("testsuite"))
    failures = [str(failure.get("message")) for failure in suite.iter("failure")]
    skipped = [str(skip.get("message")) for skip in suite.iter("skipped")]
    return Verdict(done.returncode, failures, int(suite.get("errors", "0")), skipped, done.stdout[-4000:] + done.stderr[-1000:])


@pytest.mark.slow
@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize("one", requirements.protections(), ids=lambda one: one.name)
def test_without_this_protection_its_test_fails(one: Protection, installed: Installed, tmp_path: Path) -> None:
    """By an assertion of its own: not in its set-up, not because something could not be read, not by hanging.

    Where this machine cannot run that test, the protection was not tried, and that is said.
    """
    found = verdict(one.test, tmp_path, INNERLOOP_TEST_INSTALLED=str(without(one, installed, tmp_path)))
    if found.skipped:
        pytest.skip(f"NOT TESTED: {one.test} cannot run here: {found.skipped[0]}")

    assert (EXIT_FAILED, 0, 1) == (found.status, found.errors, len(found.failures)), found.output
    assert re.match(r"AssertionError|assert ", found.failures[0]), found.output


@pytest.mark.slow
def test_the_copy_itself_makes_no_test_fail(installed: Installed, tmp_path: Path) -> None:
    """With nothing taken out but a comment put in, a test passes: so what fails above fails for its patch."""
    harmless = Protection("", (), "launcher/record.py", 'HEAD = b"innerloop-run 1"', 'HEAD = b"innerloop-run 1"  # the same', "")
    copied = without(harmless, installed, tmp_path)
    found = verdict(
        "tests/requirements/test_files.py::test_c34_locks_that_somebody_holds_hold_up_no_command",
        tmp_path,
        INNERLOOP_TEST_INSTALLED=str(copied),
    )

    assert (0, 0, []) == (found.status, found.errors, found.failures), found.output
    assert "  # the same" in next(copied.glob("client/lib/python3*/site-packages/innerloop/launcher/record.py")).read_text()


def test_a_test_that_this_machine_cannot_run_proves_nothing_and_says_so(tmp_path: Path) -> None:
    """Its verdict names the reason, with which the protection's own test is skipped."""
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it(): pytest.skip('no bindfs here')\n")
    found = verdict(str(tmp_path / "test_it.py"), tmp_path)

    assert (0, [], 0, ["no bindfs here"]) == (found.status, found.failures, found.errors, found.skipped)
