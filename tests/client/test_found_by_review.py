"""What a careful reader of the client found. Each was so once."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from innerloop.core.shared import paths
from tests.client.people import ANSWER_PROMPT, Developer, eventually
from tests.client.recorder import Recorder

JOB = {"CI": "1", "INNERLOOP_CI": "1"}


def test_a_redirected_stream_makes_no_ci_job_of_a_person(developer: Developer, server: Recorder) -> None:
    developer.edit(project={"ci": True})
    for line in ("innerloop run -- true </dev/null | cat", "innerloop run -- true 2>/dev/null", "innerloop flush </dev/null 2>&1 | cat"):
        developer.at_terminal("sh", "-c", line, env=JOB)
    assert developer.files() == {}
    assert server.connections == 0


def test_a_journal_that_can_be_written_half_forgets_no_run(agreed: Developer, server: Recorder) -> None:
    """As on a nearly full disk: the limit of a file's size cuts the write in two."""
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(400)
    done = agreed.execute("sh", "-c", "ulimit -f 8; exec innerloop flush")
    assert done.status == 1
    assert agreed.ledger()["recorded"] == 401
    assert agreed.flush().status == 0
    assert agreed.ledger()["acknowledged"] == 401
    assert len({event["messageId"] for event in server.events}) == 401


def test_opt_out_works_on_a_full_disk(agreed: Developer, small_disk: Callable[..., list[str]]) -> None:
    for _ in range(3):
        agreed.run("make", "test")
    agreed.pending()
    saved = agreed.base / "saved"
    agreed.home.rename(saved)
    agreed.home.mkdir()
    script = f"""
cp -a {saved}/. {agreed.home}/
dd if=/dev/zero of={agreed.home}/filler bs=1k >/dev/null 2>&1 || true
innerloop opt-out; echo "status $?"
innerloop status | head -1
find {agreed.home}/.local/state/innerloop/spool/*/sealed {agreed.home}/.local/state/innerloop/spool/*/new -type f | wc -l
"""
    done = agreed.execute(*small_disk(agreed.home, script, size="256k"))
    assert "status 0" in done.out, done
    assert "shop: no" in done.out
    assert done.out.splitlines()[-1] == "0"


@pytest.mark.parametrize("link", ["the home", "above the home", "relative"])
def test_a_home_behind_a_link_is_followed_to_where_it_is(link: str, tmp_path: Path) -> None:
    """Without touching what is behind it: there is nothing."""
    far = b"/srv/server-that-is-not-there"
    mounts = b"1 2 0:1 / / rw - ext4 /dev/x rw\n3 1 0:2 / " + far + b" rw - nfs4 server:/ rw\n"
    home = tmp_path / "home"
    if link == "the home":
        home.symlink_to(os.fsdecode(far) + "/me")
    elif link == "above the home":
        (tmp_path / "homes").symlink_to(os.fsdecode(far))
        home = tmp_path / "homes" / "me"
    else:
        home.symlink_to(os.path.relpath(os.fsdecode(far), tmp_path) + "/me")
    assert paths.far({b"HOME": os.fsencode(home)}, mounts)
    assert not paths.far({b"HOME": os.fsencode(tmp_path)}, mounts)


def test_a_mount_for_a_container_may_hang_too() -> None:
    mounts = b"1 2 0:1 / / rw - ext4 /dev/x rw\n3 1 0:2 / /run/innerloop/state rw - virtiofs host rw\n"
    assert paths.far({b"HOME": b"/root"}, mounts)


def test_two_clones_of_which_one_asks_for_less_keep_to_their_own_list(agreed: Developer, server: Recorder) -> None:
    first = agreed.directory
    agreed.run("make", "test")
    agreed.project(directory="second").edit(fields={"os": False})
    agreed.run("make", "build")
    for directory in (agreed.directory, first):
        agreed.directory = directory
        assert len(agreed.pending()) == 2
    assert agreed.flush().status == 0
    found = {event["properties"]["command"]: "os" in event["properties"] for event in server.events}
    assert found == {"test": True, "build": False}
    assert len({request.document["context"]["plan"] for request in server.requests}) == 2
    assert agreed.ledger()["acknowledged"] == 2


def test_show_next_shows_only_what_would_leave(agreed: Developer) -> None:
    agreed.run("make", "test")
    assert agreed.innerloop("show", "next").json["batch"]
    local = agreed.innerloop("show", "next", env={"INNERLOOP_MODE": "local"})
    assert (local.out, "nothing leaves" in local.err) == ("", True)
    agreed.edit(fields={"os": False})
    assert agreed.innerloop("show", "next").out == ""


@pytest.mark.parametrize("leaving", [("opt-out",), ("opt-out", "--all")])
def test_leaving_takes_what_ci_jobs_of_the_same_user_left(agreed: Developer, leaving: tuple[str, ...]) -> None:
    agreed.edit(project={"ci": True})
    agreed.run("make", "test", env=JOB)
    (spool,) = agreed.state.glob("spool/*-ci")
    assert len(list((spool / "new").iterdir())) == 1
    agreed.innerloop(*leaving)
    assert list((spool / "new").iterdir()) == []
    assert not (agreed.state / "enabled").exists()


def test_a_clock_that_was_ahead_once_does_not_stop_delivery(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    (sealed,) = agreed.place("sealed")
    then = time.time() + 5 * 365 * 86400
    sealed.write_bytes(re.sub(rb'"release": [0-9.]+', b'"release": %f' % then, sealed.read_bytes()))
    os.utime(agreed.spool / "next", (then, then))
    assert "wrong clock" in agreed.innerloop("doctor").out
    agreed.run("make", "build")
    assert eventually(lambda: len(server.events) == 1)


def test_a_cache_with_a_bad_byte_is_written_again(agreed: Developer) -> None:
    agreed.run("make", "test")
    agreed.hot_file.write_bytes(agreed.hot_file.read_bytes().replace(b"\np test", b"\np te\xfft", 1))
    assert agreed.innerloop("doctor").status == 0
    for _ in range(2):
        agreed.run("make", "test")
    assert agreed.recorded() == 3
    assert b"\np test\n" in agreed.hot_file.read_bytes()


def test_who_agrees_where_it_does_not_hold_is_told_so(developer: Developer) -> None:
    said = developer.opt_in("yes", env={"INNERLOOP_MODE": "local"})
    assert "Here and now it is local: INNERLOOP_MODE=local" in " ".join(said.text.split())


def test_a_yes_after_a_command_that_cannot_be_kept_says_why(developer: Developer) -> None:
    developer.edit(project={"ask": "question"})
    spool = developer.state / "spool"
    spool.mkdir(parents=True, mode=0o500)
    if os.geteuid() == 0:  # who is above modes meets a file system that takes nothing
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(spool)], check=True)
    try:
        said = developer.run_at_terminal("true", types=[(ANSWER_PROMPT, "yes")])
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", str(spool)], check=True)
    assert said.status == 0
    assert "nothing was agreed to" in " ".join(said.text.split())


def test_of_many_commands_that_end_at_once_one_invites(developer: Developer) -> None:
    said = developer.at_terminal("sh", "-c", "for i in $(seq 16); do innerloop run -- sleep 0.3 </dev/tty & done; wait")
    assert said.text.count("Look and decide") == 1
