"""A make that the developer started as always is recorded, ends as always, and waits for nobody."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from innerloop.core.launcher import attach
from tests.attach.conftest import hire
from tests.conftest import Installed
from tests.transparency.developer import Developer
from tests.transparency.stage import Ended, eventually


class Record(NamedTuple):
    """What a finished record says."""

    local: str
    status: str
    lines: dict[str, str]


def make(developer: Developer, *words: str, **env: str) -> Ended:
    stage = developer.stage("make", [])
    return stage.run("make", *words, env=developer.env | env)


def records(developer: Developer) -> list[Record]:
    """Every finished record, oldest first."""
    found = []
    for path in (developer.spool / "new").iterdir():
        lines = dict(line.split(" ", 1) for line in path.read_text().splitlines() if " " in line)
        found.append((int(lines["start"].split()[0]), Record(lines["local"], lines.get("end", "").split(" ")[0], lines)))
    return [record for _, record in sorted(found)]


def recorded(developer: Developer, count: int = 1) -> list[Record]:
    assert eventually(lambda: len(list((developer.spool / "new").iterdir())) >= count)
    return records(developer)


def watchers(developer: Developer) -> list[int]:
    """The processes that still keep a record for this developer."""
    mark = f"HOME={developer.home}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"attach" in (process / "cmdline").read_bytes().split(b"\0") and mark in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def the_watcher(developer: Developer) -> int:
    """The one watcher; for a moment a process that it spawns looks like it."""
    assert eventually(lambda: len(watchers(developer)) == 1)
    return watchers(developer)[0]


@pytest.mark.parametrize(("goal", "status"), [("test", "0"), ("fail", "2"), ("missing", "2")])
def test_makes_own_exit_status_is_recorded(somebody: Developer, goal: str, status: str) -> None:
    ended = make(somebody, goal)

    assert int(status) == ended.status
    (record,) = recorded(somebody)
    assert (goal, status) == (record.local, record.status)
    assert eventually(lambda: watchers(somebody) == [])


def test_a_make_that_was_killed_is_recorded_with_its_signal(somebody: Developer) -> None:
    assert -signal.SIGTERM == make(somebody, "dies").status

    assert [f"{-signal.SIGTERM}"] == [record.status for record in recorded(somebody)]


def test_ctrl_c_reaches_make_and_the_record_says_so(somebody: Developer) -> None:
    with somebody.stage("make", []).terminal() as terminal:
        terminal.type("make waits")
        terminal.see("ready")
        terminal.press("c")
        assert 130 == terminal.prompt()

    assert [f"{-signal.SIGINT}"] == [record.status for record in recorded(somebody)]


def test_closing_the_terminal_ends_make_and_not_the_watcher(somebody: Developer) -> None:
    with somebody.stage("make", []).terminal() as terminal:
        terminal.type("make waits")
        terminal.see("ready")
        terminal.hang_up()
        assert eventually(lambda: len(records(somebody)) == 1)

    assert records(somebody)[0].status not in ("", "-", "0")


@pytest.mark.parametrize("flag", ["-n", "-q", "-t", "-p", "-d", "--trace", "--dry-run", "-kn"])
def test_where_nothing_runs_or_make_explains_itself_nothing_is_started(somebody: Developer, flag: str) -> None:
    make(somebody, flag, "test")

    assert [] == watchers(somebody)
    assert 0 == somebody.recorded()


@pytest.mark.parametrize("words", [("A=nqt", "test"), ("-j2", "test"), ("-k", "test"), ("--no-print-directory", "test")])
def test_other_options_and_variables_hide_nothing(somebody: Developer, words: tuple[str, ...]) -> None:
    make(somebody, *words)

    assert ["test"] == [record.local for record in recorded(somebody)]


def test_undefined_variables_are_warned_of_as_without_us(somebody: Developer) -> None:
    measured = make(somebody, "--warn-undefined-variables", "test")
    (somebody.project / "GNUmakefile").unlink()

    assert make(somebody, "--warn-undefined-variables", "test") == measured


def test_odd_goals_are_kept_here_as_they_were_typed(somebody: Developer) -> None:
    for goal in ("it's", 'quo"ted', "ünï", "$(shell touch leaked)", "`touch leaked`", "; touch leaked"):
        make(somebody, "-k", goal)

    recorded(somebody, 6)
    assert not (somebody.project / "leaked").exists()
    assert 'quo"ted' in [record.local for record in records(somebody)]


def test_nobody_who_reads_makes_output_waits_for_the_watcher(somebody: Developer) -> None:
    """A pipe that the watcher held would never end while make's own child, a daemon, lives."""
    (somebody.project / "Makefile").write_text("test: ; @sleep 30 >/dev/null 2>&1 </dev/null & echo done\n")
    stage = somebody.stage("make", [])
    started = time.monotonic()
    assert b"done\n" == stage.shell("make test | cat").out

    assert time.monotonic() - started < 10


