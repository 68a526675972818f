"""Leaving works anywhere and on anything broken, says nothing to anybody, and empties the queue."""

import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder
from tests.client.test_hot_file import BREAKAGES

HOLDS_THE_LOCK = """
import fcntl, os, sys, time
held = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(held, fcntl.LOCK_EX)
open(os.path.join(os.path.dirname(sys.argv[1]), "held"), "w").close()
time.sleep(60)
"""


@pytest.fixture
def busy(agreed: Developer) -> Developer:
    """Somebody who said yes and has sealed, finished and killed runs in the spool."""
    agreed.run("make", "test")
    agreed.pending()
    agreed.run("make", "build")
    return agreed


def is_over(developer: Developer, server: Recorder) -> None:
    """Nothing is queued, nothing is recorded, nothing was ever sent."""
    (spool,) = (developer.state / "spool").iterdir()
    assert [path for place in ("new", "sealed", "run") for path in (spool / place).iterdir()] == []
    assert not (developer.state / "enabled").exists()
    before = developer.recorded()
    assert developer.run("make", "test").status == 0
    os.utime(spool / "next", (0, 0))
    developer.run_at_terminal("make", "test")
    developer.innerloop("deliver")
    developer.flush()
    assert developer.recorded() == before
    assert server.connections == 0


def test_opt_out_empties_the_queue_and_tells_nobody(busy: Developer, server: Recorder) -> None:
    done = busy.opt_out()
    assert done.status == 0
    assert "2 unsent records were deleted here." in done.err
    is_over(busy, server)
    assert busy.ledger()["dropped"] == {"withdrawn": 2}
    assert busy.run_at_terminal("make", "test").text == ""


def test_opt_out_takes_what_killed_launchers_left(busy: Developer, server: Recorder) -> None:
    running = busy.start(busy.command, "run", "--", "sleep", "0.3")
    assert eventually(lambda: busy.place("run"))
    running.kill()
    running.wait()
    busy.age_orphans()
    busy.opt_out()
    is_over(busy, server)
    assert busy.ledger()["dropped"] == {"withdrawn": 3}


def test_opt_out_keeps_the_id_but_only_as_the_key_to_erasure(busy: Developer) -> None:
    key = {name: busy.consent[name] for name in ("secret", "destination", "write_key")}
    busy.opt_out()
    assert busy.consent == {"decision": False, "timestamp": busy.consent["timestamp"], "serial": busy.consent["serial"], **key}


@pytest.mark.parametrize(
    ("destroy", "words"), [*((destroy, []) for destroy in BREAKAGES), (BREAKAGES[0], ["--all"]), (BREAKAGES[1], ["--all"])]
)
def test_opt_out_works_on_an_answer_that_cannot_be_read(
    busy: Developer, server: Recorder, destroy: Callable[[Path], None], words: list[str]
) -> None:
    destroy(busy.consent_file)
    done = busy.opt_out(*words)
    assert (done.status, "Traceback" in done.err) == (0, False)
    assert busy.status()["mode"] == "no"
    is_over(busy, server)


