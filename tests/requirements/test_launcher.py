"""A measured command is the command: its output, its end, its time, its make (C14, C41 to C43, C45, C56)."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import Developer, eventually
from tests.client.recorder import HOLD, Recorder, Reply
from tests.requirements.support import bare, in_time, processes, quiet, stage
from tests.transparency.stage import Stage

RECIPES = {
    "json": """printf '{"a": [1, 2]}\\n'""", "nothing": "true", "no newline": "printf abc", "binary": "printf '\\000\\001\\377\\n'",
    "both": "echo out; echo err >&2", "large": "head -c 300000 /dev/zero", "colours": "printf '\\033[31mred\\033[0m\\n'", "progress": "printf '1%%\\r2%%\\r'",
    "input": "cat", "lines": "seq 1000", "error": "echo broken >&2; exit 1", "status": "exit 3", "terminal?": "test -t 1; echo $?",
    "environment": "env | grep -v '^_=' | sort", "descriptors": "ls /proc/self/fd | wc -l", "arguments": "printf '%s|' \"$0\" a 'b c'", "utf-8": "printf '\\303\\244\\n'",
    "cwd": "pwd", "in the background": "(echo later) & wait", "dies": "echo first; kill -TERM $$",
}  # fmt: skip


def test_c14_standard_output_of_twenty_recipes_is_theirs_byte_for_byte(queued: Developer, server: Recorder) -> None:
    """With a delivery that is due and a collector that is of no use."""
    server.always(Reply(how=HOLD))
    bare_ends, measured = (
        {recipe: one.run("sh", "-c", script, stdin=b"in\n") for recipe, script in RECIPES.items()} for one in (bare(queued), stage(queued))
    )

    assert bare_ends == measured
    assert (20, 23) == (len(measured), queued.recorded())


@pytest.mark.parametrize("answered", ["yes", "nothing", "no"])
def test_c14_a_file_that_a_command_writes_at_a_terminal_has_nothing_of_ours(developer: Developer, answered: str) -> None:
    """An invitation would be due where nobody answered."""
    if answered != "nothing":
        developer.opt_in(answered)
    said = developer.at_terminal(
        "sh", "-c", """innerloop run -- printf '{"a":1}' >out.json; innerloop run -- echo >/dev/null; cat out.json"""
    )

    assert '{"a":1}' == said.text


@pytest.mark.parametrize("state", ["on", "paused", "no", "undecided"])
def test_c14_our_own_json_is_json_whatever_there_is_to_say(developer: Developer, state: str) -> None:
    if state != "undecided":
        developer.opt_in("no" if state == "no" else "yes")
        developer.run("make", "test")
        developer.pending()
    if state == "paused":
        developer.edit(fields={"git_commit_time": True})
    for words in (["status"], ["describe"], ["doctor"], ["report"], ["show", "pending"], ["show", "sent"]):
        assert is_json(developer.innerloop(*words, "--json").out), words
    if state == "paused":
        assert "nothing leaves" in developer.innerloop("show", "pending", "--json").err


def is_json(text: str) -> bool:
    try:
        return json.loads(text) is not None
    except ValueError:
        return False


# how it ends

OUTCOMES: dict[str, tuple[str, int]] = {
    "it exits": ("exit 5", 5), "it is interrupted": ("kill -INT $$", -2), "it is terminated": ("kill -TERM $$", -15), "it is hung up": ("kill -HUP $$", -1),
    "it is killed": ("kill -KILL $$", -9), "the kernel kills it": ("ulimit -t 1; while :; do :; done", -9), "it crashes": ("ulimit -c 0; kill -SEGV $$", -11),
    "it handles the interrupt": ("trap 'exit 130' INT; kill -INT $$; sleep 5", 130),
}  # fmt: skip


def test_c41_however_a_command_ends_there_is_one_event_and_the_same_status(agreed: Developer) -> None:
    expected = {how: status for how, (_, status) in OUTCOMES.items()}
    for one in (bare(agreed), stage(agreed)):
        assert expected == {how: one.run("sh", "-c", script).status for how, (script, _) in OUTCOMES.items()}, one.name

    assert sorted(expected.values()) == sorted(event["properties"]["exit_status"] for event in agreed.pending())


def test_c41_ctrl_c_at_a_terminal_is_one_event(agreed: Developer) -> None:
    ends = []
    for prefix in ([], [str(agreed.command), "run", "--"]):
        child = agreed.spawn("sh", "-c", f"{shlex.join([*prefix, 'sh', '-c', 'echo ready; exec sleep 20'])}; echo status $?")
        child.expect("ready")
        time.sleep(0.2)
        child.sendcontrol("c")
        child.expect(r"\^C|$")
        child.wait()
        child.close()
        ends.append((child.exitstatus, child.signalstatus))

    assert ends[0] == ends[1]
    assert [-2] == [event["properties"]["exit_status"] for event in agreed.pending()]


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "KILL"])
def test_c41_however_the_launcher_is_ended_there_is_one_event(agreed: Developer, name: str) -> None:
    """One that was killed by force left what it knew when the command began; its end is unknown."""
    number = signal.Signals[f"SIG{name}"]
    running = agreed.start(agreed.command, "run", "--", "sleep", "20")
    assert eventually(lambda: agreed.recorded() == 1, 10), "the start is recorded while the command runs"
    assert running.poll() is None
    running.send_signal(number)

    assert -number == running.wait(10)
    if name == "KILL":
        assert 1 == agreed.ledger()["unfinished"]
        (left,) = (one.pid for one in processes(agreed) if one.cmdline == b"sleep\x0020\0")
        os.kill(left, signal.SIGKILL)
        assert quiet(agreed)
        agreed.age_orphans()
    assert [None if name == "KILL" else -number] == [event["properties"]["exit_status"] for event in agreed.pending()]


STATUSES = [0, 1, 2, 3, 77, 126, 127, 128, 129, 130, 137, 143, 254, 255]
ENDS = """
for status in {statuses}; do {prefix} sh -c "exit $status"; echo $?; done
for signal in HUP INT QUIT KILL SEGV PIPE ALRM TERM USR1 XFSZ ABRT; do {prefix} sh -c "ulimit -c 0; kill -$signal \\$\\$"; echo $?; done 2>/dev/null
"""
NO_SPACE = """
mount -t tmpfs -o size=128k,mode=700 tmpfs "$1"; cp -a "$2/." "$1"
rm -f "$1"/spool/*/ballast; cat /dev/zero >"$1/filler" 2>/dev/null; echo x >>"$1/filler" 2>/dev/null && exit 99
cd "$3"; eval "$4"
"""


def ends(developer: Developer, prefix: list[str], statuses: list[int], words: list[str]) -> object:
    script = ENDS.format(statuses=" ".join(map(str, statuses)), prefix=shlex.join(prefix))
    if words:
        where = [str(developer.state), str(developer.base / "saved"), str(developer.directory), script]
        return developer.execute(*words, "bash", "-c", NO_SPACE, "bash", *where, timeout=100)
    return developer.execute("bash", "-c", script, timeout=100)


TROUBLES = ["a collector that fails", "a full disk"]


@pytest.mark.parametrize("statuses", [STATUSES, pytest.param(range(256), marks=pytest.mark.slow)], ids=["some", "all"])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_c42_every_exit_status_and_signal_is_the_commands(
    namespace: Callable[..., list[str]], queued: Developer, server: Recorder, trouble: str, statuses: list[int]
) -> None:
    server.always(Reply(500))
    words = namespace("mount") if "disk" in trouble else []
    if words:
        subprocess.run(["cp", "-a", queued.state, queued.base / "saved"], check=True)
    bare_ends = ends(queued, [], list(statuses), words)
    measured = ends(queued, [str(queued.command), "run", "--"], list(statuses), words)

    assert bare_ends == measured
    assert len(statuses) + 11 == str(measured).count("\\n")
    if not words:
        assert 3 + len(statuses) + 11 == queued.ledger()["recorded"]


# time


def test_c43_time_asleep_is_no_waiting_and_is_marked(agreed: Developer) -> None:
    """As if the lid was closed for ten hours during the run: the clock that counts sleep went on, the other did not."""
    agreed.run("sleep", "1")
    (record,) = agreed.place("new")
    *before, end = record.read_text().splitlines()
    _, status, awake, boot = end.split()
    record.write_text("\n".join([*before, f"end {status} {awake} {int(boot) + 36_000 * 10**9}", ""]))
    agreed.run("true")
    slept, usual = sorted((event["properties"] for event in agreed.pending()), key=lambda one: not one["suspended"])

    assert (True, False) == (slept["suspended"], usual["suspended"])
    assert 900 <= slept["duration_ms"] < 20_000


def test_c43_two_clocks_are_read_at_both_ends(namespace: Callable[..., list[str]], agreed: Developer) -> None:
    """In a time namespace whose clock with sleep is a day ahead, which no other clock can show."""
    words = [*namespace("time"), "--boottime", "86400"]
    if agreed.execute(*words, "true").status:
        pytest.skip("the clocks of a time namespace cannot be set here")
    assert 0 == agreed.execute(*words, str(agreed.command), "run", "--", "sleep", "0.1").status
    (record,) = agreed.place("new")
    _, awake, boot = map(int, re.search(r"(?m)^start (\d+) (\d+) (\d+)$", record.read_text()).groups())  # type: ignore[union-attr]
    _, end_awake, end_boot = map(int, re.search(r"(?m)^end (-?\d+) (\d+) (\d+)$", record.read_text()).groups())  # type: ignore[union-attr]

    here = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    assert 86_390 * 10**9 < boot - awake - here < 86_410 * 10**9
    assert abs((end_boot - boot) - (end_awake - awake)) < 10**9


# containers

IN_CONTAINER = 'mount -t tmpfs tmpfs /run && touch /run/.containerenv && exec "$@"'


def test_c45_a_home_that_is_thrown_away_gets_no_id(namespace: Callable[..., list[str]], agreed: Developer, server: Recorder) -> None:
    """Ten containers of somebody who agreed on the host: each has the environment, none the home."""
    for number in range(10):
        home = agreed.base / f"ephemeral-{number}"
        home.mkdir()
        words = [*namespace("mount"), "sh", "-c", IN_CONTAINER, "sh", str(agreed.command), "run", "--", "make", "test"]
        assert (0, "", "") == agreed.execute(*words, env={"HOME": str(home)})
        assert [] == list(home.rglob("*"))

    assert (0, 0) == (agreed.recorded(), server.connections)


def test_c45_ci_jobs_carry_no_id_and_containers_are_marked(
    namespace: Callable[..., list[str]], agreed: Developer, server: Recorder
) -> None:
    agreed.edit(project={"ci": True})
    job = {"CI": "1", "INNERLOOP_CI": "1"}
    for _ in range(3):
        assert 0 == agreed.run("make", "test", env=job).status
    assert 0 == agreed.flush(env=job).status
    assert [("ci", False)] * 3 == [(event["properties"]["actor"], "userId" in event) for event in server.events]
    assert 3 == len({event["anonymousId"] for event in server.events})

    words = [*namespace("mount"), "sh", "-c", IN_CONTAINER, "sh", "sh", "-c", "innerloop run -- make test; innerloop show pending"]
    assert '"in_container":true' in agreed.execute(*words).out


# make

MAKEFILE = """\
.PHONY: all a b fails nested variables touched
all: a b
a b:
	@echo begin $@; sleep 0.1; echo end $@
fails:
	@echo before; exit 4
keep: fails a
nested:
	+@$(MAKE) --no-print-directory -f Makefile variables X=$(X)
variables:
	@echo "level $(MAKELEVEL) x $(X) flags $(filter-out --%,$(firstword $(MAKEFLAGS)))"
file: Makefile
	@echo making; echo made >$@
impl-all: all
impl-file: file
impl-fails: fails
impl-nested: nested
"""
WAYS = {
    "-n": ["-n", "all"], "-s": ["-s", "a"], "-k": ["-k", "keep"], "-k, two failures": ["-k", "fails", "keep"], "-t": ["-t", "file"], "-j4": ["-j4", "all"],
    "-C and -f": ["-C", ".", "-f", "Makefile", "variables"], "variables": ["variables", "X=1", "MAKEFLAGS=k"], "--output-sync": ["-j2", "--output-sync", "all"],
    "recursive": ["-j2", "nested", "X=2"], "no such target": ["nothing"], "-q on what is old": ["-q", "file"], "--trace": ["--trace", "a"],
    "--version": ["--version"], "-B": ["-B", "a"], "--keep-going": ["--keep-going", "fails", "a"], "-i": ["-i", "fails"],
}  # fmt: skip
LOOKS = {"-n", "-t", "-q on what is old", "--version"}


def clean(text: bytes) -> list[bytes]:
    """The lines, sorted, since jobs may end in any order; without the time at which make printed its data base."""
    return sorted(
        re.sub(rb"on \w{3} \w{3}.*|'?/[^ ']*/make'?|# \d+.*|make(\[\d\])?: ", b"", line)
        for line in text.splitlines()
        if b"hash" not in line.lower()
    )


