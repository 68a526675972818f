"""What a collector keeps is its user's alone, wherever it is put and whatever was there before."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.backups import backed_up
from tests.collector.support import COMMAND, PROJECT, Collector, run_event
from tests.collector.test_cli import as_somebody_with_no_privileges

SOMEBODY = 54321  # a user who is not here
AS_SOMEBODY = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups"]


def _open_to_others(directory: Path) -> list[str]:
    return [str(path) for path in (directory, *directory.rglob("*")) if path.lstat().st_mode & 0o077 and not path.is_symlink()]


def _about(collector: Collector, what: str) -> list[str]:
    return [one["text"] for one in collector.check()["findings"] if one["about"] == what]


def _with_umask(collector: Collector, *words: str) -> Collector:
    """Start the service as an init script that lets everything through."""
    before = os.umask(0)
    try:
        return collector.start(*words)
    finally:
        os.umask(before)


def test_serve_closes_a_directory_that_was_made_beforehand_and_everything_in_it_is_born_closed(idle: Collector) -> None:
    idle.data.mkdir(mode=0o755)
    idle.data.chmod(0o755)
    _with_umask(idle, "--project-file", str(idle.write(PROJECT)))
    idle.send(run_event())
    backup = backed_up(idle)
    assert 0o700 == stat.S_IMODE(idle.data.stat().st_mode)
    assert "the data directory was open to others" in idle.log

    assert ([], []) == (_open_to_others(idle.data), _open_to_others(backup))
    idle.stop()
    assert [] == _open_to_others(idle.data)


def test_what_an_earlier_version_left_open_is_closed_at_its_top(idle: Collector) -> None:
    idle.start_with()
    idle.stop()
    for path in (idle.data, *idle.data.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert "the next start of the service closes it" in _about(idle, "data")[0]
    idle.start()

    assert [] == [name for name in _open_to_others(idle.data) if Path(name).parent in (idle.data, idle.data.parent)]
    assert [] == _about(idle, "data")


def test_check_says_who_could_look_in_or_put_another_in_its_place(idle: Collector) -> None:
    idle.start_with()
    backup = backed_up(idle)
    assert [] == _about(idle, "data") + _about(idle, "backups")
    idle.data.chmod(0o750)
    backup.chmod(0o755)
    assert f"others may look into {idle.data} (mode 0750)" in _about(idle, "data")[0]
    assert f"others may look into the backup {backup}" in _about(idle, "backups")[0]
    assert 1 == idle.cli("check").returncode
    idle.data.chmod(0o700)
    idle.directory.chmod(0o777)
    assert f"anybody may write to {idle.directory}" in _about(idle, "data")[0]
    idle.directory.chmod(0o1777)
    assert [] == _about(idle, "data")


def test_a_secret_that_everybody_may_read_is_said(idle: Collector) -> None:
    token = idle.directory / "token"
    token.write_text("x" * 40)
    token.chmod(0o644)
    idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_TOKEN_FILE"] = str(token)
    assert f"everybody on this machine may read {token}" in idle.cli("config", "check").stderr
    token.chmod(0o600)
    assert "" == idle.cli("config", "check").stderr


def _as_root(test: Callable[[Collector], None]) -> Callable[[Collector], None]:
    return pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give a file to somebody else")(test)


@_as_root
def test_check_says_whose_the_way_to_the_data_is(idle: Collector) -> None:
    idle.data = idle.directory / "theirs" / "data"
    idle.environment["INNERLOOP_COLLECTOR_DATA"] = str(idle.data)
    idle.data.parent.mkdir()
    idle.start_with()
    os.chown(idle.data.parent, SOMEBODY, SOMEBODY)

    assert f"{idle.data.parent} belongs to another user ({SOMEBODY})" in _about(idle, "data")[0]


@pytest.fixture
def somebodys() -> Iterator[Path]:
    """A directory of somebody who may run commands here."""
    if os.geteuid() != 0 or subprocess.run([*AS_SOMEBODY, *COMMAND, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: only root can give a file to somebody else, and start a command as them")
    place = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own is closed to them
    os.chown(place, SOMEBODY, SOMEBODY)
    yield place
    shutil.rmtree(place)


@pytest.mark.parametrize("name", ["", "secret", "store", "admin-token", "lock", "erasures.log"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_somebody_else_could_have_put_there_is_refused(idle: Collector, somebodys: Path, name: str, linked: bool) -> None:
    """A directory that anybody could write to may hold a secret that somebody knows, or rows of theirs."""
    data = somebodys / "data"
    data.mkdir()
    os.chown(data, SOMEBODY, SOMEBODY)
    foreign = data / name if name else data
    if name:
        foreign.mkdir() if name == "store" else foreign.write_bytes(b"0" * 32)
    foreign.chmod(0o777)  # whose it is refuses it, not what may be done with it
    os.chown(foreign, SOMEBODY + 1, SOMEBODY + 1)
    if linked:
        foreign.rename(foreign.with_name("elsewhere"))
        foreign.symlink_to("elsewhere")
        os.lchown(foreign, SOMEBODY, SOMEBODY)
    done = subprocess.run(
        [*AS_SOMEBODY, *COMMAND, "serve", "--port", "0", "--data", str(data)],
        capture_output=True, text=True, env=idle.environment, cwd="/", timeout=60, check=False,
    )  # fmt: skip

    assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
    assert f"it belongs to another user ({SOMEBODY + 1})" in done.stderr


@_as_root
def test_root_uses_the_directory_of_any_one_user_and_nothing_of_a_second(idle: Collector) -> None:
    idle.apply(PROJECT)
    for path in (idle.data, *idle.data.rglob("*")):
        os.chown(path, SOMEBODY, SOMEBODY)
    assert 0 == idle.cli("projects", "list").returncode
    os.chown(idle.data / "secret", SOMEBODY + 1, SOMEBODY + 1)
    done = idle.cli("projects", "list")

    assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
    assert f"{idle.data / 'secret'}: it belongs to another user ({SOMEBODY + 1})" in done.stderr


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o400, 0o600])
def test_without_permission_every_command_says_the_one_line(idle: Collector, mode: int) -> None:
    idle.apply(PROJECT)
    idle.data.chmod(mode)
    for words in (
        ["check"],
        ["report", "acme"],
        ["keys", "list"],
        ["backup", "b"],
        ["serve", "--port", "0"],
        ["projects", "list"],
        ["restore", "b"],
    ):
        done = as_somebody_with_no_privileges(idle, *words)
        assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
        assert f"cannot use {idle.data} as data directory" in done.stderr or "b is no backup" in done.stderr, done.stderr
    idle.data.chmod(0o700)


def test_a_directory_above_that_lets_nobody_through_is_one_line_too(idle: Collector) -> None:
    idle.apply(PROJECT)
    shutil.copytree(idle.data, idle.directory / "closed" / "data")
    (idle.directory / "closed").chmod(0o000)
    done = as_somebody_with_no_privileges(idle, "check", "--data", str(idle.directory / "closed" / "data"))
    (idle.directory / "closed").chmod(0o700)

    assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
    assert "run this as the user whom the service runs as" in done.stderr
