"""The client on every Python that it promises to run on: those at hand, and a loud skip for the others."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import install_wheels
import pytest

from tests.client.people import ANSWER_PROMPT, Developer
from tests.client.recorder import Recorder
from tests.conftest import Installed

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def interpreter(version: str) -> str | None:
    """Find a Python of this version: named in INNERLOOP_TEST_PYTHONS, on PATH, or one that pyenv keeps."""
    named = os.environ.get("INNERLOOP_TEST_PYTHONS", "").split(os.pathsep)
    kept = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python{version}"))
    script = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in [*filter(None, named), *map(str, kept), shutil.which(f"python{version}")]:
        if candidate and Path(candidate).exists():
            done = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
            if done.stdout.strip() == version:
                return candidate
    return None


@pytest.mark.parametrize(
    "version", [pytest.param(version, marks=[pytest.mark.slow] if version in ("3.10", "3.12") else []) for version in VERSIONS]
)
def test_the_whole_story_on_each_python(
    version: str, hire: Callable[..., Developer], installed: Installed, tmp_path: Path, server: Recorder
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here: nothing is known about the client on it (INNERLOOP_TEST_PYTHONS may name one)")
    install_wheels.install_client(tmp_path / "client", sorted(installed.wheels.glob("*.whl")), python)
    developer = hire("developer", tmp_path / "client" / "home" / ".local" / "bin" / "innerloop").project()
    running = developer.execute(tmp_path / "client" / "client" / "bin" / "python", "-c", "import sys; print(sys.version)")
    assert running.out.startswith(f"{version}.")
    developer.edit(fields={"git_commit_time": True})
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", "x")
    assert "Look and decide" in developer.run_at_terminal("make", "test").text
    said = developer.at_terminal(developer.command, "opt-in", types=[(ANSWER_PROMPT, "?"), (ANSWER_PROMPT, "yes")])
    assert "commands are measured from now on" in said.text
    assert developer.run("make", "slow") == (0, "", "")
    assert developer.run("sh", "-c", "kill -TERM $$", name="test").status == -15
    assert developer.run("no-such-command").status == 127
    assert developer.run("make", "fail").status == 2
    pending = developer.innerloop("show", "pending").out.split()
    assert developer.flush().status == 0
    (request,) = server.requests
    assert len(request.events) == 3
    for event in pending:
        assert event.encode() in request.content
    for words in (["status"], ["describe"], ["report"], ["show", "sent"], ["doctor"], ["--help"], ["--version"]):
        done = developer.innerloop(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), words
    assert developer.ledger()["acknowledged"] == 3
    developer.run("make", "test")
    assert developer.opt_out().status == 0
    assert developer.ledger()["dropped"] == {"withdrawn": 1}
    assert len(server.requests) == 1
