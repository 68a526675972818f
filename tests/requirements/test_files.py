"""What lies on a developer's disk, whose it is, and what happens where it cannot be written (C28, C30 to C34)."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.client.people import ANSWER_PROMPT, PATIENCE, Developer
from tests.client.recorder import HOLD, Recorder, Reply
from tests.requirements.support import in_time, modes_below, quiet, stage

SCRIPT = ("sh", "-c", "echo out; echo err >&2; exit 7")
SEEN = (7, "out\n", "err\n")


# what somebody has on disk who did not agree


@pytest.mark.parametrize("answer", ["nothing", "not now", "no", "opt-out"])
def test_c28_without_a_yes_only_the_decision_is_kept(developer: Developer, answer: str) -> None:
    before = sorted(path.name for path in developer.directory.iterdir())
    if answer in ("not now", "no"):
        developer.opt_in("" if answer == "not now" else "no")
    elif answer == "opt-out":
        developer.opt_out()
    for _ in range(3):
        developer.run("make", "test")
        developer.run("make", "-s", "fail")
    developer.innerloop("status")
    developer.innerloop("show", "pending")
    kept = {re.sub(r"[0-9]+-[0-9]+$|shop-[0-9a-f]+-[0-9a-f]+", "*", name) for name in developer.files()}

    decided = {".config/innerloop/*.json", ".local/state/innerloop/hot/*"}
    expected = {
        "nothing": set(),
        "not now": {".local/state/innerloop/asked", ".local/state/innerloop/hot/*"},
        "no": decided,
        "opt-out": decided,
    }
    assert expected[answer] == kept
    assert before == sorted(path.name for path in developer.directory.iterdir())
    if decided == kept:
        assert {"decision", "timestamp", "serial"} == set(developer.consent)


def test_c28_everything_is_where_the_environment_says(developer: Developer, server: Recorder, tmp_path: Path) -> None:
    """The answer below XDG_CONFIG_HOME, the queue below XDG_STATE_HOME, and nothing in home, cache, temporary or working directory."""
    places = {name: tmp_path / name for name in ("config", "state", "cache", "data", "tmp", "runtime")}
    for place in places.values():
        place.mkdir()
    kinds = {f"XDG_{kind.upper()}_HOME": str(places[kind]) for kind in ("config", "state", "cache", "data")}
    developer.env |= {**kinds, "TMPDIR": str(places["tmp"]), "XDG_RUNTIME_DIR": str(places["runtime"])}
    developer.opt_in("yes")
    for _ in range(2):
        developer.run("make", "test")
    assert 0 == developer.flush().status

    assert {} == developer.files()
    assert {"config", "state"} == {name for name, place in places.items() if any(place.iterdir())}
    assert {"innerloop"} == {path.name for name in ("config", "state") for path in places[name].iterdir()}
    assert [".json"] == [path.suffix for path in places["config"].rglob("*") if path.is_file()]
    assert 2 == len(server.events)


# a home that is missing, foreign or cannot be written


@pytest.mark.parametrize("home", [None, "", "relative", "/nonexistent"], ids=str)
def test_c30_without_a_home_commands_run_and_status_says_why(agreed: Developer, home: str | None) -> None:
    env = {"HOME": home}
    assert SEEN == agreed.run(*SCRIPT, env=env)
    assert f"{SEEN[1]}{SEEN[2]}" == agreed.run_at_terminal(*SCRIPT, env=env).text
    status = agreed.innerloop("status", env=env)

    assert (0, 1) == (status.status, status.out.count("off: nothing is recorded"))
    assert re.search(r"because   HOME (is not set|belongs to somebody else|does not exist)", status.out)
    if home in (None, "", "relative"):
        assert "because   HOME is not set" in status.out
    assert 0 == agreed.recorded()


@pytest.mark.parametrize("answered", ["yes", "nothing"])
def test_c30_with_a_home_that_cannot_be_written_commands_run(
    namespace: Callable[..., list[str]], developer: Developer, answered: str
) -> None:
    if answered == "yes":
        developer.opt_in("yes")
        developer.run("true")
    script = 'mount --bind "$HOME" "$HOME"; mount -o remount,bind,ro "$HOME"; touch "$HOME/x" 2>/dev/null && exit 99; exec "$@"'
    words = [*namespace("mount"), "sh", "-c", script, "sh"]
    for _ in range(2):
        assert SEEN == developer.execute(*words, str(developer.command), "run", "--", *SCRIPT)
    said = developer.at_terminal(*words, str(developer.command), "run", "--", "echo", "hello")

    assert (0, True, False) == (said.status, said.text.startswith("hello\n"), "Traceback" in said.text)
    assert developer.execute(*words, str(developer.command), "status").status == 0


def test_c31_root_leaves_nothing_in_a_developers_home(root: None, developer: Developer) -> None:
    """`sudo -E make`, or a HOME that sudo kept: whoever acts is not whose home it is."""
    os.chown(developer.home, 12345, 12345)
    before = sorted(developer.home.rglob("*"))
    for env in ({}, {"SUDO_UID": "12345", "SUDO_USER": "developer"}):
        for _ in range(2):
            assert "" == developer.run_at_terminal("make", "test", env=env).text
        for words in (["status"], ["doctor"], ["opt-in"], ["opt-out"], ["show", "pending"]):
            developer.at_terminal(developer.command, *words, env=env)

    assert before == sorted(developer.home.rglob("*")) == []


@pytest.mark.parametrize("mark", ["SUDO_UID", "SUDO_USER"])
def test_c31_under_sudo_nothing_is_recorded_of_anybody(root: None, agreed: Developer, mark: str) -> None:
    for _ in range(2):
        agreed.run("make", "test", env={mark: "1000"})
        agreed.run_at_terminal("make", "test", env={mark: "1000"})

    assert 0 == agreed.recorded()
    assert "because   this runs under sudo" in agreed.innerloop("status", env={mark: "1000"}).out


CREATED = re.compile(r'(?:mkdir|mkdirat|openat|open|creat)\((?:AT_FDCWD, )?"([^"]+)"(?:, ([A-Z_|]+))?(?:, (0[0-7]*))?\)')


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_c32_files_are_born_private_under_any_umask(strace: str, developer: Developer, server: Recorder, umask: str) -> None:
    """Not made private afterwards: the mode is that of the call which creates them. Seen over a whole life of the client."""
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", "x")
    trace = developer.base / "trace"
    story = "innerloop opt-in && innerloop run -- true && innerloop run -- sleep 0.1 && innerloop report && innerloop flush && innerloop opt-out"
    words = [strace, "-f", "-qq", "-o", str(trace), "-e", "trace=mkdir,mkdirat,open,openat,creat", "sh", "-c", f"umask {umask}; {story}"]
    assert 0 == developer.at_terminal(*words, types=[(ANSWER_PROMPT, "yes")]).status
    assert quiet(developer)
    born = {}
    for line in trace.read_text().splitlines():
        found = CREATED.search(line)
        ours = found and str(developer.home) in found[1] and "/innerloop" in found[1].removeprefix(str(developer.base))
        if found and ours and " = -1 " not in line and ("mkdir" in line or "O_CREAT" in (found[2] or "")):
            born[found[1]] = int(found[3] or "0", 8)

    assert len(born) > 20, trace.read_text()
    assert {} == {path: oct(mode) for path, mode in born.items() if mode & 0o077}
    assert {} == modes_below(developer.state, developer.config)


# many at once


def test_c33_sixty_four_makes_at_once_are_64_events_of_one_id(agreed: Developer, server: Recorder) -> None:
    """While the answer is read all the time: it is whole at each moment."""
    before = agreed.consent_file.read_bytes()
    many = agreed.start("sh", "-c", "for i in $(seq 64); do innerloop run -- make -s test & done; wait")
    while many.poll() is None:
        assert before == agreed.consent_file.read_bytes()
        time.sleep(0.01)
    assert 0 == agreed.flush().status

    assert 64 == len({event["messageId"] for event in server.events}) == len(server.events)
    assert {json.loads(before)["anonymous_user_id"]} == {event["userId"] for event in server.events}
    assert 64 == agreed.ledger()["acknowledged"]


def test_c33_eight_answers_at_once_are_one_answer_with_one_id(developer: Developer, server: Recorder) -> None:
    terminals = [developer.spawn(developer.command, "opt-in") for _ in range(8)]
    for terminal in terminals:
        terminal.expect(ANSWER_PROMPT)
    for terminal in terminals:
        terminal.sendline("yes")
    for terminal in terminals:
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert 0 == terminal.exitstatus
    one = json.loads(developer.consent_file.read_text())["anonymous_user_id"]
    for _ in range(3):
        developer.run("make", "test")
    assert 0 == developer.flush().status

    assert {one} == {event["userId"] for event in server.events}
    assert 3 == len(server.events)
    assert [developer.consent_file] == list(developer.config.iterdir())


def test_c33_an_answer_is_replaced_whole_and_reaches_the_disk_first(strace: str, agreed: Developer) -> None:
    """Written beside it, synced, renamed over it; the file itself is never opened for writing."""
    answer = str(agreed.consent_file)
    trace = agreed.base / "trace"
    done = agreed.execute(
        strace, "-f", "-qq", "-o", str(trace), "-e", "trace=openat,fsync,rename,renameat,renameat2", str(agreed.command), "opt-out"
    )
    calls = trace.read_text().splitlines()
    opened = [line for line in calls if f'"{answer}' in line and ("O_WRONLY" in line or "O_RDWR" in line)]
    (renamed,) = (index for index, line in enumerate(calls) if "rename" in line and line.endswith(f'"{answer}") = 0'))

    assert 0 == done.status
    assert [True] == ["O_EXCL" in line and f'"{answer}"' not in line for line in opened]
    between = calls[calls.index(opened[0]) : renamed]
    assert [line for line in between if "fsync(" in line], (
        "a rename that is on disk before its content is a torn file after a power failure"
    )


# locks and file systems that hang

HOLDER = """
import fcntl, os, sys
held = []
for path in sys.argv[1:]:
    file = open(path, "ab")
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
    held.append(file)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(paths: list[Path]) -> Iterator[None]:
    """Every lock that a file knows is held by a process that is stopped."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, *map(str, paths)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    try:
        assert b"held\n" == holder.stdout.readline()
        holder.send_signal(signal.SIGSTOP)
        yield
    finally:
        holder.kill()
        holder.communicate(timeout=PATIENCE)


def test_c34_locks_that_somebody_holds_hold_up_no_command(queued: Developer, server: Recorder) -> None:
    """Every file of the client, of a developer with a delivery that is due."""
    server.always(Reply(how=HOLD))
    found = [path for top in (queued.state, queued.config) for path in top.rglob("*") if path.is_file()]
    files = {path.stat().st_ino: path for path in found}.values()  # the shim has one file under the names of many shells
    assert {"recorded", "seal.lock", "unrecorded", "next"} <= {path.name for path in files}
    (queued.spool / "lock").touch()
    with held([*files, queued.spool / "lock"]):
        began = time.monotonic()
        with stage(queued).start("sh", "-c", "echo out; exit 7") as running:
            assert (7, b"out\n", b"") == in_time(lambda: running.end(10))
        assert time.monotonic() - began < 5
    assert 4 == queued.ledger()["recorded"]


FULL = """
mount -t tmpfs -o size=256k tmpfs "$1"; cp -a "$2/." "$1"
cat /dev/zero >"$1/filler" 2>/dev/null
cd "$3"; innerloop run -- sh -c 'exit 7'; echo $?
"""


def test_c34_a_held_lock_on_a_full_disk_holds_up_no_command(namespace: Callable[..., list[str]], agreed: Developer) -> None:
    """Even what is counted in place on a full disk waits for nobody."""
    agreed.run("true")
    saved = agreed.base / "saved"
    agreed.state.rename(saved)
    agreed.state.mkdir(mode=0o700)
    (spool,) = (saved / "spool").iterdir()
    (spool / "ballast").unlink()
    counter = agreed.state / "spool" / spool.name / "unrecorded"
    hold = (
        f"exec 9<>{counter}; {sys.executable} -c 'import fcntl; fcntl.lockf(9, fcntl.LOCK_EX); import time; time.sleep(20)' & sleep 0.5; "
    )
    script = FULL.replace("cd ", hold + "cd ", 1) + "kill $!\n"
    words = [*namespace("mount"), "sh", "-c", script, "sh", str(agreed.state), str(saved), str(agreed.directory)]
    done = in_time(lambda: agreed.execute(*words, timeout=15))

    assert "7\n" == done.out


def test_c34_a_file_system_that_hangs_elsewhere_holds_up_no_command(hung: Callable[[Path], list[str]], agreed: Developer) -> None:
    """Another checkout of the project, which the queue knows, and a directory beside the working directory are not asked for anything."""
    elsewhere = agreed.base / "elsewhere"
    agreed.run("true")
    agreed.project(directory="elsewhere/shop")
    agreed.run("true")
    agreed.directory = agreed.base / "shop"
    for _ in range(2):
        assert SEEN == in_time(lambda: agreed.execute(*hung(elsewhere), str(agreed.command), "run", "--", *SCRIPT, timeout=10))

    assert 4 == agreed.recorded()


def test_c34_the_lock_on_a_run_is_on_its_own_new_file(strace: str, agreed: Developer) -> None:
    """The one lock of the hot path is on a file that nobody else can have open."""
    agreed.run("true")
    trace = agreed.base / "trace"
    words = [strace, "-qq", "-o", str(trace), "-e", "trace=openat,fcntl,flock", str(agreed.command), "run", "--", "true"]
    assert 0 == agreed.execute(*words).status
    lines = trace.read_text().splitlines()
    locks = [index for index, line in enumerate(lines) if re.search(r"flock\(|F_SETLK|F_OFD_SETLK", line)]

    assert 1 == len(locks), lines
    assert not [line for line in lines if "F_SETLKW" in line or "LOCK_EX" in line]
    assert re.search(r'/run/[0-9a-f-]{36}", O_WRONLY\|O_CREAT\|O_EXCL', lines[locks[0] - 1])


@pytest.mark.parametrize(("home", "reason"), [("file", "HOME is not a directory"), ("nothing", "HOME does not exist")])
def test_c30_status_names_the_true_reason(agreed: Developer, home: str, reason: str) -> None:
    (agreed.base / "file").touch()  # one's own: what belongs to somebody else is refused for that
    for words in (["status"], ["doctor"]):
        done = agreed.innerloop(*words, env={"HOME": str(agreed.base / home)})
        assert (0, True) == (done.status, reason in done.out), words


def test_c30_doctor_says_that_nothing_can_be_written(namespace: Callable[..., list[str]], agreed: Developer) -> None:
    agreed.run("true")
    script = 'mount --bind "$HOME" "$HOME"; mount -o remount,bind,ro "$HOME"; exec "$@"'
    done = agreed.execute(*namespace("mount"), "sh", "-c", script, "sh", str(agreed.command), "doctor")
    (line,) = (line for line in done.out.splitlines() if line[4:].startswith("spool"))

    assert line.startswith("NO ")
    assert "cannot be written" in line


def test_c32_directories_above_ours_are_born_private_too(developer: Developer) -> None:
    assert 0 == developer.at_terminal("sh", "-c", "umask 000; innerloop opt-in", types=[(ANSWER_PROMPT, "yes")]).status

    assert {str(developer.home)} >= set(modes_below(developer.home))


@pytest.mark.parametrize(
    "where", [".local/state/innerloop", ".local/state", ".config", ""], ids=["our state", "state", "configuration", "home"]
)
def test_c34_a_home_that_hangs_holds_up_no_command(hung: Callable[[Path], list[str]], agreed: Developer, where: str) -> None:
    agreed.run("true")
    script = ("sh", "-c", "echo out; echo err >&2; exit 7")
    ended = in_time(lambda: agreed.execute(*hung(agreed.home / where), str(agreed.command), "run", "--", *script, timeout=10))

    assert (7, "out\n", "err\n") == ended
