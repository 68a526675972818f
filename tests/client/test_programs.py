"""Every program that innerloop starts is on the list in docs/transparency.md: in the source, and as seen from outside."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from innerloop.core import main as core
from innerloop.tools import main as tools
from tests.client.people import ANSWER_PROMPT, Developer
from tests.client.recorder import Recorder
from tests.conftest import ROOT

SOURCE = ROOT / "packages" / "client" / "src" / "innerloop"
# What starts or becomes a process in Python.
STARTERS = re.compile(
    r"(?:posix_)?spawn\w*|exec[lv]\w*|fork\w*|popen|Popen|system|check_(?:call|output)|getoutput|getstatusoutput|startfile"
)
MODULES = {"subprocess", "multiprocessing", "pty", "webbrowser", "platform", "concurrent", "asyncio", "_posixsubprocess"}
# Where that is done, with the row of the list that says what for.
PLACES = {
    "core/launcher/child.py": {"posix_spawn", "fork", "execve"},  # the command
    "core/launcher/execute.py": {"execve"},  # the command
    "fallback.py": {"execvp"},  # the command
    "core/launcher/record.py": {"posix_spawn"},  # git's facts, the sender
    "core/launcher/attach.py": {"fork"},  # the watcher: no program
    "core/shared/programs.py": {"Popen", "subprocess"},  # git, make --version
}
# Who asks `programs` for one.
ASKED = {"core/shared/git.py", "core/asking/events.py", "tools/diagnosis/way_checks.py"}

SECRET = "s3cr3t-of-the-caller"


def starters(path: Path) -> set[str]:
    """What a module calls or imports that starts processes."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and STARTERS.fullmatch(node.attr):
            found.add(node.attr)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES | {"os", "posix"}:
            found.add(node.module or "")
    return found


def test_the_source_starts_processes_in_these_places_and_no_other() -> None:
    found = {str(path.relative_to(SOURCE)): starters(path) for path in SOURCE.rglob("*.py")}
    assert {place: names for place, names in found.items() if names} == PLACES
    asking = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if "programs.output(" in path.read_text()}
    assert asking == ASKED


class Started(NamedTuple):
    """A program that was started, with what it was given."""

    path: str
    argv: list[str]
    env: dict[str, str]


def traced(developer: Developer, strace: str, *argv: str, types: list[tuple[str, str]] | None = None) -> list[Started]:
    """Everything that a command started."""
    trace = developer.base / "started"
    words = [strace, "-f", "-qq", "-v", "-s", "4000", "-o", str(trace), "-e", "trace=execve", str(developer.command), *argv]
    if types is None:
        developer.execute(*words, timeout=60)
    else:
        developer.at_terminal(*words, types=types)
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        if match := re.search(r'execve\("([^"]*)", \[(.*)\], \[(.*)\]\) = 0', line):
            quoted = re.compile(r'"((?:[^"\\]|\\.)*)"')
            env = dict(entry.partition("=")[::2] for entry in quoted.findall(match[3]))
            found.append(Started(match[1], quoted.findall(match[2]), env))
    return found


# Commands of innerloop with what is typed at their questions; the rest of both lists of COMMANDS is said to be absent on purpose.
TRIED: list[tuple[list[str], list[tuple[str, str]] | None]] = [
    (["opt-in"], [(ANSWER_PROMPT, "yes")]), (["run", "--", "make", "test"], None), (["run", "--", "true"], None), (["status"], None),
    (["describe"], None), (["doctor"], None), (["show", "pending"], None), (["show", "next"], None), (["report"], None),
    (["timeline"], None), (["init", "--update-names"], None), (["init", "--way", "private"], None), (["init", "--uninstall"], None),
    (["hook", "bash"], None), (["flush"], None), (["reset-id"], None), (["deliver"], None), (["install"], None),
    (["forget"], [("Type yes:", "yes")]), (["opt-out"], None), (["opt-out", "--all"], None), (["uninstall"], None),
]  # fmt: skip


def test_every_command_is_tried() -> None:
    assert {words[0] for words, _ in TRIED} >= {*tools.COMMANDS, *(words[0] for words in core.COMMANDS)}


