"""Law 1 in trouble: with a broken, foreign or full disk, home or file the command runs as it would without us."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transparency.developer import Developer
from tests.transparency.stage import Ended, Stage, observe

COMMAND = ("sh", "-c", "echo out; echo err >&2; cat; exit 7")
STRANGER = 54321
Trouble = Callable[[Developer], None]


def _hot(developer: Developer) -> Path:
    return next((developer.state / "hot").iterdir())


def _consent(developer: Developer) -> Path:
    return next((developer.home / ".config" / "innerloop").glob("*.json"))


def _project(developer: Developer) -> Path:
    return developer.project / "innerloop.toml"


def _enabled(developer: Developer) -> Path:
    return developer.state / "enabled"


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def _huge(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x" * 3_000_000)


def _gone(path: Path) -> None:
    path.unlink()


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nonexistent/file")


def _symlink(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _foreign(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, STRANGER, STRANGER)


def _open_to_all(path: Path) -> None:
    path.chmod(0o666)


def _forbidden(path: Path) -> None:
    path.chmod(0)


FILES = {"the hot file": _hot, "the consent file": _consent, "the project file": _project, "the marker of an enabled project": _enabled}
HARMS = {
    "is empty": _empty, "is cut in half": _half, "is noise": _noise, "is huge": _huge, "is gone": _gone,
    "is a dangling link": _dangling, "is a link": _symlink, "is a directory": _directory, "is a pipe": _pipe,
    "belongs to somebody else": _foreign, "may be written by all": _open_to_all, "may not be read": _forbidden,
}  # fmt: skip


def _compare(developer: Developer, env: "dict[str, str] | None" = None) -> None:
    """Three runs, because the first one may repair or break something for the next."""
    bare, measured = developer.stage("bare", []), developer.stage("measured")
    if env is not None:
        bare.env = measured.env = env
    for script in (COMMAND, ("sh", "-c", "kill -TERM $$"), COMMAND):
        expected = observe(lambda stage: stage.run(*script, stdin=b"in"), bare)  # noqa: B023 (called at once)
        assert expected == observe(lambda stage: stage.run(*script, stdin=b"in"), measured)  # noqa: B023


def _compare_at_a_terminal(developer: Developer) -> None:
    def scenario(stage: Stage) -> object:
        with stage.terminal() as terminal:
            return [terminal.answer("$W sh -c 'echo out; echo err >&2; exit 7'") for _ in range(2)]

    assert observe(scenario, developer.stage("bare", [])) == observe(scenario, developer.stage("measured"))


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("file", FILES)
def test_a_command_runs_the_same_where(file: str, harm: str, somebody: Developer) -> None:
    HARMS[harm](FILES[file](somebody))

    _compare(somebody)
    _compare_at_a_terminal(somebody)


def _spool_is_gone(developer: Developer) -> None:
    shutil.rmtree(developer.spool)


def _spool_is_a_file(developer: Developer) -> None:
    spool = developer.spool
    shutil.rmtree(spool)
    spool.write_text("")


def _runs_are_a_file(developer: Developer) -> None:
    shutil.rmtree(developer.spool / "run", ignore_errors=True)
    (developer.spool / "run").write_text("")


def _finished_runs_are_a_file(developer: Developer) -> None:
    shutil.rmtree(developer.spool / "new", ignore_errors=True)
    (developer.spool / "new").write_text("")


def _journal_is_a_directory(developer: Developer) -> None:
    (developer.spool / "recorded").unlink(missing_ok=True)
    (developer.spool / "recorded").mkdir()


def _journal_is_a_pipe(developer: Developer) -> None:
    (developer.spool / "recorded").unlink(missing_ok=True)
    os.mkfifo(developer.spool / "recorded", 0o600)


def _due_in_the_distant_past(developer: Developer) -> None:
    os.utime(developer.spool / "next", (0, 0))


def _no_due_date(developer: Developer) -> None:
    (developer.spool / "next").unlink()


def _state_is_a_file(developer: Developer) -> None:
    shutil.rmtree(developer.state)
    developer.state.write_text("")


def _config_is_gone(developer: Developer) -> None:
    shutil.rmtree(developer.home / ".config")


def _home_belongs_to_somebody_else(developer: Developer) -> None:
    _foreign(developer.home)


def _home_is_gone(developer: Developer) -> None:
    shutil.rmtree(developer.home)


def _machine_says_nothing(developer: Developer) -> None:
    """No trouble at all: the comparison itself holds."""


TROUBLES: tuple[Trouble, ...] = (
    _machine_says_nothing, _spool_is_gone, _spool_is_a_file, _runs_are_a_file, _finished_runs_are_a_file, _journal_is_a_directory,
    _journal_is_a_pipe, _due_in_the_distant_past, _no_due_date, _state_is_a_file, _config_is_gone, _home_belongs_to_somebody_else, _home_is_gone,
)  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__.strip("_"))
def test_a_command_runs_the_same_when(trouble: Trouble, somebody: Developer) -> None:
    trouble(somebody)

    _compare(somebody)
    _compare_at_a_terminal(somebody)


@pytest.mark.parametrize("home", [None, "", "/nonexistent", "/dev/null", "/dev/null/x", "relative", "/", "/proc"])
def test_a_command_runs_the_same_with_home(home: "str | None", somebody: Developer) -> None:
    env = {key: value for key, value in somebody.env.items() if key != "HOME"}
    if home is not None:
        env["HOME"] = home

    _compare(somebody, env)


@pytest.fixture
def copied(somebody: Developer, tmp_path: Path) -> tuple[Developer, Path]:
    """A developer with an installation of their own, which may be broken; and the package in it."""
    copy = tmp_path / "client"
    shutil.copytree(somebody.innerloop.resolve().parent.parent, copy, symlinks=True)
    package = next(copy.glob("lib/python3*/site-packages/innerloop"))
    link = tmp_path / "innerloop"
    link.symlink_to(copy / "bin" / "innerloop")
    return somebody._replace(innerloop=link), package


BUGS = {"raises": "raise RuntimeError('a bug')\n", "cannot be compiled": "def :\n", "exits": "raise SystemExit(3)\n", "is gone": None}


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_command_runs_the_same_where_any_of_our_modules(bug: "str | None", copied: tuple[Developer, Path]) -> None:
    """An upgrade that was interrupted, or a bug of ours."""
    developer, package = copied
    expected = developer.stage("bare", []).run(*COMMAND, stdin=b"in")
    different = {}
    for module in sorted(package.rglob("*.py")):
        if module.name == "start.py":
            continue  # what starts all the others
        good = module.read_text()
        for cached in module.parent.glob(f"__pycache__/{module.stem}.*"):
            cached.unlink()
        module.unlink()
        if bug is not None:
            module.write_text(bug)
        seen = observe(lambda stage: stage.run(*COMMAND, stdin=b"in"), developer.stage("measured"))
        if seen != expected:
            different[str(module.relative_to(package))] = seen
        for cached in module.parent.glob(f"__pycache__/{module.stem}.*"):
            cached.unlink()
        module.write_text(good)

    assert {} == different


@pytest.mark.parametrize("gone", ["its start", "Python", "everything"])
def test_a_command_runs_the_same_with_an_installation_without(gone: str, copied: tuple[Developer, Path]) -> None:
    developer, package = copied
    if gone == "its start":
        (package / "start.py").unlink()
    elif gone == "Python":
        for file in developer.innerloop.resolve().parent.glob("python*"):
            file.unlink()
    else:
        shutil.rmtree(package)

    _compare(developer)


def _in_a_mount_namespace(somebody: Developer, before: str, command: str) -> Ended:
    """Run a script that may mount something, which nobody else sees."""
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", somebody.project], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no private mounts here, so a full disk was not tested: {probe.stderr.decode().strip()}")
    script = f"set -e; {before}\nset +e\nfor i in 1 2 3; do {command}; done; {command}"
    return somebody.stage("bare", []).run("unshare", "-m", "sh", "-c", script, stdin=b"in")


def _full(somebody: Developer, and_then: str) -> str:
    state = shlex.quote(str(somebody.state))
    return f"""
