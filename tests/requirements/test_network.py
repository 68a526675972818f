"""A command never feels the network: dead, silent or full of refusals, it is the sender's business alone (C1 to C7)."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import Developer, eventually
from tests.client.recorder import HOLD, Recorder, Reply
from tests.needs import need
from tests.requirements.support import Network, bare, in_time, old_runs, processes, quiet, senders, stage
from tests.transparency.trace import SPAWNING, SYNCING, TALKING, Trace

WAKING = {"rt_sigtimedwait", "wait4"}  # git and the command end in either order
MEMORY = ("brk", "mmap", "munmap", "mremap", "madvise")  # sizes of paths and lists differ
SOON = 6  # s; whoever waits for a network here waits for at least ten


def waiting(developer: Developer, endpoint: str, directory: str = "waiting") -> Developer:
    """Agree for a collector at some address, with one run that may leave and a delivery that is due."""
    developer.project(directory=directory, project={"endpoint": endpoint})
    assert developer.opt_in("yes").status == 0
    developer.run("make", "test")
    assert developer.pending()
    (spool,) = (
        path for path in (developer.state / "spool").iterdir() if str(developer.project_file).encode() in (path / "roots").read_bytes()
    )
    for path in (spool / "sealed").iterdir():
        head, newline, events = path.read_bytes().partition(b"\n")
        path.write_bytes(json.dumps({**json.loads(head), "release": 1.0}).encode() + newline + events)
    os.utime(spool / "next", (0, 0))
    return developer


def test_c01_a_dead_network_delays_no_command(developer: Developer, dead_network: Network) -> None:
    """Each of three commands starts a sender, which gets nowhere."""
    waiting(developer, dead_network.endpoint)
    script = f"for i in 1 2 3; do touch -d @0 {developer.spool}/next; innerloop run -- true || exit 1; done; echo over"
    began = time.monotonic()
    ended = in_time(lambda: developer.execute(*dead_network.words, "sh", "-c", script))

    assert (0, "over\n", "") == ended
    assert time.monotonic() - began < SOON
    assert 4 == developer.ledger()["queued"]


def test_c01_a_dead_network_changes_no_system_call(
    strace: str, developer: Developer, server: Recorder, dead_network: Network, tmp_path: Path
) -> None:
    """Also no socket is opened in the process that the developer waits for."""
    inside = tmp_path / "strace-inside"
    inside.write_text("#!/bin/sh\nexec " + " ".join((*dead_network.words, strace, '"$@"')) + "\n")
    inside.chmod(0o755)
    calls = []
    for tracer, endpoint, directory in ((strace, server.url, "well"), (str(inside), dead_network.endpoint, "dead")):
        waiting(developer, endpoint, directory)
        file = tmp_path / directory
        words = (tracer, "-qq", "-o", str(file), str(developer.command), "run", "--", "sleep", "0.2")
        assert 0 == stage(developer).run(*words, wrapped=False).status
        names = re.findall(r"^(\w+)\(", file.read_text(), re.MULTILINE)
        calls.append([name for name in names if name not in {*MEMORY, *WAKING}])

    assert calls[0] == calls[1]
    assert not set(calls[1]) & {*TALKING, *SYNCING}
    assert 3 == sum(name in SPAWNING for name in calls[1]), "the command, git and the sender, which was due"


def test_c02_a_record_is_one_append_and_one_rename_after_the_command(strace: str, queued: Developer, server: Recorder) -> None:
    server.always(Reply(how=HOLD))
    queued.run("true")
    assert eventually(lambda: server.requests)
    after = Counter(call.name for call in Trace(stage(queued), strace, "true").after_the_reap())

    assert (1, 1) == (after["write"], after["rename"])
    assert not set(after) & {*SYNCING, *SPAWNING, *TALKING, "openat", "open", "execve", "fcntl", "flock"}


def test_c02_an_error_message_waits_for_nothing_of_ours(queued: Developer, server: Recorder) -> None:
    """It is there while the command still runs, whatever the collector does."""
    server.always(Reply(how=HOLD))
    began = time.monotonic()
    with stage(queued).start("sh", "-c", "echo 'no rule to make target' >&2; sleep 0.7; exit 3") as running:
        assert running.process.stderr is not None
        assert b"no rule to make target\n" == running.process.stderr.readline()
        assert running.process.poll() is None
        assert 3 == running.end().status
    assert time.monotonic() - began < SOON


def test_c03_commands_start_one_sender_an_interval(strace: str, queued: Developer, server: Recorder) -> None:
    server.always(Reply(how=HOLD))
    queued.run("true")
    assert eventually(lambda: server.requests)
    started = 0
    for _ in range(5):
        trace = Trace(stage(queued), strace, "true")
        started += sum('"deliver"' in call.text for call in trace.executed())

    assert 0 == started
    assert 1 == len(server.requests)


@pytest.mark.parametrize("answer", ["no", "nothing"])
def test_c03_without_consent_no_process_is_started(strace: str, developer: Developer, answer: str) -> None:
    if answer == "no":
        developer.opt_in("no")
    tools = developer.base / "tools"
    tools.mkdir()
    (tools / "innerloop").symlink_to(developer.command.resolve().parent.parent)
    developer.env["UV_TOOL_DIR"] = str(tools)
    trace = Trace(stage(developer), strace, "true")

    assert {trace.launcher} == {call.pid for call in trace.calls}


def runaway(developer: Developer, server: Recorder, runs: int) -> tuple[int, int]:
    """Run commands against a collector that never answers; the most senders that stay at once, and the connections."""
    server.always(Reply(how=HOLD))
    most = 0
    loop = developer.start("sh", "-c", f"i=0; while [ $i -lt {runs} ]; do innerloop run -- true; i=$((i+1)); done")
    while loop.poll() is None:
        most = max(most, sum(sender.age() > 1 for sender in senders(developer)))
        time.sleep(0.05)
    assert 0 == loop.returncode
    assert runs + 3 == developer.ledger()["queued"]
    return most, server.connections


def test_c04_thirty_commands_against_a_silent_collector_are_one_sender_and_few_connections(queued: Developer, server: Recorder) -> None:
    most, connections = runaway(queued, server, 30)

    assert most <= 1
    assert 1 <= connections <= 4


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_c04_a_thousand_commands_against_a_silent_collector_are_one_sender_and_few_connections(queued: Developer, server: Recorder) -> None:
    most, connections = runaway(queued, server, 1000)

    assert most <= 1
    assert 1 <= connections <= 12


def test_c04_a_second_sender_gives_way_to_the_first(queued: Developer, server: Recorder) -> None:
    server.always(Reply(wait=2))
    first = queued.start(queued.command, "flush")
    assert eventually(lambda: server.requests)
    queued.make_delivery_due()
    began = time.monotonic()
    assert 0 == queued.innerloop("deliver").status
    assert time.monotonic() - began < SOON
    assert 0 == first.wait(30)
    assert 1 == server.connections


def test_c04_patience_is_kept_on_disk_and_grows(queued: Developer, server: Recorder) -> None:
    """Whoever starts the sender again and again does not start the patience anew."""
    server.always(Reply(503))
    failures = []
    for _ in range(3):
        queued.make_delivery_due()
        assert 0 == queued.innerloop("deliver").status
        failures.append(json.loads((queued.spool / "delivery.json").read_text())["failures"])
        assert (queued.spool / "next").stat().st_mtime > time.time()

    assert [1, 2, 3] == failures


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_c04_a_sender_that_is_stuck_is_ended_after_a_minute(queued: Developer) -> None:
    """Here by a lock that somebody holds for ever."""
    with (queued.spool / "seal.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        stuck = queued.start(queued.command, "deliver")
        try:
            assert in_time(lambda: stuck.wait(90)) == -signal.SIGALRM
        finally:
            stuck.kill()
            stuck.wait(10)
    assert 3 == queued.ledger()["queued"]


def test_c05_a_pipe_ends_when_the_command_ends(queued: Developer, server: Recorder) -> None:
    """`make x | cat`, as a CI job reads it, while the sender still talks to a collector that says nothing."""
    server.always(Reply(how=HOLD))
    began = time.monotonic()
    ended = bare(queued).shell("innerloop run -- sh -c 'echo built; exit 3' 3>&1 2>&1 | cat; echo ${PIPESTATUS[0]}")
    took = time.monotonic() - began

    assert eventually(lambda: server.requests), "the sender was due"
    assert senders(queued)
    assert b"built\n3\n" == ended.out
    assert took < SOON


def test_c05_the_sender_has_no_descriptor_and_no_session_of_the_developers(queued: Developer, server: Recorder) -> None:
    server.always(Reply(how=HOLD))
    script = "exec 5>log 7<Makefile 200>&1; innerloop run -- true; echo session $(cut -d' ' -f6 /proc/$$/stat)"
    began = time.monotonic()
    ended = bare(queued).shell(script)
    assert time.monotonic() - began < SOON, "the sender holds our output"
    assert eventually(lambda: server.requests)
    (sender,) = senders(queued)
    found = sender.descriptors()
    others = {path for number, path in found.items() if number > 2}

    assert ["/dev/null"] * 3 == [found[number] for number in range(3)]
    assert not [path for path in others if not path.startswith(("socket:", str(queued.spool)))], others
    assert sender.session == sender.pid
    assert f"session {sender.session}\n" != ended.out.decode()


def test_c06_the_directory_can_be_removed_right_after_the_command(queued: Developer, server: Recorder) -> None:
    """With the sender at work, which is at home in the root directory."""
    server.always(Reply(how=HOLD))
    below = queued.directory / "temporary"
    below.mkdir()
    assert 0 == queued.run("true", cwd=below).status
    shutil.rmtree(below)
    assert eventually(lambda: server.requests)
    (sender,) = senders(queued)

    assert Path("/") == (sender.directory / "cwd").readlink()


def test_c06_a_file_system_can_be_unmounted_while_the_sender_is_at_work(
    namespace: Callable[..., list[str]], queued: Developer, server: Recorder
) -> None:
    """The project was on a disk that is taken away; only a helper that ends by itself may still be in it for a moment."""
    server.always(Reply(how=HOLD))
    script = """
