"""How git is asked: about the checkout that the command ran in, whatever the environment says, and with nothing of a repository run."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from innerloop.core.shared import programs
from innerloop.core.spool import facts
from innerloop.core.spool.facts import parse_git
from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder
from tests.pairs import some

LONG_AGO = "2020-02-03T04:05:06+05:30"


FIFO_PATIENCE = 5  # s, as innerloop.git.PATIENCE


@pytest.fixture
def checkout(developer: Developer) -> Developer:
    """Somebody who agreed to git facts, in a checkout whose newest commit is of long ago."""
    developer.git("init", "-q", "-b", "main")
    developer.git("add", "-A")
    developer.git("commit", "-q", "-m", "x\n\ncommitter Evil <e@e> 1 +0000", GIT_COMMITTER_DATE=LONG_AGO)
    developer.edit(fields={"git_commit_time": "exact"})
    developer.opt_in("yes")
    return developer


def said(developer: Developer) -> str:
    """What git wrote about one run more, once it had ended."""
    before = set(developer.spool.glob("run/*.git"))
    assert developer.run("make", "test").status == 0
    assert eventually(lambda: set(developer.spool.glob("run/*.git")) - before)
    (path,) = set(developer.spool.glob("run/*.git")) - before
    eventually(lambda: b"default" in path.read_bytes(), FIFO_PATIENCE)
    assert eventually(lambda: not holders(path), 2 * FIFO_PATIENCE)  # whatever it was told to wait for
    return path.read_text()


def holders(path: Path) -> list[str]:
    """The processes that have a file open, with their names."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if descriptor.readlink() == path:
                found.append((descriptor.parent.parent / "comm").read_text())
        except OSError:
            continue
    return found


def test_the_facts_are_those_of_the_commit_and_the_branch(checkout: Developer) -> None:
    checkout.git("update-ref", "refs/remotes/origin/main", "HEAD")
    checkout.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    facts = parse_git(said(checkout))
    assert facts is not None
    assert (LONG_AGO, "refs/heads/main", "refs/remotes/origin/main") == (facts.commit_iso, facts.branch, facts.default)
    assert int(checkout.git("log", "-1", "--format=%ct")) == facts.commit_time


def test_a_detached_head_and_a_packed_clone_have_facts_too(checkout: Developer) -> None:
    checkout.git("checkout", "-q", "--detach")
    checkout.git("gc", "-q")
    facts = parse_git(said(checkout))
    assert facts is not None
    assert (LONG_AGO, "") == (facts.commit_iso, facts.branch)


@pytest.mark.parametrize(
    "lines", ["commit 1700000000 +2500", "commit 99999999999999999999 +0000", "commit 1e3 +0000", "commit x y z", "commit"]
)
def test_a_date_that_is_none_is_no_fact_or_one_of_utc(lines: str) -> None:
    facts = parse_git(f"{lines}\nhead refs/heads/main\ndefault \n")
    assert facts is None or (facts.commit_time, facts.commit_iso) == (1700000000, "2023-11-14T22:13:20+00:00")


def test_the_facts_are_of_this_checkout_though_the_environment_names_another(checkout: Developer, tmp_path: Path) -> None:
    """As in a hook of another repository, which git gives its own place to; and no trace of the caller's gets our commands."""
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", "-b", "elsewhere", str(other)], env=checkout.env, check=True)
    trace = tmp_path / "trace"
    foreign = {
        "GIT_DIR": f"{other}/.git", "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": f"{other}/.git/index", "GIT_COMMON_DIR": f"{other}/.git",
        "GIT_OBJECT_DIRECTORY": f"{other}/.git/objects", "GIT_NAMESPACE": "x", "GIT_CEILING_DIRECTORIES": str(checkout.base),
        "GIT_TRACE": str(trace), "GIT_TRACE2": str(trace), "GIT_TRACE2_EVENT": str(trace), "GIT_TRACE_SETUP": str(trace),
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree", "GIT_CONFIG_VALUE_0": str(other), "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_PARAMETERS": "'core.bare'='true'", "GIT_EXEC_PATH": str(other), "LD_PRELOAD": "",
    }  # fmt: skip
    checkout.env |= foreign
    facts = parse_git(said(checkout))
    assert facts is not None
    assert (LONG_AGO, "refs/heads/main") == (facts.commit_iso, facts.branch)
    assert not trace.exists()


def test_the_users_own_trace_file_does_not_get_our_commands(checkout: Developer, tmp_path: Path) -> None:
    (checkout.home / ".gitconfig").write_text(f"[trace2]\n\teventTarget = {tmp_path}/trace\n\tnormalTarget = {tmp_path}/trace\n")
    assert parse_git(said(checkout)) is not None
    assert not (tmp_path / "trace").exists()


# a repository is somebody else's

SCRIPT = '#!/bin/sh\necho "$0 $*" >> "{marker}"\nexit 1\n'


