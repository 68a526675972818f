"""Each protection matters: with it taken out of a copy, the test that stands beside it in the table fails."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import protections
import pytest
import requirements
from protections import Protection

from tests.conftest import ROOT, Installed
from tests.protections.copies import Copies

LONGEST = 240  # s for one test, set-up included
EXIT_FAILED = 1
TABLE = protections.protections()
# An assertion of the test's own, or an exception that it waits for in vain; not what goes wrong on the way there.
ITS_OWN = re.compile(r"AssertionError|assert |Failed: DID NOT RAISE")


class Verdict(NamedTuple):
    """What pytest said about one test."""

    status: int
    failures: list[str]  # the messages
    errors: int
    skipped: list[str]  # why
    output: str


@pytest.fixture(scope="session")
def copies(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Copies:
    return Copies(installed, tmp_path_factory.mktemp("copies"))


def verdict(test: str, directory: Path, **env: str) -> Verdict:
    """Run one test in a pytest of its own."""
    report = directory / "report.xml"
    words = [sys.executable, "-m", "pytest", "--disable-plugin-autoload", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
    words += ["-o", "addopts=-ra --strict-markers --import-mode=importlib", "-m", "", "--timeout", str(LONGEST - 20)]
    words += [f"--basetemp={directory / 'tmp'}", f"--junitxml={report}", test]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(words, cwd=ROOT, env=inherited | env, capture_output=True, text=True, timeout=LONGEST, check=False)
    output = done.stdout[-4000:] + done.stderr[-1000:]
    assert report.exists(), output
    suite = next(ET.parse(report).iter("testsuite"))
    failures = [str(failure.get("message")) for failure in suite.iter("failure")]
    skipped = [str(skip.get("message")) for skip in suite.iter("skipped")]
    return Verdict(done.returncode, failures, int(suite.get("errors", "0")), skipped, output)


def by_name(test: str) -> str:
    """Return what pytest calls a test of the table."""
    name, bracket, parameters = test.partition("[")
    return requirements.test_named(name).id + bracket + parameters


@pytest.mark.slow
@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.name)
def test_without_this_protection_its_test_fails(one: Protection, copies: Copies, tmp_path: Path) -> None:
    """By an assertion of its own: not in its set-up, not because something could not be read, not by hanging.

    Where this machine cannot run that test, the protection was not tried, and that is said.
    """
    with copies.without(one) as env:
        found = verdict(by_name(one.test), tmp_path, **env)
    if found.skipped and not found.failures:
        pytest.skip(f"NOT TESTED: {one.test} cannot run here: {found.skipped[0]}")

    assert (EXIT_FAILED, 0) == (found.status, found.errors), found.output
    assert all(map(ITS_OWN.match, found.failures)), found.output


@pytest.mark.slow
@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize("distribution", protections.SOURCES)
def test_the_copy_itself_makes_no_test_fail(distribution: str, copies: Copies, tmp_path: Path) -> None:
    """With nothing taken out but white space put in, a test passes: so what fails above fails for its patch."""
    one = next(one for one in TABLE if one.old and one.distribution == distribution)
    with copies.without(one._replace(new=f"{one.old}  ")) as env:
        found = verdict(by_name(one.test), tmp_path, **env)

    assert (0, 0, []) == (found.status, found.errors, found.failures), found.output


def test_a_test_that_this_machine_cannot_run_proves_nothing_and_says_so(tmp_path: Path) -> None:
    """Its verdict names the reason, with which the protection's own test is skipped."""
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it(): pytest.skip('no bindfs here')\n")
    found = verdict(str(tmp_path / "test_it.py"), tmp_path)

    assert (0, [], 0, ["no bindfs here"]) == (found.status, found.failures, found.errors, found.skipped)


def test_a_test_that_cannot_be_collected_has_not_failed(tmp_path: Path) -> None:
    """An import that fails is an error of the collection, which is no failure of a test."""
    (tmp_path / "test_it.py").write_text("import nothing_of_this_name\ndef test_it(): assert False\n")
    found = verdict(str(tmp_path / "test_it.py"), tmp_path)

    assert ([], 1) == (found.failures, found.errors)