mount -t tmpfs tmpfs "$1" && mkdir "$1/there" && cp innerloop.toml "$1/there/" && cd "$1/there"
innerloop run -- true && touch -d @0 "$2"/next && innerloop run -- true
cd /
for i in $(seq 50); do umount "$1" 2>/dev/null && echo unmounted && break; sleep 0.1; done
"""
    disk = queued.base / "disk"
    disk.mkdir()
    ended = queued.execute(*namespace("mount"), "sh", "-c", script, "sh", str(disk), str(queued.spool))

    assert "unmounted\n" == ended.out
    assert eventually(lambda: server.requests)
    assert senders(queued)


def test_c07_nothing_of_an_event_is_in_any_process_of_ours(queued: Developer, server: Recorder) -> None:
    """Looked for in arguments and environments of everything that still runs when the command is over."""
    server.always(Reply(how=HOLD))
    queued.git("init", "-q")
    env = {"TOKEN": "canary-variable", "AWS_SECRET_ACCESS_KEY": "canary-key", "USER": "canary-user"}
    assert 0 == queued.run("true", "--password=canary-argument", name="canary-name", env=env).status
    assert eventually(lambda: server.requests)
    ours = processes(queued)
    (sender,) = senders(queued)
    document = json.loads(queued.consent_file.read_text())
    secrets = [document["anonymous_user_id"], document["consent"]["serial"], document["consent"]["secret"], "shop.first", "messageId"]

    assert sender in ours
    for one in ours:
        for needle in ("canary", *secrets):
            assert needle.encode() not in one.cmdline + one.environ, needle
    assert sender.cmdline.count(b"\0") == 5


def test_c07_the_helper_of_git_has_nothing_of_an_event_in_its_arguments(strace: str, agreed: Developer) -> None:
    """It is gone within milliseconds, so its arguments are read where they are given to the system."""
    agreed.git("init", "-q")
    agreed.git("commit", "-q", "--allow-empty", "-m", "x")
    trace = Trace(stage(agreed), strace, "sleep", "0.3")
    (helper,) = (call for call in trace.executed() if '"/bin/sh", "-c", "unset PWD OLDPWD' in call.text)
    ours = [call for call in trace.executed() if call.pid != trace.launcher and '"sleep"' not in call.text]

    assert helper in ours
    document = json.loads(agreed.consent_file.read_text())
    for needle in (document["anonymous_user_id"], document["consent"]["serial"], "0.3", "other"):
        assert not [call for call in ours if f'"{needle}"' in call.text or f"{needle}," in call.text], needle
    assert quiet(agreed)


# the developer's network as it is (C35, C36)


def openssl(directory: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody but its owner trusts, with its key in one file."""
    found = need("openssl")
    pem = directory / "server.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:TRUE"
    made = [found, *words.split(), "-keyout", str(directory / "key"), "-out", str(directory / "ca.pem")]
    subprocess.run(made, check=True, capture_output=True)
    pem.write_bytes((directory / "key").read_bytes() + (directory / "ca.pem").read_bytes())
    return pem