def hostile(developer: Developer, marker: Path) -> None:
    """A repository whose configuration names a program wherever it can name one, and whose newest commit is missing."""
    script = developer.directory / "evil"
    script.write_text(SCRIPT.format(marker=marker))
    script.chmod(0o755)
    git = developer.directory / ".git"
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc", "query-watchman"):
        (git / "hooks" / hook).write_text(SCRIPT.format(marker=marker))
        (git / "hooks" / hook).chmod(0o755)
    settings = {
        "core.fsmonitor": script, "core.hooksPath": git / "hooks", "core.pager": script, "core.editor": script, "core.sshCommand": script,
        "core.gitProxy": script, "core.askPass": script, "core.alternateRefsCommand": script, "credential.helper": script,
        "gpg.program": script, "log.showSignature": "true", "log.mailmap": "true", "diff.external": script, "diff.evil.textconv": script,
        "filter.evil.clean": script, "filter.evil.smudge": script, "filter.evil.process": script, "alias.cat-file": f"!{script}",
        "alias.symbolic-ref": f"!{script}", "alias.config": f"!{script}", "pager.cat-file": script, "pager.config": script,
        "protocol.allow": "always", "protocol.ext.allow": "always", "uploadpack.packObjectsHook": script, "fetch.fsckObjects": "false",
        "extensions.partialClone": "origin", "remote.origin.promisor": "true", "remote.origin.partialclonefilter": "tree:0",
        "remote.origin.uploadpack": script, "remote.origin.vcs": "evil", "sequence.editor": script, "interactive.diffFilter": script,
        "trace2.eventTarget": marker, "help.autocorrect": "immediate",
    }  # fmt: skip
    developer.git("config", "core.repositoryFormatVersion", "1")
    for key, value in settings.items():
        developer.git("config", key, str(value))
    (developer.directory / ".gitattributes").write_text("* filter=evil diff=evil\n")


PROMISORS = ["ext::{evil}", "ssh://evil/x", "git://127.0.0.1:1/x", "{other}", "file://{other}", "https://127.0.0.1:1/x", "evil::x"]