@pytest.fixture
def makes(agreed: Developer) -> Developer:
    (agreed.directory / "Makefile").write_text(MAKEFILE)
    return agreed


def test_c56_make_is_make(makes: Developer) -> None:
    def scenario(one: Stage, words: list[str]) -> object:
        (makes.directory / "file").unlink(missing_ok=True)
        ended = one.run("make", *words)
        return ended.status, clean(ended.out), clean(ended.err), (makes.directory / "file").exists()

    bare_ends, measured = ({way: scenario(one, words) for way, words in WAYS.items()} for one in (bare(makes), stage(makes)))

    assert bare_ends == measured
    assert len(WAYS.keys() - LOOKS) == makes.recorded(), "a make that only looks, or says what it is, is no run"


def test_c56_jobs_of_a_measured_make_inside_a_make_share_its_job_server(makes: Developer) -> None:
    """Two recipes that wait for each other end only where make was given its jobs; each `wrap` is measured at any depth."""
    pipes = [makes.directory / name for name in ("ping", "pong")]
    for pipe in pipes:
        os.mkfifo(pipe)
    (makes.directory / "Makefile").write_text(
        "pair:\n\t+@$(W)\nimpl-pair: one two\none:\n\t@echo 1 >ping; cat pong\ntwo:\n\t@cat ping; echo 2 >pong\n"
    )
    lines = []
    for word in ("$(MAKE) --no-print-directory impl-pair", f"{makes.command} wrap pair"):
        ended = in_time(lambda: bare(makes).run("make", "-j3", "pair", f"W={word}"))  # noqa: B023 (called at once)
        lines.append((ended.status, clean(b"".join(line for line in ended.out.splitlines(True) if b" directory " not in line)), ended.err))

    assert lines[0] == lines[1]
    assert (0, [b"1", b"2"], b"") == lines[0]
    assert 1 == makes.recorded()


