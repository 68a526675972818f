"""The Makefile and CI: one command per habit, measured for those who agreed, at no cost for everybody else."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from innerloop.plan.project import read
from tests.conftest import ENVIRONMENT, ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^TARGETS := (.*)$", MAKEFILE, re.MULTILINE)[1].split()  # type: ignore[index]


def make(*words: str, path: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    """Run make in the checkout as a developer who installed no innerloop, or what is on `path`."""
    on_path = [path] if path else []
    on_path += [directory for directory in ENVIRONMENT["PATH"].split(os.pathsep) if not (Path(directory) / "innerloop").exists()]
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith(("MAKE", "MFLAGS", "INNERLOOP"))}
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


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_looking_for_innerloop_starts_no_process(tmp_path: Path) -> None:
    """Whoever has not installed innerloop pays nothing: make reads the Makefile without starting anything."""
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=execve", "-o", trace, "make", "-n", "-C", ROOT, "docs"]
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
    assert TARGETS == list(project.names)
    assert () == project.unknown


def test_ci_runs_what_the_readme_says() -> None:
    """CI has no command of its own for lint and tests, and the tests' closing line is the last that it prints."""
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert re.search(
        r"^make lint .*^make test \|\| \{[^\n]* make test T=\"--last-failed [^\n]*\}\nexit \S+\n\Z",
        script.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert "\nmake test\n" in (ROOT / "README.md").read_text(encoding="utf-8")
