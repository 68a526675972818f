"""The tests leave no process behind: `make test` runs them below tools/leftovers.py, which sees whoever stays."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ENVIRONMENT, ROOT

pytestmark = pytest.mark.timeout(300)  # a pytest inside of this one starts its workers, on a machine that has enough to do
TOOL = ROOT / "tools" / "leftovers.py"
ENDS = "def test_ends(): pass\n"
LEAVES = """
import os, subprocess
def test_leaves(tmp_path):
    bare = {"PATH": os.environ["PATH"]}
    subprocess.run(["sh", "-c", "setsid sleep 4321 & exit"], cwd=tmp_path, env=bare)
    subprocess.Popen(["sleep", "4322"], env=bare | {"HOME": str(tmp_path)})
"""


def below(*command: object, patience: float = 0.5) -> subprocess.CompletedProcess[str]:
    """Run a command below the tool, which gives leftovers less time than `make test` does."""
    code = f"import sys; sys.path.insert(0, {str(TOOL.parent)!r}); import leftovers; leftovers.PATIENCE = {patience}; "
    words = [sys.executable, "-c", f"{code}sys.exit(leftovers.main(sys.argv[1:]))", *map(str, command)]
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith(("PYTEST", "COV"))}
    return subprocess.run(words, env=kept, capture_output=True, text=True, timeout=200, check=False)


def pytest_below(directory: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a test file of its own below the tool, with workers as `make test` has them."""
    (directory / "test_it.py").write_text(text)
    base = directory / "pytest-0"
    return below(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--basetemp={base}",
        "--rootdir",
        directory,
        *words,
        directory / "test_it.py",
    )


@pytest.mark.parametrize("workers", ["2", "0"])
def test_what_a_test_leaves_running_fails_the_run_and_is_named(tmp_path: Path, workers: str) -> None:
    """Detached from everything, in an environment of its own, or simply forgotten: the process, its worker and its test."""
    done = pytest_below(tmp_path, LEAVES, "-n", workers)

    assert 99 == done.returncode, done.stderr
    assert "1 passed" in done.stdout
    where = r"gw[01] test_leaves0" if workers == "2" else "test_leaves0"
    first, second = sorted(line.partition(": ")[2] for line in done.stderr.splitlines()[1:])
    assert re.fullmatch(rf"sleep 4321  \[{where}\]", first)
    assert re.fullmatch(rf"sleep 4322  \[{where}\]", second)
    assert not [line for line in done.stderr.splitlines()[1:] if Path("/proc", line.split(":")[0].strip()).exists()]


def test_a_run_that_leaves_nothing_ends_as_it_ends(tmp_path: Path) -> None:
    assert 0 == pytest_below(tmp_path, ENDS, "-n", "2").returncode
    assert 1 == pytest_below(tmp_path, "def test_fails(): assert 0\n", "-n", "0").returncode
    assert [7, 143] == [below("sh", "-c", script).returncode for script in ("exit 7", "kill -TERM $$")]
    assert 1 == below("/nowhere").returncode


def test_who_ends_soon_by_itself_is_waited_for() -> None:
    done = below("sh", "-c", "setsid sleep 0.5 & exit 3", patience=20)

    assert (3, "") == (done.returncode, done.stderr)


def test_orphans_are_reaped_while_the_command_runs() -> None:
    """As init does: a test that waits until a detached process is gone must see it go."""
    script = "pid=$(setsid sh -c 'sleep 0.1 & echo $!'); n=0; while test -e /proc/$pid && test $n -lt 100; do sleep 0.05; n=$((n+1)); done; test $n -lt 100"

    assert 0 == below("sh", "-c", script).returncode


def test_terminate_reaches_the_command() -> None:
    """Whoever ends `make test` from outside ends the tests, and what they started."""
    words = [sys.executable, str(TOOL), "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "ready\n" == process.stdout.readline()
        process.terminate()

        assert 5 == process.wait(30)


def test_make_test_runs_below_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert "\nPYTEST := $(RUN) python tools/leftovers.py pytest\n" in makefile
    assert not [line for line in makefile.splitlines() if "pytest -" in line.replace("$(PYTEST)", "")]


def test_nobody_above_the_caller_is_above_the_tests() -> None:
    """Else `make test` would be a make above everything that a test starts."""
    code = "import os, sys; sys.path.insert(0, 'tools'); from innerloop.core.shared.processes import lineage; print(*lineage(os.getpid()))"
    done = subprocess.run([sys.executable, TOOL, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(os.getpid()) not in done.stdout.split()
    assert len(done.stdout.split()) > 1


@pytest.mark.parametrize("status", [0, 1, 99])
def test_the_status_is_the_commands(status: int) -> None:
    assert status == subprocess.run([sys.executable, TOOL, "sh", "-c", f"exit {status}"], check=False).returncode