def test_c35_an_authority_of_the_developers_own_is_trusted_and_no_other(developer: Developer, server: Recorder, tmp_path: Path) -> None:
    """Without it the command notices nothing, nothing is lost, and `doctor` explains."""
    server.speak_tls(openssl(tmp_path))
    agreed = developer.edit(project={"endpoint": server.url.replace("http:", "https:")})
    agreed.opt_in("yes")
    agreed.run("make", "test")
    refused = agreed.flush()
    assert (1, True) == (refused.status, "certificate verify failed" in refused.err)
    agreed.make_delivery_due()
    assert (2, "") == agreed.run("make", "-s", "fail")[:2]
    assert "certificate verify failed" in agreed.innerloop("doctor").out
    assert 0 == len(server.requests)

    assert 0 == agreed.flush(env={"SSL_CERT_FILE": str(tmp_path / "ca.pem")}).status
    assert 2 == len(server.events)


def test_c35_the_sender_that_a_command_starts_has_the_developers_proxy_and_authority(
    queued: Developer, server: Recorder, tmp_path: Path
) -> None:
    server.always(Reply(how=HOLD))
    network = {"http_proxy": server.url, "HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "localhost", "SSL_CERT_FILE": "/ca.pem"}
    queued.run("true", env={**network, "no_proxy": "nothing.example"})
    assert eventually(lambda: server.requests)
    (sender,) = senders(queued)

    for key, value in network.items():
        assert f"{key}={value}".encode() in sender.environ.split(b"\0")
    assert server.requests[0].line.startswith("POST http://127.0.0.1"), "the proxy was asked"


def test_c35_proxies_are_used_and_spared_as_the_environment_says(agreed: Developer, server: Recorder) -> None:
    with Recorder() as proxy:
        agreed.run("make", "test")
        assert 0 == agreed.flush(env={"http_proxy": proxy.url, "no_proxy": "127.0.0.1"}).status
        assert (1, 0) == (len(server.requests), proxy.connections)
        agreed.edit(project={"endpoint": "https://collector.example"})
        agreed.opt_in("yes")
        agreed.run("make", "test")
        proxy.always(Reply(502))
        assert 1 == agreed.flush("--timeout", "5", env={"https_proxy": proxy.url}).status
        assert "CONNECT collector.example:443 HTTP/1." in proxy.requests[0].line


def test_c36_a_host_that_cannot_be_found_loses_nothing_prints_nothing_and_is_told_by_status(
    namespace: Callable[..., list[str]], developer: Developer, server: Recorder
) -> None:
    waiting(developer, "http://collector.example:8080")
    words = [*namespace("net", "mount"), str(developer.command)]
    for _ in range(3):
        developer.make_delivery_due()
        assert (0, "", "") == developer.execute(*words, "run", "--", "true")
        assert quiet(developer)
    assert 4 == developer.ledger()["queued"]
    assert "here      4 to send, 0 set aside" in developer.execute(*words, "status").out
    (line,) = (line for line in developer.execute(*words, "doctor").out.splitlines() if line.startswith("NO  delivery"))
    assert "no connection" in line
    assert 0 == server.connections


def test_c36_the_queue_has_an_end_and_gives_up_the_oldest_first_and_counted(queued: Developer, server: Recorder) -> None:
    server.always(Reply(503))
    ages = dict(zip(queued.place("sealed"), (200, 91, 89), strict=True))
    for path, days in ages.items():
        os.utime(path, (time.time() - days * 86400,) * 2)
    queued.flush()

    assert [path for path, days in ages.items() if days < 90] == queued.place("sealed")
    ledger = queued.ledger()
    assert (1, {"expired": 2}) == (ledger["queued"], ledger["dropped"])


def test_c36_after_weeks_offline_everything_arrives_in_order_of_age(queued: Developer, server: Recorder) -> None:
    ids = old_runs(queued, 1200)
    for _ in range(12):
        queued.make_delivery_due()
        queued.innerloop("deliver")
        if not queued.place("sealed"):
            break
    sent = [event["messageId"] for event in server.events]

    assert ids == [one for one in sent if one in set(ids)]
    assert len(sent) == len(set(sent)) == 1203


def test_c03_thirty_commands_in_a_row_start_one_sender(queued: Developer, server: Recorder) -> None:
    """The sender needs a tenth of a second to say that it is at work; the commands meanwhile must not each start one."""
    server.always(Reply(how=HOLD))
    seen: set[int] = set()
    loop = queued.start("sh", "-c", "i=0; while [ $i -lt 30 ]; do innerloop run -- true; i=$((i+1)); done")
    while loop.poll() is None:
        seen |= {sender.pid for sender in senders(queued)}

    assert 1 == len(seen)


def test_c04_after_weeks_offline_one_delivery_sends_a_bounded_part_the_oldest_first(queued: Developer, server: Recorder) -> None:
    ids = old_runs(queued, 6000)
    queued.make_delivery_due()
    assert 0 == queued.innerloop("deliver").status
    sent = [event["messageId"] for event in server.events]

    assert 500 <= len(sent) < 6000
    old = [one for one in sent if one in set(ids)]
    assert ids[: len(old)] == old
    ledger = queued.ledger()
    assert (len(sent), 6003 - len(sent)) == (ledger["acknowledged"], ledger["queued"])
    assert (queued.spool / "next").stat().st_mtime > time.time() + 30, "the rest follows later, not at once"
