"""What a measured run costs, counted instead of timed: system calls, programs, modules."""

from pathlib import Path

import pytest

from tests.conftest import Installed
from tests.transparency.developer import Developer
from tests.transparency.trace import SPAWNING, SYNCING, TALKING, Trace, modules_at_the_spawn, modules_of_a_bare_interpreter

MOST_CALLS_AFTER_THE_COMMAND = 12
ALLOWED_MODULES = {"posix", "sys", "time", "_signal"}


@pytest.fixture
def warm(somebody: Developer) -> Developer:
    """After a first run everything is compiled and the hot file is written."""
    somebody.stage("measured").run("true")
    return somebody


def test_after_the_command_at_most_twelve_calls_and_none_that_waits(warm: Developer, strace: str) -> None:
    trace = Trace(warm.stage("measured"), strace, "true")
    after = trace.after_the_reap()

    assert 0 == trace.ended.status
    assert len(after) <= MOST_CALLS_AFTER_THE_COMMAND, after
    assert not [call for call in after if call.name in (*SYNCING, *SPAWNING, *TALKING, "execve", "nanosleep", "clock_nanosleep")]


def test_where_delivery_is_due_exactly_one_process_more_is_started(warm: Developer, strace: str) -> None:
    usual = Trace(warm.stage("measured"), strace, "true")
    warm.make_delivery_due()
    due = Trace(warm.stage("measured"), strace, "true")

    spawned = [call for call in due.after_the_reap() if call.name in SPAWNING]
    assert 1 == len(spawned)
    assert not [call for call in due.after_the_reap() if call.name in (*SYNCING, *TALKING)]
    assert not [call for call in usual.after_the_reap() if call.name in SPAWNING]
    assert len([call for call in usual.of_launcher() if call.name in SPAWNING]) + 1 == len(
        [call for call in due.of_launcher() if call.name in SPAWNING]
    )


def test_the_launcher_never_touches_a_socket_or_waits_for_the_disk(warm: Developer, strace: str) -> None:
    warm.make_delivery_due()
    own = Trace(warm.stage("measured"), strace, "true").of_launcher()

    assert [] == [call for call in own if call.name in (*TALKING, *SYNCING)]


def test_the_way_to_python_starts_no_process(warm: Developer, strace: str) -> None:
    """The script finds its place with builtins alone: what is executed is the script, Python, and what runs beside or is the command."""
    trace = Trace(warm.stage("measured"), strace, "true")
    programs = [call.text.split('"')[1] for call in trace.executed() if call.pid == trace.launcher]

    assert str(warm.innerloop) == programs[0]
    assert 2 == len(programs), programs
    assert not [call for call in trace.of_launcher()[: _index_of_python(trace)] if call.name in SPAWNING]


def _index_of_python(trace: Trace) -> int:
    executed = [index for index, call in enumerate(trace.of_launcher()) if call.name == "execve" and call.text.endswith("= 0")]
    return executed[1]


@pytest.mark.parametrize("who", ["refused", "unasked"])
def test_without_consent_the_command_takes_our_place(who: str, request: pytest.FixtureRequest, strace: str, tmp_path: Path) -> None:
    """Where the link points to what `uv tool install` made: there no process looks for it either."""
    developer: Developer = request.getfixturevalue(who)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "innerloop").symlink_to(developer.innerloop.resolve().parent.parent)
    stage = developer.stage("through")
    stage.env = stage.env | {"UV_TOOL_DIR": str(tools)}
    trace = Trace(stage, strace, "true")

    assert {trace.launcher} == {call.pid for call in trace.calls}, "no process more"
    assert 3 == len(trace.executed())


def test_the_number_of_calls_does_not_grow_with_the_spool(warm: Developer, strace: str) -> None:
    few = Trace(warm.stage("measured"), strace, "true")
    new = warm.spool / "new"
    sample = next(new.iterdir()).read_bytes()
    for number in range(3000):
        (new / f"00000000-0000-4000-8000-{number:012}").write_bytes(sample)
    many = Trace(warm.stage("measured"), strace, "true")

    assert len(few.after_the_reap()) == len(many.after_the_reap())
    assert abs(len(few.of_launcher()) - len(many.of_launcher())) <= 2


def _start(installed: Installed) -> Path:
    return next(installed.directory.glob("client/lib/python3*/site-packages/innerloop/start.py"))


@pytest.mark.parametrize("who", ["agreed", "refused"])
def test_before_the_command_starts_almost_nothing_is_imported(who: str, installed: Installed, request: pytest.FixtureRequest) -> None:
    developer: Developer = request.getfixturevalue(who)
    stage = developer.stage("measured")
    bare = set(modules_of_a_bare_interpreter(stage, installed.client_python))
    loaded = set(modules_at_the_spawn(stage, _start(installed), installed.client_python))

    added = {name for name in loaded - bare if name.partition(".")[0] != "innerloop"}
    assert added <= ALLOWED_MODULES
    assert "innerloop.core.launcher.main" in loaded


def test_a_module_too_many_would_be_noticed(agreed: Developer, installed: Installed, tmp_path: Path) -> None:
    start = tmp_path / "start.py"
    start.write_text("import json\n" + _start(installed).read_text().replace("__file__", repr(str(_start(installed)))))
    loaded = modules_at_the_spawn(agreed.stage("measured"), start, installed.client_python)

    assert {"json", "re"} <= set(loaded)


def test_a_call_too_many_would_be_noticed(warm: Developer, strace: str, tmp_path: Path) -> None:
    """The counters of this file see an fsync, a socket and a fork after the command, where there are any."""
    bad = tmp_path / "bad"
    bad.write_text(
        "#!/usr/bin/python3 -IS\nimport os, socket, sys\n"
        "pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)\nos.waitpid(pid, 0)\n"
        f"f = os.open({str(tmp_path / 'file')!r}, os.O_CREAT | os.O_WRONLY)\nos.fsync(f)\nsocket.socket()\nos.posix_spawnp('true', ['true'], os.environ)\n"
    )
    bad.chmod(0o755)
    after = Trace(warm.stage("bad", [str(bad)]), strace, "true").after_the_reap()
    names = {call.name for call in after}

    assert "fsync" in names
    assert "socket" in names
    assert names & set(SPAWNING)
