"""Nothing of ours outlives the command where somebody could notice: not with a dead network either."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pexpect
import pytest

from tests.transparency.developer import Developer
from tests.transparency.stage import Stage, eventually

SCRIPTS = {
    "a command substitution": 'x=$($W echo out); echo "$x $?"',
    "a pipe": "$W echo out | cat",
    "a pipe on another descriptor": "{ $W echo out 5>&1 6>&2 | cat; } 2>&1",
    "a pipe on descriptor 200": "{ $W echo out 200>&1 >/dev/null; } | cat",
    "a lock that a shell holds": "exec 9>lock; flock 9; $W echo out; exec 9>&-; flock -n lock echo free",
}


@pytest.fixture(scope="module")
def black_hole() -> Iterator[str]:
    """A server that accepts and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                held.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for connection in held:
        connection.close()


def _due(developer: Developer) -> None:
    """Some runs that are old enough to leave, and a delivery that is due."""
    for _ in range(2):
        developer.stage("measured").run("true")
    developer.make_delivery_due()


LOOK = "import os, sys; from pathlib import Path; up = os.getppid() if sys.argv[1] == 'run' else int(sys.argv[1])\n"
LOOK += (
    "print([Path(f'/proc/{pid}/stat').read_text().split(') ')[1][0] for pid in Path(f'/proc/{up}/task/{up}/children').read_text().split()])"
)


def test_no_zombie_of_ours_is_below_the_launcher_while_the_command_runs(hire: Callable[..., Developer]) -> None:
    developer = hire("yes")
    subprocess.run(["git", "init", "-q"], cwd=developer.project, env=developer.env, check=True)
    seen = developer.stage("measured").run("sh", "-c", f'sleep 0.8; exec python3 -S -c "{LOOK}" run')

    assert b"['R']\n" == seen.out
    assert 1 == developer.recorded()


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("network", ["nobody listens", "black hole"])
def test_nothing_holds(network: str, script: str, hire: Callable[..., Developer], request: pytest.FixtureRequest) -> None:
    endpoint = {"endpoint": request.getfixturevalue("black_hole")} if network == "black hole" else {}
    developer = hire("yes", **endpoint)
    bare = developer.stage("bare", []).shell(SCRIPTS[script])
    _due(developer)
    before = developer.recorded()
    began = time.monotonic()
    measured = developer.stage("measured").shell(SCRIPTS[script])
    took = time.monotonic() - began

    assert bare == measured
    assert took < 2.5, "the sender keeps what it talks to for far longer"
    assert before + 1 == developer.recorded()


def test_the_sender_is_in_no_group_of_the_shells(hire: Callable[..., Developer], black_hole: str) -> None:
    """A Ctrl-C, a closed terminal and `wait` do not meet it; and where delivery is due, it does start."""
    developer = hire("yes", endpoint=black_hole)
    _due(developer)
    due = developer.spool / "next"
    with developer.stage("measured").start("true") as running:
        ended = running.end()

    assert 0 == ended.status
    assert eventually(lambda: due.exists() and due.stat().st_mtime > 0), "the sender did not start"


def test_a_terminal_closes_at_once(hire: Callable[..., Developer], black_hole: str) -> None:
    """`exit` in a shell whose last command started the sender."""
    developer = hire("yes", endpoint=black_hole)
    _due(developer)

    def scenario(stage: Stage) -> float:
        with stage.terminal() as terminal:
            terminal.answer("$W true")
            began = time.monotonic()
            terminal.type("exit")
            terminal.child.expect(pexpect.EOF)
            return time.monotonic() - began

    assert scenario(developer.stage("measured")) < 2.5
