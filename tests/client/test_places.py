"""Outside of containers the way to the host's files costs one failed look; whether a run was in one is its record's word."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from innerloop.core.shared import git, paths
from innerloop.core.shared.paths import Home, mounted
from tests.client.people import ANSWER_PROMPT, Developer


def in_this_container() -> bool:
    """Whether the tests themselves run in a container."""
    return any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")))


def test_without_the_mount_one_failed_look_is_all(agreed: Developer, strace: str) -> None:
    """A look before the decision and one before the run. The table of mounts is read for homes that may hang, once."""
    agreed.run("make", "test")
    trace = agreed.base / "trace"
    agreed.execute(strace, "-o", trace, "-e", "trace=%file", agreed.command, "run", "--", "true")
    lines = trace.read_text().splitlines()
    assert 1 == len([line for line in lines if "mountinfo" in line])
    looks = [line for line in lines if "/run/innerloop" in line]
    assert 2 == len(looks)
    assert all(line.endswith("ENOENT (No such file or directory)") for line in looks)


@pytest.mark.parametrize(
    ("line", "said"), [("container 1\n", True), ("container 0\n", False), ("", False)], ids=["inside", "outside", "older record"]
)
def test_where_a_run_was_is_what_its_record_says(agreed: Developer, line: str, said: bool) -> None:
    """Wherever it is sealed. A record of an older version does not say, and does not count as one of a container."""
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    text, found = re.subn(r"container [01]\n", line, record.read_text())
    assert 1 == found
    record.write_text(text)
    (event,) = agreed.pending()
    assert said is event["properties"]["in_container"]


def test_a_record_says_where_it_was_made(agreed: Developer) -> None:
    agreed.run("make", "test")
    (event,) = agreed.pending()
    assert in_this_container() is event["properties"]["in_container"]
    described = agreed.innerloop("describe", "--json").json["fields"]
    assert [in_this_container()] == [field["example"] for field in described if field["name"] == "in_container"]


@pytest.mark.parametrize("mark", ["none", "/run/.containerenv", "/run/systemd/container", "container", "KUBERNETES_SERVICE_HOST"])
def test_doctor_the_event_and_the_questions_example_agree_about_a_container(root: None, developer: Developer, mark: str) -> None:
    """Whatever says that it is one."""
    script = "mount -t tmpfs tmpfs /run && " + (f'mkdir -p "{Path(mark).parent}" && touch {mark} && ' if "/" in mark else "") + 'exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, "sh", str(developer.command)]
    env: dict[str, str | None] = {} if "/" in mark or mark == "none" else {mark: "x"}
    expected = mark != "none" or Path("/.dockerenv").exists()
    asked = developer.at_terminal(*words, "opt-in", types=[(ANSWER_PROMPT, "?"), (ANSWER_PROMPT, "yes")], env=env).text
    before, behind = re.findall(r"in_container +exact +(true|false)", asked)
    developer.execute(*words, "run", "--", "make", "test", env=env)
    (event,) = developer.pending()
    findings = [
        check["finding"] for check in developer.execute(*words, "doctor", "--json", env=env).json["checks"] if check["name"] == "container"
    ]
    described = developer.execute(*words, "describe", "--json", env=env).json["fields"]
    assert [expected] * 2 == [event["properties"]["in_container"], *(one["example"] for one in described if one["name"] == "in_container")]
    assert (str(expected).lower(), str(expected).lower(), expected) == (before, behind, bool(findings))
    assert all("you are in one" in finding and (mark == "none" or Path("/.dockerenv").exists() or mark in finding) for finding in findings)


@pytest.mark.parametrize("mount", ["mount -t tmpfs tmpfs", 'mount --bind "$1"'], ids=["another file system", "the same"])
def test_a_mount_is_told_from_a_directory(root: None, tmp_path: Path, mount: str) -> None:
    """Of the same file system too, where only the kernel's table tells. A directory or a link in that place is none."""
    script = f'{mount} "$2" && shift 2 && exec "$@"'
    source, target, link = tmp_path / "source", tmp_path / "target", tmp_path / "link"
    for directory in (source, target):
        directory.mkdir()
    link.symlink_to("/proc")
    code = "import sys; from innerloop.core.shared.paths import mounted; print(mounted(sys.argv[1].encode()) is not None)"
    unshare = shutil.which("unshare")
    assert unshare
    command = [unshare, "--mount", "--propagation", "private", "sh", "-ec", script, "sh", source, target]
    python = [Path(".venv/bin/python").absolute(), "-c", code, target]
    done = subprocess.run([*command, *python], capture_output=True, text=True, check=True)
    assert "True\n" == done.stdout
    assert [None, None, None] == [mounted(bytes(path)) for path in (target, link, tmp_path / "absent")]


def test_behind_the_mount_git_reads_the_checkout_whoever_owns_it(tmp_path: Path) -> None:
    """The checkout, not the directory of it that the project file is in; outside of the mount nothing is said to be safe."""
    (tmp_path / "app" / ".git").mkdir(parents=True)
    below = bytes(tmp_path / "app" / "services" / "shop")
    home = Home({b"GIT_CONFIG_COUNT": b"1", b"GIT_CONFIG_KEY_0": b"safe.directory", b"GIT_CONFIG_VALUE_0": b"*"})
    assert not [key for key in git.environment_in(home, below) if key.startswith(b"GIT_CONFIG")]
    home.shared = True
    said = {b"GIT_CONFIG_COUNT": b"1", b"GIT_CONFIG_KEY_0": b"safe.directory", b"GIT_CONFIG_VALUE_0": bytes(tmp_path / "app")}
    assert said == {key: value for key, value in git.environment_in(home, below).items() if key.startswith(b"GIT_CONFIG")}


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
