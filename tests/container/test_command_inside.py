"""A command in a container is as bare with us as without: its ids, its environment, its terminal and its signals."""

import re
import signal
import time

import pytest

from tests.client.people import PATIENCE, eventually
from tests.container.roots import Root, under_way

SCRIPT = "id; grep -E 'Cap|Groups|Uid|Gid|NoNewPrivs|Sig(Blk|Ign|Cgt)' /proc/self/status; env | sort; umask; echo error >&2; exit 3"


@pytest.mark.parametrize("script", [SCRIPT, "kill -TERM $$", "kill -KILL $$", "exec no-such-command", "cat; tty; pwd"])
def test_a_command_inside_is_as_bare(agreed: Root, container: Root, script: str) -> None:
    """Identity, capabilities, environment, output, status and signal, whoever we acted as meanwhile."""
    container.run("make", "test")
    bare = container.execute("sh", "-c", script)
    measured = container.run("sh", "-c", script)
    assert bare.status == measured.status
    assert without_the_real_time_signals(bare.out) == without_the_real_time_signals(measured.out)
    assert bare.err == measured.err
    assert 2 == agreed.recorded()


def without_the_real_time_signals(text: str) -> str:
    """Two signals of glibc's own are ignored in any command that posix_spawn starts (docs/transparency.md)."""
    return re.sub(r"(?<=SigIgn:\t)\w+", lambda mask: f"{int(mask[0], 16) & ~(3 << 31):016x}", text)


def test_a_signal_to_the_launcher_reaches_a_command_of_any_user(agreed: Root, container: Root) -> None:
    """Root may signal everybody, and can still do so after it acted as the owner."""
    container.run("make", "test")
    other = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "sleep", "60"]
    running = container.start(*container.command, "run", "--", *other)
    assert eventually(lambda: under_way(agreed))
    time.sleep(0.3)
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE) == -signal.SIGTERM
    assert eventually(lambda: 2 == len(list((agreed.spool / "new").iterdir())))


def test_a_command_inside_at_a_terminal_is_as_bare(agreed: Root, container: Root) -> None:
    container.run("make", "test")
    words = ["sh", "-c", "tty; read line; echo got $line; exit 7"]
    bare = container.at_terminal(*words, types=[("/dev", "hello")])
    measured = container.at_terminal(*container.command, "run", "--", *words, types=[("/dev", "hello")])
    assert 7 == bare.status == measured.status
    assert re.sub(r"\d+", "N", bare.text) == re.sub(r"\d+", "N", measured.text)
    assert 2 == agreed.recorded()
