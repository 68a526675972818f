"""`innerloop.pyz`: one file that runs every command, and installs itself as a command that starts as fast as any."""

import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import ANSWER_PROMPT, Developer, eventually
from tests.client.recorder import Recorder
from tests.client.test_pythons import VERSIONS, interpreter
from tests.conftest import ROOT, Installed
from tests.needs import need

CLIENT = ROOT / "packages" / "client"


def build(output: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "tools" / "build_pyz.py", output], check=True, capture_output=True)
    return output


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("pyz") / "innerloop.pyz")


@pytest.fixture
def somebody(hire: Callable[..., Developer], pyz: Path) -> Developer:
    """Somebody whose `innerloop` is the one file and nothing else."""
    developer = hire("developer", pyz)
    developer.env["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return developer.project()


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, pyz: Path) -> None:
    other = tmp_path / "elsewhere" / "again.pyz"
    assert pyz.read_bytes() == build(other).read_bytes()
    assert os.access(other, os.X_OK)


def test_it_holds_the_sources_as_they_are(pyz: Path) -> None:
    """Whoever wants to read before saying yes can: nothing is compressed, compiled or left out."""
    with zipfile.ZipFile(pyz) as archive:
        assert {zipfile.ZIP_STORED} == {one.compress_type for one in archive.infolist()}
        held = {one.filename: archive.read(one) for one in archive.infolist()}
    sources = [path for path in (CLIENT / "src").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    wanted = {path.relative_to(CLIENT / "src").as_posix(): path.read_bytes() for path in sources}
    scripts = {"__main__.py": "pyz.py", "bin/innerloop": "innerloop"}
    stamp = re.compile(rb'(?m)^__version__ = "([0-9.]+)(\.post[0-9]{14})?"$')  # the one line that a build writes
    assert stamp.search(held["innerloop/__init__.py"])[2]  # type: ignore[index]
    held["innerloop/__init__.py"] = stamp.sub(rb'__version__ = "\1"', held["innerloop/__init__.py"])
    assert held == wanted | {name: (CLIENT / "scripts" / source).read_bytes() for name, source in scripts.items()}


@pytest.mark.parametrize(
    "version", [pytest.param(version, marks=[pytest.mark.slow] if version in ("3.10", "3.12") else []) for version in VERSIONS]
)
def test_the_whole_story_out_of_the_one_file_on_each_python(
    version: str, hire: Callable[..., Developer], tmp_path: Path, pyz: Path, server: Recorder
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here: nothing is known about innerloop.pyz on it")
    developer = hire("developer", pyz).project()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(python)
    developer.env["PATH"] = f"{tmp_path}/bin:/usr/bin:/bin"
    said = developer.at_terminal(pyz, "opt-in", types=[(ANSWER_PROMPT, "yes")])
    assert "commands are measured from now on" in said.text
    assert developer.run("make", "test") == (0, "", "")
    assert developer.run("sh", "-c", "kill -TERM $$", name="test").status == -signal.SIGTERM
    assert developer.innerloop("wrap", "nothing").status == 2
    assert developer.run("no-such-command").status == 127
    pending = developer.innerloop("show", "pending").out.split()
    assert developer.flush().status == 0
    assert all(event.encode() in server.requests[0].content for event in pending)
    for words in (["status"], ["describe"], ["report"], ["show", "sent"], ["doctor"], ["--help"], ["init", "--container"]):
        done = developer.innerloop(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), words
    done = developer.innerloop("install")
    assert (done.status, "is not on your PATH" in done.err) == (0, True)
    installed = developer.home / ".local" / "bin" / "innerloop"
    assert developer.execute(installed, "run", "--", "sh", "-c", "exit 3").status == 3
    assert developer.recorded() == 4
    assert developer.opt_out().status == 0


def test_the_sender_finds_its_way_out_of_the_one_file(somebody: Developer, server: Recorder) -> None:
    """Detached, isolated and from another directory, also where the file was named by a relative path."""
    somebody.opt_in("yes")
    somebody.run("make", "test")
    somebody.pending()
    somebody.let_releases_pass()
    somebody.make_delivery_due()
    relative = os.path.relpath(somebody.command, somebody.directory)
    assert somebody.execute("python3", relative, "run", "--", "make", "test").status == 0
    assert eventually(lambda: len(server.events) == 1)


def test_nothing_of_the_environment_gets_in_its_way(somebody: Developer) -> None:
    """Without -I the interpreter looks at PYTHONPATH; what lies there is not imported by us, and the command still sees it."""
    somebody.opt_in("yes")
    trap = somebody.base / "trap"
    trap.mkdir()
    for name in ("json", "argparse", "innerloop", "secrets", "uuid"):
        (trap / f"{name}.py").write_text("raise SystemExit('imported')\n")
    env: dict[str, str | None] = {"PYTHONPATH": str(trap)}
    assert somebody.run("sh", "-c", "echo $PYTHONPATH", env=env) == (0, f"{trap}\n", "")
    assert somebody.innerloop("status", env=env).status == 0
    assert len(somebody.pending()) == 1


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_a_python_that_is_too_old_runs_the_command_and_says_what_it_needs(version: str, somebody: Developer) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here to be too old")
    assert somebody.execute(python, somebody.command, "run", "--", "sh", "-c", "exit 3").status == 3
    done = somebody.execute(python, somebody.command, "status")
    assert (1, f"innerloop: Python 3.9 or newer is needed; this is {version}\n") == (done.status, done.err)


# installed


def executed(developer: Developer, *argv: str | Path) -> list[str]:
    """The programs that a command started."""
    _, trace = developer.strace(*argv, terminal=False)
    return [line.split('"')[1] for line in trace.splitlines() if "execve(" in line and line.endswith("= 0")]


def loaded(developer: Developer, *argv: str | Path) -> set[str]:
    """The source files of ours that a command read, instead of compiled ones."""
    trace = developer.base / "opened"
    found = need("strace")
    developer.execute(found, "-f", "-o", trace, "-e", "trace=openat,open", *argv)
    names = [line.split('"')[1] for line in trace.read_text().splitlines() if '"' in line and "ENOENT" not in line]
    return {Path(name).name for name in names if "/innerloop/" in name and name.endswith(".py")}


def test_installed_it_starts_like_the_wheel(somebody: Developer, strace: str) -> None:
    """From the first start on: nothing is looked for by a process, and nothing of ours is compiled."""
    done = somebody.innerloop("install")
    version, link = map(Path, done.out.split())
    assert link.is_symlink()
    assert link.resolve() == version / "bin" / "innerloop"
    assert version.parent == somebody.home / ".local" / "share" / "innerloop"
    assert [str(link), str(version / "bin" / "python"), "/usr/bin/true"] == executed(somebody, link, "run", "--", "true")
    assert {"start.py"} == loaded(somebody, link, "run", "--", "true")
    somebody.command = link
    somebody.opt_in("yes")
    assert (somebody.state / "enabled").read_text().splitlines()[0] == str(version / "bin")
    assert {"start.py"} == loaded(somebody, link, "run", "--", "true")
    assert 1 == somebody.recorded()


@pytest.mark.parametrize("to", ["--to", "XDG_DATA_HOME"])
def test_it_can_be_installed_elsewhere(somebody: Developer, strace: str, to: str) -> None:
    prefix = somebody.base / "prefix"
    version = somebody.innerloop("--version").out.split()[1]
    if to == "--to":
        done = somebody.innerloop("install", "--to", prefix)
        wanted = [f"{prefix}/share/innerloop/{version}", f"{prefix}/bin/innerloop"]
    else:
        somebody.env["XDG_DATA_HOME"] = str(prefix)
        done = somebody.innerloop("install")
        wanted = [f"{prefix}/innerloop/{version}", f"{somebody.home}/.local/bin/innerloop"]
    assert wanted == done.out.split()
    assert "readlink" not in "".join(executed(somebody, wanted[1], "run", "--", "true"))
    assert somebody.execute(wanted[1], "--version").out == f"innerloop {version}\n"


def test_installing_twice_is_safe_and_an_upgrade_replaces(somebody: Developer, tmp_path: Path) -> None:
    first = somebody.innerloop("install")
    assert first.out == somebody.innerloop("install").out
    version, link = map(Path, first.out.split())
    newer = tmp_path / "newer.pyz"
    with zipfile.ZipFile(somebody.command) as old, zipfile.ZipFile(newer, "w") as new:
        for one in old.infolist():
            new.writestr(one, re.sub(rb'(?m)^__version__ = ".*"$', b'__version__ = "0.2.0"', old.read(one)))
    foreign = version.parent / "notes"
    foreign.mkdir()
    assert somebody.execute("python3", newer, "install").status == 0
    assert [foreign, version.with_name("0.2.0")] == sorted(version.parent.iterdir(), key=lambda path: path.name, reverse=True)
    assert somebody.execute(link, "--version").out == "innerloop 0.2.0\n"


def test_a_command_of_another_installer_is_not_replaced(somebody: Developer, installed: Installed) -> None:
    link = somebody.home / ".local" / "bin" / "innerloop"
    link.parent.mkdir(parents=True)
    for there in (lambda: link.symlink_to(installed.innerloop), lambda: link.write_text("mine")):
        there()
        before = somebody.files()
        done = somebody.innerloop("install")
        assert (1, 1, True) == (done.status, done.err.count("\n"), "is not of innerloop.pyz" in done.err)
        assert before == somebody.files()
        link.unlink()


def test_what_was_installed_otherwise_does_not_install_itself(agreed: Developer) -> None:
    done = agreed.innerloop("install")
    assert (1, 1) == (done.status, done.err.count("\n"))
    assert "installed already" in done.err