@pytest.mark.parametrize("url", PROMISORS)
def test_a_hostile_repository_runs_nothing_and_fetches_nothing(checkout: Developer, tmp_path: Path, strace: str, url: str) -> None:
    """Its newest commit is missing and promised by a remote: git by itself would fetch it, and so run what the configuration names."""
    marker, other = tmp_path / "marker", tmp_path / "other"
    subprocess.run(["git", "clone", "-q", "--bare", str(checkout.directory), str(other)], env=checkout.env, check=True)
    commit = checkout.git("rev-parse", "HEAD")
    hostile(checkout, marker)
    evil = checkout.directory / "evil"
    checkout.git("config", "remote.origin.url", url.format(evil=evil, other=other))
    helper = checkout.directory / "git-remote-evil"
    helper.write_text(SCRIPT.format(marker=marker))
    helper.chmod(0o755)
    (checkout.directory / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
    checkout.env["PATH"] = f".::{checkout.directory}:{checkout.env['PATH']}"
    calls = strace_of(checkout, strace, tmp_path / "trace")
    assert not marker.exists(), marker.read_text()
    assert "socket(AF_INET" not in calls
    started = {os.path.basename(path) for path in re.findall(r'execve\("([^"]*)".* = 0', calls)}
    assert started <= {"innerloop", "python", "sh", "make", "true", "git", "sleep", "readlink"}, started
    assert "git" in started


def test_the_hostile_repository_is_hostile(checkout: Developer, tmp_path: Path) -> None:
    """What the tests above hold back does happen where git is asked without care."""
    marker = tmp_path / "marker"
    commit = checkout.git("rev-parse", "HEAD")
    hostile(checkout, marker)
    checkout.git("config", "remote.origin.url", f"ext::{checkout.directory}/evil")
    checkout.git("config", "--unset", "remote.origin.vcs")
    (checkout.directory / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
    subprocess.run(["git", "log", "-1"], cwd=checkout.directory, env=checkout.env, capture_output=True, check=False)
    assert marker.exists()


def strace_of(developer: Developer, strace: str, trace: Path) -> str:
    """Every process and connection of one run and of what is asked about the project afterwards."""
    words = [strace, "-f", "-qq", "-o", trace, "-e", "trace=execve,socket"]
    developer.edit(project={"remotes": ["git.example.org/shop"]})
    calls = ""
    for argv in (["run", "--", "make", "test"], ["status"], ["doctor"], ["init", "--way", "run"]):
        developer.execute(*words, developer.command, *argv, timeout=60)
        calls += trace.read_text()
    return calls


@pytest.mark.parametrize(
    "place",
    some(
        ["HEAD", "config", "packed-refs", "objects/info/alternates", "info/grafts", "shallow", "included", "commondir", "refs/heads/main"],
        "HEAD",
        "included",
    ),
)
def test_a_pipe_in_the_place_of_gits_files_holds_up_nobody(checkout: Developer, place: str) -> None:
    """git waits for such a pipe; the command does not, and what waits is ended with all that it started."""
    git = checkout.directory / ".git"
    path = git / place
    if place == "included":
        checkout.git("config", "include.path", "included")
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    started = time.monotonic()
    said(checkout)
    assert checkout.run("true").status == 0
    assert time.monotonic() - started < 3 * FIFO_PATIENCE


@pytest.mark.parametrize("place", ["config", "included"])
def test_a_pipe_in_a_clone_whose_remotes_matter_is_waited_for_at_most_once(checkout: Developer, place: str) -> None:
    checkout.edit(project={"remotes": ["git.example.org/shop"]})
    if place == "included":
        checkout.git("config", "include.path", "included")
    path = checkout.directory / ".git" / place
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    started = time.monotonic()
    assert checkout.run("true").status == 0
    first = time.monotonic() - started
    assert checkout.status()["mode"] == "local"
    assert first < FIFO_PATIENCE


def test_a_checkout_of_another_owner_has_no_facts_unless_its_developer_says_that_it_is_safe(root: None, checkout: Developer) -> None:
    for path in [checkout.directory / ".git", *(checkout.directory / ".git").rglob("*")]:
        os.chown(path, 12345, 12345)
    os.chown(checkout.directory, 0, 0)
    assert parse_git(said(checkout)) is None
    (checkout.home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {checkout.directory}\n")
    facts = parse_git(said(checkout))
    assert facts is not None
    assert facts.commit_iso == LONG_AGO


# where a program is looked for


@pytest.mark.parametrize("entry", ["", ".", "bin", "{project}", "{project}/bin", "{alias}/bin", "{project}/../shop/bin"])
def test_no_program_is_taken_from_a_place_that_the_repository_can_fill(checkout: Developer, tmp_path: Path, entry: str) -> None:
    marker, alias = tmp_path / "marker", tmp_path / "alias"
    alias.symlink_to(checkout.directory)
    for place in (checkout.directory, checkout.directory / "bin"):
        place.mkdir(exist_ok=True)
        for program in ("git", "sleep", "make"):
            (place / program).write_text(SCRIPT.format(marker=marker))
            (place / program).chmod(0o755)
    checkout.env["PATH"] = f"{entry.format(project=checkout.directory, alias=alias)}:{checkout.env['PATH']}"
    checkout.edit(project={"remotes": ["git.example.org/shop"]})
    for argv in (["doctor"], ["status"], ["run", "--", "true"], ["init", "--way", "run"]):
        checkout.innerloop(*argv)
    eventually(marker.exists, 0.3)
    assert not marker.exists(), marker.read_text()


def test_without_git_a_run_is_recorded_without_its_facts(checkout: Developer, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "make", "true", "readlink", "sleep"):
        (tools / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    assert checkout.run("true", env={"PATH": str(tools)}).status == 0
    assert "git_commit_time" not in checkout.pending()[0]["properties"]


@pytest.mark.parametrize(
    "script",
    [
        "sleep 60", "sleep 60 & sleep 60", "cat /dev/zero", "trap '' TERM INT HUP; sleep 60",
        "exec >/dev/null; sleep 60", "sleep 60 >/dev/null & exit 0",
    ],
)  # fmt: skip
def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path, script: str) -> None:
    started = time.monotonic()
    programs.output([b"/bin/sh", b"-c", f"echo $$ > {tmp_path}/group; {script}".encode()], "/", dict(os.environb), 0.5)
    assert time.monotonic() - started < 10
    group = int((tmp_path / "group").read_text())
    assert eventually(lambda: not alive(group), 2)


def alive(group: int) -> bool:
    """Whether a process that is no zombie is in a group."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[2]) == group and words[0] != "Z":
            return True
    return False


def test_what_a_program_of_ours_gets_is_a_short_list(checkout: Developer, tmp_path: Path) -> None:
    """Nothing of the caller's environment but where things are found."""
    seen = programs.environment(
        {b"HOME": b"/h", b"PATH": b".:/bin::/usr/bin", b"LD_PRELOAD": b"x", b"SECRET": b"s", b"XDG_CONFIG_HOME": b"rel"}
    )
    assert seen == {b"HOME": b"/h", b"PATH": b"/bin:/usr/bin", b"LC_ALL": b"C"}


@pytest.mark.parametrize("seconds", [-50_000_000_000, -1, 4_102_444_800, 250_000_000_000, 10**30])
def test_a_run_under_a_commit_of_an_impossible_time_leaves_without_it(agreed: Developer, server: Recorder, seconds: int) -> None:
    assert facts.parse_git("commit 1764460800 +0000\nhead refs/heads/main\ndefault \n") is not None
    agreed.git("init", "-q")
    agreed.git("add", ".")
    agreed.git("commit", "-qm", "x")
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    sidecar = agreed.spool / "run" / f"{record.name}.git"
    assert eventually(lambda: sidecar.exists() and "default" in sidecar.read_text())
    sidecar.write_text(f"commit {seconds} +0000\nhead refs/heads/main\ndefault \n")
    assert facts.parse_git(sidecar.read_text()) is None
    assert 0 == agreed.flush().status

    assert server.events
    assert 1 == agreed.ledger()["acknowledged"]