def test_what_is_started_is_on_the_list_and_gets_what_the_list_says(developer: Developer, server: Recorder, strace: str) -> None:
    """Whatever is typed; and no program of ours sees what the caller's environment holds, or is named by a relative path."""
    developer.edit(project={"remotes": ["git.example.org/shop"]})
    developer.git("init", "-q")
    developer.git("remote", "add", "origin", "https://git.example.org/shop")
    developer.git("commit", "-q", "--allow-empty", "-m", "x")
    developer.env |= {"SECRET_TOKEN": SECRET, "GIT_DIR": f"{developer.directory}/.git", "PATH": f"{developer.env['PATH']}:.:"}
    python = re.compile(r"/[^ ]*/bin/python[0-9.]*")
    seen = set()
    for words, types in TRIED:
        for one in traced(developer, strace, *words, types=types):
            name = Path(one.path).name
            assert one.path.startswith("/"), (words, one.path)
            seen.add(name if not python.fullmatch(one.path) else "python")
            if name in ("git", "sleep") or one.argv[1:] == ["--version"] or one.argv[:2] == ["/bin/sh", "-c"]:
                assert set(one.env) <= OURS, (words, one)
                assert SECRET not in str(one), (words, one)
            elif one.argv[-1:] == ["deliver"] and words != ["deliver"]:
                assert set(one.env) <= {"HOME", "PATH"}, (words, one)
    # `sleep` bounds git's time, and is ended before it has begun where git was quick
    assert seen - {"sleep"} == {"innerloop", "python", "make", "true", "sh", "git"}


OURS = {
    "HOME", "PATH", "LC_ALL", "GIT_ALLOW_PROTOCOL", "GIT_NO_LAZY_FETCH", "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT", "GIT_TRACE2",
    "GIT_TRACE2_EVENT", "GIT_TRACE2_PERF", "_", "SHLVL",
}  # fmt: skip


def test_the_list_in_the_documentation_names_what_was_found() -> None:
    text = (ROOT / "docs" / "transparency.md").read_text()
    rows = re.findall(r"^\| (.*?) \|", text.partition("## What innerloop starts")[2], re.MULTILINE)
    assert [row for row in rows if row not in ("program", "---")] == [
        "the command", "`/bin/sh`", "`innerloop`, then the Python of its installation, `-I -S`", "`readlink`",
        "the Python of the installation, `-I -S`: the sender", "`/bin/sh`, `git` (3 times), `sleep`", "`git config --list`",
        "`git ls-files`, `git rev-parse`", "make, for its version",
    ]  # fmt: skip


@pytest.mark.parametrize("entry", ["", ".", "bin"])
def test_the_script_takes_no_python_from_a_relative_entry_of_path(developer: Developer, entry: str, installed_without_python: Path) -> None:
    """Where it is not beside its own interpreter, as `pip install --user` leaves it."""
    marker = developer.base / "marker"
    for place in (developer.directory, developer.directory / "bin"):
        place.mkdir(exist_ok=True)
        for name in ("python3", "readlink"):
            (place / name).write_text(f"#!/bin/sh\necho $0 >> {marker}\n")
            (place / name).chmod(0o755)
    link = developer.base / "odd" / "innerloop"
    link.parent.mkdir()
    link.symlink_to(installed_without_python)
    path = f"{entry}:{developer.env['PATH']}"
    assert developer.execute(link, "--version", env={"PATH": path}).out.startswith("innerloop ")
    assert not marker.exists(), marker.read_text()
    assert developer.execute(link, "run", "--", "/bin/echo", "hello", env={"PATH": entry}).out == "hello\n"


@pytest.fixture
def installed_without_python(developer: Developer, tmp_path: Path) -> Path:
    """The script with the package in the place where a system's own Python would have it."""
    home = tmp_path / "local"
    (home / "bin").mkdir(parents=True)
    (home / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    real = developer.command.resolve()
    script = home / "bin" / "innerloop"
    script.write_text(real.read_text())
    script.chmod(0o755)
    (package,) = real.parent.parent.glob("lib/python3*/site-packages/innerloop")
    (home / "lib" / "python3.11" / "site-packages" / "innerloop").symlink_to(package)
    return script
