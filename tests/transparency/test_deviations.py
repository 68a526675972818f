"""The deviations that docs/transparency.md names, exactly as they are. The list may only shrink."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.transparency.developer import Developer
from tests.transparency.scenarios import INTERNAL_SIGNALS, environment, ignoring, process_status, sent
from tests.transparency.stage import Stage, eventually


def _both(developer: Developer) -> tuple[Stage, Stage]:
    return developer.stage("bare", []), developer.stage("measured")


# The start is a shell script, and `sh` keeps some things for itself.


def test_a_stale_or_missing_pwd_is_put_right(agreed: Developer) -> None:
    bare, measured = _both(agreed)
    right = f"PWD={agreed.project}".encode()
    for given in ({"PWD": "/nonexistent"}, {}):
        env = {key: value for key, value in bare.env.items() if key != "PWD"} | given
        without = [line for line in environment(bare, env) if not line.startswith(b"PWD=")]

        assert right not in environment(bare, env)
        assert sorted([*without, right]) == environment(measured, env)


def test_variables_that_no_shell_could_have_set_are_lost_on_the_way(agreed: Developer) -> None:
    """dash drops them; also bash's exported functions, which are such variables."""
    bare, measured = _both(agreed)
    env = bare.env | {"a.b": "1", "npm-config": "2", "1st": "3", "BASH_FUNC_greet%%": "() {  echo hello\n}"}

    assert {b"a.b=1", b"npm-config=2", b"1st=3", b"BASH_FUNC_greet%%=() {  echo hello\n}"} == set(environment(bare, env)) - set(
        environment(measured, env)
    )
    assert set(environment(measured, env)) < set(environment(bare, env))


def test_variables_of_the_shell_itself_have_the_shells_value(agreed: Developer) -> None:
    bare, measured = _both(agreed)
    env = bare.env | {"IFS": ":", "PPID": "1", "OPTIND": "3"}
    names = {line.partition(b"=")[0] for line in set(environment(bare, env)) ^ set(environment(measured, env))}

    assert {b"IFS", b"PPID", b"OPTIND"} == names


def test_variables_come_in_another_order(agreed: Developer) -> None:
    """dash keeps them in a table of its own; none is lost or gained by that."""
    bare, measured = _both(agreed)
    env = bare.env | {f"V{number}": str(number) for number in range(40)}
    one, other = (stage.run("env", env=env).out.splitlines() for stage in (bare, measured))

    assert sorted(one) == sorted(other)
    assert one != other


def test_of_a_variable_that_stands_twice_one_is_passed_on(agreed: Developer) -> None:
    """As every shell does; no shell starts a command so."""
    script = "import ctypes, sys; words = [w.encode() for w in sys.argv[1:]]; c = ctypes.CDLL(None); "
    script += (
        "a = (ctypes.c_char_p * (len(words) + 1))(*words, None); e = (ctypes.c_char_p * 4)(b'HOME=%b', b'TWICE=1', b'TWICE=2', None); "
    )
    script = script.replace("%b", str(agreed.home)) + "c.execve(words[0], a, e)"
    found = []
    for words in (["/usr/bin/env"], [str(agreed.innerloop), "run", "--", "/usr/bin/env"]):
        done = subprocess.run([sys.executable, "-c", script, *words], cwd=agreed.project, capture_output=True, check=True)
        found.append([line for line in done.stdout.split(b"\n") if line.startswith(b"TWICE=")])

    assert [2, 1] == [len(lines) for lines in found]


def test_an_ignored_sigchld_is_not_inherited(agreed: Developer) -> None:
    bare, measured = (process_status(stage, preexec_fn=ignoring(signal.SIGCHLD))["SigIgn"] for stage in _both(agreed))

    assert ("10000", "0") == (bare, measured)


# Python is between the caller and the command.


def test_an_ignored_sigpipe_is_not_inherited(agreed: Developer) -> None:
    """Python ignores it itself before anybody can see what it was."""
    for number, mask in ((signal.SIGPIPE, "1000"), (signal.SIGXFSZ, "1000000")):
        bare, measured = (process_status(stage, preexec_fn=ignoring(number))["SigIgn"] for stage in _both(agreed))

        assert (mask, "0") == (bare, measured)


def test_two_signals_of_the_c_library_are_ignored(agreed: Developer) -> None:
    masks = []
    for stage in _both(agreed):
        lines = stage.run("cat", "/proc/self/status").out.decode().splitlines()
        masks.append(int(next(line for line in lines if line.startswith("SigIgn")).split()[1], 16))

    assert 0 == masks[0] & ~INTERNAL_SIGNALS, "make starts its own recipes with these two ignored"
    assert masks[0] | INTERNAL_SIGNALS == masks[1] | INTERNAL_SIGNALS


# One process more.


def test_the_commands_parent_is_innerloop(agreed: Developer) -> None:
    seen = []
    for stage in _both(agreed):
        with stage.start("sh", "-c", "echo $$ $PPID") as running:
            child, parent = map(int, running.end().out.split())
            seen.append((child == running.pid, parent == running.pid, parent == os.getpid()))

    assert [(True, False, True), (False, True, False)] == seen


def test_an_interrupt_for_innerloop_alone_is_not_passed_on(agreed: Developer) -> None:
    """Else a tool that signals the group would interrupt twice, and docker compose kills on the second."""
    script = 'trap "echo interrupted; exit 3" INT QUIT; echo ready; sleep 0.2; sleep 0.2; exit 4'
    for name in ("INT", "QUIT"):
        bare, measured = (sent(stage, script, name) for stage in _both(agreed))

        assert (3, b"ready\ninterrupted\n") == bare[:2]
        assert (4, b"ready\n") == measured[:2]


def test_a_handler_of_the_groups_termination_may_be_called_twice(agreed: Developer) -> None:
    script = 'trap "echo got TERM" TERM; echo ready; i=0; while [ $i -lt 40 ]; do sleep 0.02; i=$((i+1)); done; exit 4'
    bare, measured = (sent(stage, script, "TERM", os.killpg) for stage in _both(agreed))

    assert (4, b"ready\ngot TERM\n") == bare[:2]
    assert (4, b"ready\ngot TERM\ngot TERM\n") == measured[:2]


def test_the_command_outlives_a_kill_of_innerloop(agreed: Developer) -> None:
    _, measured = _both(agreed)
    with measured.start("sh", "-c", "echo $$ ready; exec sleep 20") as running:
        running.see(b"ready")
        child = int(running.out.split()[0])
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        time.sleep(0.2)
        alive = Path(f"/proc/{child}").exists()
        os.kill(child, signal.SIGKILL)

        assert alive
        assert eventually(lambda: not Path(f"/proc/{child}").exists())


def test_of_a_crash_only_the_command_leaves_a_core_file(agreed: Developer, tmp_path: Path) -> None:
    """The status that the parent sees lacks the flag `core dumped`; the signal is the same."""
    code = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
status = os.waitpid(pid, 0)[1]
print(os.WTERMSIG(status), os.WCOREDUMP(status))
"""
    seen = []
    for stage in _both(agreed):
        directory = agreed.project / f"core-{stage.name}"
        directory.mkdir()
        command = [*stage.prefix, "sh", "-c", "kill -ABRT $$"]
        ended = stage.run(sys.executable, "-I", "-S", "-c", code, *command, wrapped=False, cwd=directory)
        number, dumped = ended.out.split()[-2:]
        seen.append((int(number), dumped, len(list(directory.iterdir()))))

    assert signal.SIGABRT == seen[0][0] == seen[1][0]
    assert seen[1][1] == b"False"
    assert seen[0][2] == seen[1][2]