def test_the_watcher_holds_nothing_of_makes(somebody: Developer) -> None:
    reads, writes = os.pipe()  # of the developer's shell: `make 9>&1 | reader`
    with somebody.stage("make", []).start("make", "slow", pass_fds=(writes,)) as running:
        os.close(writes)
        running.see(b"ready")
        watcher = the_watcher(somebody)
        held = {os.readlink(f"/proc/{watcher}/fd/{number}") for number in os.listdir(f"/proc/{watcher}/fd")}
        session = Path(f"/proc/{watcher}/stat").read_text().rpartition(") ")[2].split()[3]
        running.end()
    os.close(reads)

    assert {name for name in held if "pipe" in name or "tty" in name or "pts" in name} == set()
    assert session == str(watcher) or int(session) != running.pid


def test_leaving_while_make_runs_counts_the_run_as_withdrawn(somebody: Developer) -> None:
    with somebody.stage("make", []).start("make", "slow") as running:
        running.see(b"ready")
        assert 0 == somebody.stage("leave", [str(somebody.innerloop)]).run("opt-out").status
        assert 0 == running.end().status

    assert eventually(lambda: watchers(somebody) == [])
    assert not (somebody.state / "attach.mk").exists()
    assert [] == list((somebody.state / "spool").rglob("new/*"))
    make(somebody, "test")
    assert [] == watchers(somebody)


def test_leaving_every_project_leaves_nothing_that_make_reads(somebody: Developer) -> None:
    """Also where the list of measured projects names one that is no more."""
    with (somebody.state / "enabled").open("a") as file:
        file.write("a-project-that-is-gone\n")
    assert 0 == somebody.stage("leave", [str(somebody.innerloop)]).run("opt-out", "--all").status

    assert not (somebody.state / "attach.mk").exists()


def test_a_watcher_that_is_killed_leaves_an_unfinished_run_and_make_goes_on(somebody: Developer) -> None:
    with somebody.stage("make", []).start("make", "slow") as running:
        running.see(b"ready")
        watcher = the_watcher(somebody)
        assert eventually(lambda: somebody.recorded() == 1)
        os.kill(watcher, signal.SIGKILL)
        assert 0 == running.end().status

    assert 1 == somebody.recorded()
    assert [] == records(somebody)


def test_a_changed_project_file_costs_no_run(somebody: Developer) -> None:
    """The cache is out of date: the watcher asks the sources while make runs, and make does not wait for that."""
    os.utime(somebody.project / "innerloop.toml")
    make(somebody, "test")

    assert ["test"] == [record.local for record in recorded(somebody)]
    make(somebody, "test")
    assert 2 == len(recorded(somebody, 2))


def test_nested_makes_and_measured_commands_are_one_run(somebody: Developer) -> None:
    make(somebody, "nested")
    make(somebody, "wraps")

    assert ["nested", "wraps"] == [record.local for record in recorded(somebody, 2)]
    assert eventually(lambda: watchers(somebody) == [])
    assert 2 == somebody.recorded()


def test_a_script_that_is_measured_and_calls_make_is_one_run(somebody: Developer) -> None:
    somebody.stage("run").run("sh", "-c", "make test; make test; innerloop run -- true; innerloop wrap ok")
    recorded(somebody)
    time.sleep(0.3)

    assert eventually(lambda: watchers(somebody) == [])
    assert 1 == somebody.recorded()


def test_a_make_that_starts_over_is_one_run(somebody: Developer) -> None:
    """It made a file anew that it includes: the same process reads everything once more."""
    (somebody.project / "Makefile").write_text("-include made.mk\ntest: ; @echo tested $(WORD)\nmade.mk: ; @echo WORD:=word >$@\n")
    for number in (1, 2):
        (somebody.project / "made.mk").unlink(missing_ok=True)
        assert Ended(0, b"tested word\n", b"") == make(somebody, "test")
        recorded(somebody, number)

        assert eventually(lambda: watchers(somebody) == [])
        assert number == somebody.recorded()
        os.utime(somebody.project / "innerloop.toml")  # the second time the cache is out of date