cp -a {state} {state}.saved; mount -t tmpfs -o size=160k,mode=700 none {state}; cp -a {state}.saved/. {state}/
{and_then}
cat /dev/zero >{state}/filler 2>/dev/null || true
! echo x >>{state}/filler 2>/dev/null || exit 99"""


@pytest.mark.parametrize(
    "and_then",
    [":", "rm -f {state}/spool/*/ballast", "rm -f {state}/spool/*/ballast {state}/spool/*/unrecorded"],
    ids=["", "no ballast", "no counter"],
)
def test_a_command_runs_the_same_on_a_full_disk(and_then: str, somebody: Developer) -> None:
    somebody.stage("measured").run("true")
    before = _full(somebody, and_then.format(state=shlex.quote(str(somebody.state))))
    command = shlex.join(COMMAND)

    bare = _in_a_mount_namespace(somebody, "true", command)
    measured = _in_a_mount_namespace(somebody, before, f"{shlex.quote(str(somebody.innerloop))} run -- {command}")

    assert bare == measured
    assert 7 == bare.status


def test_a_command_runs_the_same_with_a_home_that_cannot_be_written(somebody: Developer) -> None:
    home = shlex.quote(str(somebody.home))
    command = shlex.join(COMMAND)
    read_only = f"mount --bind {home} {home}; mount -o remount,bind,ro {home}; ! touch {home}/x 2>/dev/null || exit 99"

    bare = _in_a_mount_namespace(somebody, "true", command)
    measured = _in_a_mount_namespace(somebody, read_only, f"{shlex.quote(str(somebody.innerloop))} run -- {command}")

    assert bare == measured
    assert 7 == bare.status


def test_the_project_file_may_change_while_the_command_runs(somebody: Developer) -> None:
    """A `git checkout` inside the command, for instance."""
    seen = []
    for stage in (somebody.stage("bare", []), somebody.stage("measured")):
        _project(somebody).write_text("[project]\nid = 'other'\n")
        seen.append(stage.run("sh", "-c", "echo 'broken = [' >innerloop.toml; sleep 0.2; echo out; exit 7"))

    assert seen[0] == seen[1]
