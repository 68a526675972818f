"""The Makefile and CI: one command per habit, measured for those who agreed, at no cost for everybody else."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from innerloop.core.plan.project_reader import read
from tests.client.test_pythons import interpreter
from tests.conftest import ENVIRONMENT, ROOT
from tests.needs import need

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^TARGETS := (.*)$", MAKEFILE, re.MULTILINE)[1].split()  # type: ignore[index]


def make(*words: str, path: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    """Run make in the checkout as a developer who installed no innerloop, or what is on `path`."""
    on_path = [path] if path else []
    on_path += [directory for directory in ENVIRONMENT["PATH"].split(os.pathsep) if not (Path(directory) / "innerloop").exists()]
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith(("MAKE", "MFLAGS", "INNERLOOP"))}
    for variable in ("T", "FIX", "DEMO", "PYTHON"):  # a make that runs the tests hands on what it was given
        kept.pop(variable, None)
    environment = kept | {"PATH": os.pathsep.join(on_path)} | extra
    return subprocess.run(["make", "-C", ROOT, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A directory with an `innerloop` that only says how it was called."""
    command = tmp_path / "innerloop"
    command.write_text('#!/bin/sh\necho "innerloop $*, make flags: $MAKEFLAGS"\n', encoding="ascii")
    command.chmod(0o755)
    return tmp_path