@pytest.mark.parametrize("words", [("make", "slow"), ("sh", "-c", "make slow; make test")])
def test_a_launched_make_is_one_run_also_where_the_cache_is_out_of_date(somebody: Developer, words: tuple[str, ...]) -> None:
    """Then launcher and watcher both ask the sources, and neither has begun its record when the other looks."""
    for number in (1, 2, 3):
        os.utime(somebody.project / "innerloop.toml")
        assert 0 == somebody.stage("run").run(*words).status
        assert eventually(lambda: watchers(somebody) == [])

        assert number == somebody.recorded()


def test_two_makes_at_once_are_two_runs(somebody: Developer) -> None:
    somebody.stage("make", []).shell("make slow & make slow & wait")

    assert ["slow", "slow"] == [record.local for record in recorded(somebody, 2)]


@pytest.mark.parametrize("env", [{"DO_NOT_TRACK": "1"}, {"CI": "1"}, {"INNERLOOP_MODE": "off"}, {"SUDO_USER": "x", "SUDO_UID": "1"}])
def test_where_the_environment_forbids_it_nothing_is_recorded(somebody: Developer, env: dict[str, str]) -> None:
    assert Ended(0, b"tested\n", b"") == make(somebody, "test", **env)

    assert [] == watchers(somebody)
    assert 0 == somebody.recorded()


@pytest.mark.parametrize("way", ["preloaded", "traced"])
def test_a_make_that_somebody_follows_is_not_attached_to(somebody: Developer, request: pytest.FixtureRequest, way: str) -> None:
    library = next(path for pattern in ("lib/*/libm.so.6", "lib*/libm.so.6") for path in Path("/").glob(pattern))
    strace = [request.getfixturevalue("strace"), "-f", "-qq", "-o", "/dev/null"] if way == "traced" else []
    env = somebody.env | ({"LD_PRELOAD": str(library)} if way == "preloaded" else {})
    done = subprocess.run([*strace, "make", "nested"], cwd=somebody.project, env=env, capture_output=True, text=True, check=True)

    assert (2, "") == (done.stdout.count("tested"), done.stderr)
    assert 0 == somebody.recorded()


@pytest.mark.parametrize("answered", ["no", ""])
def test_without_consent_make_starts_no_process_of_ours(installed: Installed, tmp_path: Path, strace: str, answered: str) -> None:
    developer = hire(installed, tmp_path, answered)
    trace = tmp_path / "trace"
    command = [strace, "-f", "-qq", "-e", "trace=execve", "-o", str(trace), "make", "test"]
    subprocess.run(command, cwd=developer.project, env=developer.env, check=True, capture_output=True)

    lines = [line for line in trace.read_text().splitlines() if "execve(" in line and "ENOENT" not in line]
    assert ["make", "echo"] == [line.split('execve("', 1)[1].split('"')[0].rpartition("/")[2] for line in lines]
    assert not (developer.state / "attach.mk").exists(), "which would start none either while somebody traces"


def test_without_the_command_make_is_silent(somebody: Developer, installed: Installed) -> None:
    """It was uninstalled, and its state directory is still there."""
    text = (somebody.state / "attach.mk").read_text()
    command = shlex.split(text.split("$(shell exec ", 1)[1])[0]
    (somebody.state / "attach.mk").write_text(text.replace(command, "/nowhere/bin/innerloop"))

    assert Ended(0, b"tested\n", b"") == make(somebody, "test")


def test_a_broken_command_is_not_makes_trouble(somebody: Developer, tmp_path: Path) -> None:
    broken = tmp_path / "innerloop"
    broken.write_text("#!/bin/sh\necho noise; echo noise >&2; exit 1\n")
    broken.chmod(0o755)
    text = (somebody.state / "attach.mk").read_text()
    command = shlex.split(text.split("$(shell exec ", 1)[1])[0]
    (somebody.state / "attach.mk").write_text(text.replace(command, str(broken)))

    assert Ended(0, b"tested\n", b"") == make(somebody, "test")
    broken.chmod(0o644)
    assert Ended(0, b"tested\n", b"") == make(somebody, "test")


def test_a_full_disk_is_not_makes_trouble(somebody: Developer) -> None:
    shutil.rmtree(somebody.spool)

    assert Ended(0, b"tested\n", b"") == make(somebody, "test")


def test_where_the_kernel_does_not_tell_the_status_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sh", "-c", "exit 7"]) as process:
        handle = os.pidfd_open(process.pid)
        monkeypatch.setattr(attach, "GET_INFO", 0)

        assert None is attach._status_of(handle)
    os.close(handle)