@pytest.mark.parametrize("flag", ["-n", "-q", "-t"])
def test_c56_where_make_only_looks_wrap_is_not_measured_and_changes_nothing(makes: Developer, flag: str) -> None:
    (makes.directory / "Makefile").write_text(MAKEFILE + "wrapped:\n\t+@$(W)\n")
    ended = []
    for word in ("$(MAKE) impl-file", f"{makes.command} wrap file"):
        done = bare(makes).run("make", flag, "wrapped", f"W={word}")
        ended.append((done.status, [line for line in clean(done.out) if b"wrap" not in line and b"impl-" not in line]))
        assert not (makes.directory / "file").exists() or flag == "-t"
        (makes.directory / "file").unlink(missing_ok=True)

    assert ended[0][0] == ended[1][0]
    assert 0 == makes.recorded()


@pytest.mark.parametrize("target", ["all", "file", "fails", "nested"])
def test_c56_wrap_is_make_of_the_implementation(makes: Developer, target: str) -> None:
    expected = bare(makes).run("make", f"impl-{target}")
    (makes.directory / "file").unlink(missing_ok=True)
    ended = bare(makes).run(makes.command, "wrap", target)

    assert (expected.status, expected.out, clean(expected.err)) == (ended.status, ended.out, clean(ended.err))
    assert 1 == makes.recorded()


def test_c45_what_is_shared_with_a_container_is_printed_and_nothing_is_written(agreed: Developer) -> None:
    before = agreed.files()
    done = agreed.innerloop("init", "--container")

    assert 0 == done.status
    assert str(agreed.state) in done.out
    assert str(agreed.config) in done.out
    assert "/run/innerloop/state" in done.out
    assert before == agreed.files()


def test_c45_where_a_run_was_is_noted_when_it_runs(namespace: Callable[..., list[str]], agreed: Developer) -> None:
    """Not where it is sealed: the queue may be shared."""
    words = [*namespace("mount"), "sh", "-c", 'mount -t tmpfs tmpfs /run && touch /run/.containerenv && exec "$@"', "sh"]
    assert 0 == agreed.execute(*words, str(agreed.command), "run", "--", "make", "test").status
    agreed.run("make", "build")

    outside = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
    assert {"test": True, "build": outside} == {one["properties"]["command"]: one["properties"]["in_container"] for one in agreed.pending()}