def test_help_lists_every_target() -> None:
    """`make` alone says what there is, each with a line of explanation."""
    done = make("--no-print-directory")

    assert {"help", *TARGETS} == set(re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("target", TARGETS)
def test_without_innerloop_a_target_is_its_implementation(target: str) -> None:
    """`make X` does exactly what `make impl-X` does."""
    assert make("-n", f"impl-{target}").stdout.replace(f"impl-{target}", target) == make("-n", target).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_with_innerloop_a_target_is_measured(fake: Path, target: str) -> None:
    """`make X` is `innerloop wrap X`, and make's own flags reach the inner make."""
    done = make("--no-print-directory", "-k", target, path=str(fake))

    assert f"innerloop wrap {target}, make flags: k" in done.stdout


def test_the_checkouts_own_command_does_not_count() -> None:
    """A broken working tree must not stop `make test`, also where .venv is activated."""
    done = make("-n", "--no-print-directory", "docs", path=str(ROOT / ".venv" / "bin"))

    assert "wrap" not in done.stdout
    assert "generate_docs" in done.stdout


def test_looking_for_innerloop_starts_no_process(tmp_path: Path) -> None:
    """Whoever has not installed innerloop pays nothing: make reads the Makefile without starting anything."""
    trace = tmp_path / "trace"
    command = [need("strace"), "-f", "-e", "trace=execve", "-o", trace, "make", "-n", "-C", ROOT, "docs"]
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(command, env=kept, capture_output=True, check=True)

    assert 1 == len(re.findall(r"execve\(.* = 0$", trace.read_text(encoding="utf-8"), re.MULTILINE))


def test_nothing_is_set_up_twice() -> None:
    """A target whose set-up is done starts at once."""
    assert "bootstrap" not in make("-n", "impl-setup").stdout


def test_the_project_file_lists_the_targets() -> None:
    """Innerloop's own project file is good and names exactly what the Makefile has."""
    project = read(tomllib.loads((ROOT / "innerloop.toml").read_text(encoding="utf-8")))

    assert ("innerloop", "The innerloop authors", "127.0.0.1:8080") == (project.id, project.organisation, project.endpoint_host)
    assert TARGETS == list(project.names.allow)
    assert () == project.unknown


def test_ci_runs_what_the_readme_says() -> None:
    """CI installs nothing by itself: it has lint and the README's commands, and the tests' closing line is the last that is printed."""
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    readme = re.findall(r"^```sh\n(make \S+)\n```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert os.access(script, os.X_OK)
    assert ["make demo", "make test"] == readme == lines[-3:-1]
    assert ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "lint=0", "make lint || lint=$?"] == lines[:4]
    assert 8 == len(lines)  # and a line that says so at once, where lint failed
    assert 'exit "$lint"' == lines[-1]


def test_where_lint_fails_ci_fails_with_it(tmp_path: Path) -> None:
    """After the tests, whose closing line stays the last that is printed."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text("lint: ; @exit 5\ndemo: ; @echo demo\ntest: ; @echo 9 passed\n")
    done = subprocess.run([tmp_path / ".ci" / "run"], env={"PATH": ENVIRONMENT["PATH"]}, capture_output=True, text=True, check=False)

    assert (2, "demo\n9 passed\n") == (done.returncode, done.stdout)


def test_what_failed_is_tried_once_more_in_a_run_of_everything_alone() -> None:
    """A part that somebody chose fails as it fails, and nothing makes up for a process that was left behind."""
    assert "--last-failed" in make("-n", "impl-test").stdout
    assert "[ $status = 1 ] || exit $status" in make("-n", "impl-test").stdout
    assert "--last-failed" not in make("-n", "impl-test", "T=tests/plan").stdout


# All files are read first: an ordinary user may see neither the checkout nor the interpreter of root.
ORDINARY = """
import glob, os, pathlib, shutil, subprocess, sys, tempfile
text = open(sys.argv[1]).read()
os.geteuid() or os.setuid(65534)
exec(text, {"__name__": "__main__", "__file__": sys.argv[1]})
"""


def lacking(programs: Path) -> subprocess.CompletedProcess[str]:
    """Run the list of packages as somebody who has no program but git."""
    programs.chmod(0o755)
    (programs / "git").symlink_to("/bin/true")
    command = [sys.executable, "-c", ORDINARY, ROOT / "tools" / "system_packages.py"]
    return subprocess.run(command, env={"PATH": str(programs)}, cwd="/", capture_output=True, text=True, check=False)


def test_an_ordinary_user_is_told_once_what_more_would_be_tried() -> None:
    """In one line, and nothing fails for it."""
    with tempfile.TemporaryDirectory() as place:  # pytest's own is closed to everybody else
        done = lacking(Path(place))

    assert (0, "", 1) == (done.returncode, done.stderr, done.stdout.count("\n"))
    assert re.search(r"^setup: some tests will be skipped, .* strace .* zsh ", done.stdout)
    assert " git " not in done.stdout


NEEDS = """
import subprocess
from tests.needs import need
def test_asks(): need("strace")
def test_just_runs_it(tmp_path): subprocess.run(["git", "init"], env={"PATH": str(tmp_path)})
def test_fails_for_another_reason(): subprocess.run(["/nowhere/git"])
def test_passes(): pass
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_is_not_installed_is_skipped_and_listed_once_at_the_end(tmp_path: Path, workers: str) -> None:
    """Also where a test just ran it; the closing line stays the last one."""
    (tmp_path / "test_it.py").write_text(NEEDS)
    words = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-ra", "-n", workers, f"--basetemp={tmp_path / 'base'}", "test_it.py"]
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith("PYTEST")}
    environment = kept | {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    *_, closing = [line for line in done.stdout.splitlines() if line]

    assert re.search(r"^=+ 1 failed, 1 passed, 2 skipped in ", closing), done.stdout
    assert "/nowhere/git" in done.stdout
    assert "NOT TESTED: git is not here (Debian: git)" in done.stdout
    assert "NOT TESTED: strace is not here (Debian: strace)" in done.stdout
    assert 1 == done.stdout.count("on Debian: apt-get install git strace ")


def bare_tree(tmp_path: Path) -> Path:
    """A checkout in which nothing was set up."""
    for name in ("Makefile", "uv.lock", "pyproject.toml", "packages/client/pyproject.toml", "packages/client/scripts/innerloop",
                 "packages/collector/pyproject.toml"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def in_tree(tree: Path, *words: str, **extra: str) -> list[str]:
    """Run make in such a checkout; it must fail, and this is what it said on stderr but for make's own last line."""
    environment = {"PATH": ENVIRONMENT["PATH"], "HOME": str(tree), "LANG": "C"} | extra
    done = subprocess.run(["make", "-C", tree, *words], env=environment, capture_output=True, text=True, check=False)
    assert 2 == done.returncode
    return [line for line in done.stderr.splitlines() if not line.startswith("make")]


def test_without_a_network_the_first_set_up_says_so_in_one_line(tmp_path: Path) -> None:
    (said,) = in_tree(bare_tree(tmp_path), "setup", https_proxy="http://127.0.0.1:9")

    assert re.match(r"setup: uv could not be fetched from https://\S+, and the first set-up needs a network: .*refused", said)


def test_without_a_python_it_says_which_it_needs(tmp_path: Path) -> None:
    (said,) = in_tree(bare_tree(tmp_path), "setup", "PYTHON=no-such-python")

    assert "setup: there is no no-such-python. innerloop needs Python 3.11 or newer to be developed." == said


def test_an_old_python_is_told_so(tmp_path: Path) -> None:
    old = interpreter("3.9")
    if old is None:
        pytest.skip("NOT TESTED: there is no Python 3.9 here to be too old (INNERLOOP_TEST_PYTHONS may name one)")
    (said,) = in_tree(bare_tree(tmp_path), "setup", f"PYTHON={old}")

    assert re.match(r"setup: innerloop needs Python 3.11 or newer to be developed; \S+ is 3.9. Try: make PYTHON=python3.12 setup", said)


def test_without_a_compiler_the_demo_says_so_before_it_sets_anything_up(tmp_path: Path) -> None:
    tree = bare_tree(tmp_path)
    programs = tree / "programs"
    programs.mkdir()
    for name in ("make", "sh", "python3"):
        (programs / name).symlink_to(str(shutil.which(name)))

    assert ["demo: it builds Lua, and there is no gcc. On Debian: apt-get install gcc libc6-dev"] == in_tree(
        tree, "demo", PATH=str(programs)
    )
    assert not (tree / ".uv").exists()