@pytest.mark.parametrize("words", [[], ["--all"]], ids=["this project", "all"])
def test_opt_out_works_on_an_answer_without_permission_to_read_it(busy: Developer, server: Recorder, words: list[str]) -> None:
    busy.consent_file.chmod(0)
    prefix = [shutil.which("setpriv"), "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    if None in prefix:
        pytest.skip("root reads everything, and there is no setpriv to stop that")
    before = busy.execute(*prefix, busy.command, "status")
    assert "cannot be read" in before.out
    assert busy.execute(*prefix, busy.command, "opt-out", *words).status == 0
    assert busy.status()["mode"] == "no"
    is_over(busy, server)


@pytest.mark.parametrize(("text", "words"), [("[project\n", []), ("", []), (b"\xff\xfe", []), ("[project\n", ["--all"])])
def test_opt_out_works_with_a_project_file_that_cannot_be_read(
    busy: Developer, server: Recorder, text: str | bytes, words: list[str]
) -> None:
    good = busy.project_file.read_text()
    busy.write(text)
    done = busy.opt_out(*words)
    assert (done.status, "Traceback" in done.err) == (0, False)
    busy.write(good)
    assert busy.status()["mode"] == "no"
    is_over(busy, server)


def test_opt_out_from_a_directory_below_works(busy: Developer, server: Recorder) -> None:
    (busy.directory / "a" / "b").mkdir(parents=True)
    assert busy.opt_out(cwd=busy.directory / "a" / "b").status == 0
    is_over(busy, server)


def test_opt_out_all_works_from_anywhere(busy: Developer, server: Recorder) -> None:
    shop = busy.directory
    busy.project("other", project={"id": "other", "write_key": "other.x"})
    busy.opt_in("local")
    done = busy.opt_out("--all", cwd=busy.home)
    assert done.status == 0
    assert "2 projects are no longer measured (shop, shop)." in done.err
    for directory in (shop, busy.directory):
        assert busy.status(cwd=directory)["mode"] == "no"
        busy.run("make", "test", cwd=directory)
    assert busy.recorded() == 2
    assert server.connections == 0


def test_opt_out_works_without_any_project_in_sight(developer: Developer) -> None:
    done = developer.opt_out(cwd=developer.home)
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert "innerloop opt-out --all" in done.err
    assert developer.opt_out("--all", cwd=developer.home).status == 0


@pytest.mark.parametrize("env", [{"CI": "true"}, {"DO_NOT_TRACK": "1"}, {"INNERLOOP_MODE": "off"}, {"INNERLOOP_MODE": "local"}])
def test_opt_out_works_where_nothing_may_be_measured(busy: Developer, server: Recorder, env: dict[str, str]) -> None:
    assert busy.opt_out(env=env).status == 0
    assert busy.status()["mode"] == "no"
    is_over(busy, server)


def test_opt_out_works_without_a_state_directory(busy: Developer) -> None:
    shutil.rmtree(busy.state)
    assert busy.opt_out().status == 0
    assert busy.status()["mode"] == "no"
    busy.run("make", "test")
    assert busy.recorded() == 0


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("recorded", "directory"), ("recorded", "symlink"), ("history", "garbage"), ("dropped-withdrawn", "directory"), ("roots", "garbage"),
        ("seal.lock", "directory"), ("lock", "symlink"), ("next", "directory"), ("about.json", "garbage"), ("sealed", "symlink"), ("new", "garbage"),
    ],
)  # fmt: skip
def test_no_damage_to_the_spool_keeps_somebody_from_leaving(busy: Developer, server: Recorder, name: str, how: str) -> None:
    path = busy.spool / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if how == "directory":
        path.mkdir()
    elif how == "symlink":
        path.symlink_to("/nonexistent/elsewhere")
    else:
        path.write_bytes(b"\0\xff garbage\n")
    done = busy.opt_out()
    assert "Traceback" not in done.err
    assert busy.consent["decision"] is False
    busy.run("make", "test")
    busy.innerloop("deliver")
    assert server.connections == 0


def test_leaving_takes_no_more_keystrokes_than_joining() -> None:
    assert len("innerloop opt-out") <= len("innerloop opt-in") + len("yes\n")


def test_opt_out_does_not_wait_for_a_command_of_ours_that_stands_still(agreed: Developer) -> None:
    """Such as a report that was stopped with Ctrl-Z while it sealed."""
    agreed.run("make", "test")
    agreed.pending()
    holder = agreed.start("python3", "-c", HOLDS_THE_LOCK, str(agreed.spool / "seal.lock"))
    assert eventually((agreed.spool / "held").exists)
    started = time.monotonic()
    assert agreed.opt_out().status == 0
    assert time.monotonic() - started < 10
    assert holder.wait(5) == -9
    assert agreed.place("sealed") == []


JOB = {"CI": "1", "INNERLOOP_CI": "1"}


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


@pytest.mark.parametrize("leaving", [("opt-out",), ("opt-out", "--all")])
def test_leaving_takes_what_ci_jobs_of_the_same_user_left(agreed: Developer, leaving: tuple[str, ...]) -> None:
    agreed.edit(project={"ci": True})
    agreed.run("make", "test", env=JOB)
    (spool,) = agreed.state.glob("spool/*-ci")
    assert len(list((spool / "new").iterdir())) == 1
    agreed.innerloop(*leaving)
    assert list((spool / "new").iterdir()) == []
    assert not (agreed.state / "enabled").exists()


NO_THREAD = 'ulimit -s $((1 << 22)); ulimit -v $((1 << 20)); exec "$@"'  # a thread's stack of 4 GB has no room in 1 GB


@pytest.mark.parametrize("words", [[], ["--all"]], ids=["this project", "all"])
def test_leaving_works_where_the_attempt_to_say_so_dies_of_what_nobody_foresaw(developer: Developer, words: list[str]) -> None:
    """Where no thread can be started, for instance: the no is written, and with --all the other projects are left as well."""
    if resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY:
        pytest.skip("the stack cannot be made so large here")
    developer.opt_in("yes")
    other = developer.directory
    developer.project("leaver", project={"id": "leaver", "write_key": "leaver.x"})
    developer.edit(fields={"previous_consent": True}).opt_in("yes")
    done = developer.execute("sh", "-c", NO_THREAD, "sh", developer.command, "opt-out", *words)

    assert (done.status, "Traceback" in done.err) == (0, False), done.err
    assert developer.status()["mode"] == "no"
    assert developer.status(cwd=other)["mode"] == ("no" if words else "on")
