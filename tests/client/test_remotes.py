"""Which clone is the project's: what git says of its remotes, read once and without running anything."""

import os
from pathlib import Path

import pytest

from innerloop.core.plan import remotes
from innerloop.core.shared.paths import Home
from tests.client.people import Developer

OURS = "git.example.com/shop/shop"

# How one and the same repository is written.
SPELLINGS = [
    "https://git.example.com/shop/shop", "https://git.example.com/shop/shop.git", "https://git.example.com/shop/shop.git/",
    "http://git.example.com:8080/shop/shop", "https://anna:s%40cret@git.example.com/shop/shop.git", "https://a@b@git.example.com//shop//shop",
    "ssh://git@git.example.com/shop/shop.git", "ssh://git@git.example.com:2222/shop/shop", "git+ssh://git@git.example.com/shop/shop",
    "git://git.example.com/shop/shop", "git@git.example.com:shop/shop.git", "git@git.example.com:/shop/shop.git", "git.example.com:shop/shop",
    "git@git.example.com://shop/shop/", "[git@git.example.com:2222]:shop/shop.git", "[git.example.com]:shop/shop",
    "GIT@Git.Example.com:Shop/Shop.git", "https://GIT.EXAMPLE.COM/Shop/Shop.GIT", "  https://git.example.com/shop/shop  ",
    "git.example.com/shop/shop",
]  # fmt: skip
# What is another one.
OTHERS = [
    "https://git.example.com.evil.example/shop/shop", "https://evil.example/git.example.com/shop/shop", "https://git.example.com@evil.example/shop/shop",
    "https://evil.example/x@git.example.com:shop/shop", "git@evil.example:git.example.com/shop/shop", "/srv/git.example.com/shop/shop",
    "./git.example.com:shop/shop", "https://git.example.com/shop/shop2", "https://git.example.com/shop", "https://git.example.com/shop/shop/x",
    "ext::sh -c git.example.com/shop/shop", "file:///git.example.com/shop/shop", "https://[::1]/shop/shop", "", "::", "[", "[]:", "@:/", "://",
    "https://git.example.com/shop/../shop/shop",
]  # fmt: skip


@pytest.mark.parametrize("url", SPELLINGS)
def test_every_spelling_of_an_address_is_one_remote(url: str) -> None:
    assert OURS == remotes.host_and_path(url)


@pytest.mark.parametrize("url", OTHERS)
def test_what_only_looks_alike_is_another_remote(url: str) -> None:
    assert OURS != remotes.host_and_path(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ssh://git@[2001:db8::1]:22/a/b.git", "[2001:db8::1]/a/b"), ("git@[2001:db8::1]:a/b.git", "[2001:db8::1]/a/b"),
        ("https://[2001:DB8::1]/a/b", "[2001:db8::1]/a/b"), ("[git@host:22]:a/b", "host/a/b"),
    ],
)  # fmt: skip
def test_an_address_with_a_number_for_a_host_is_one_remote_too(url: str, expected: str) -> None:
    assert expected == remotes.host_and_path(url)


@pytest.fixture
def clone(developer: Developer) -> Developer:
    """Somebody who agreed, in a checkout of a project that names its remote, and has none yet."""
    developer.edit(project={"remotes": [OURS]})
    developer.git("init", "-q", "-b", "main")
    developer.opt_in("yes")
    assert developer.status()["mode"] == "local"
    return developer


def test_an_address_is_what_git_makes_of_it(clone: Developer) -> None:
    """`git remote get-url` is the judge: rewritten by the developer's own configuration, the longest rule first."""
    clone.git("remote", "add", "origin", "corp:shop/shop.git")
    clone.git("config", "--global", "url.https://evil.example/.insteadOf", "co")
    clone.git("config", "--global", "url.https://git.example.com/.insteadOf", "corp:")
    assert clone.git("remote", "get-url", "origin") == "https://git.example.com/shop/shop.git"
    assert clone.status()["mode"] == "on"
    clone.git("config", "--global", "url.https://evil.example/.insteadOf", "corp:shop")
    assert clone.git("remote", "get-url", "origin").startswith("https://evil.example/")
    assert clone.status()["mode"] == "local"


@pytest.mark.parametrize("where", ["relative", "absolute", "home", "conditional", "user", "worktree"])
def test_a_remote_in_a_file_that_git_reads_counts(clone: Developer, where: str) -> None:
    section = f'[remote "origin"]\n\turl = git@git.example.com:/{OURS.partition("/")[2]}.git\n'
    git, more = clone.directory / ".git", clone.home / "more"
    if where == "user":
        (clone.home / ".gitconfig").write_text(section)
    elif where == "worktree":
        clone.git("config", "extensions.worktreeConfig", "true")
        (git / "config.worktree").write_text(section)
    else:
        path = {"relative": "more", "absolute": str(more), "home": "~/more", "conditional": str(more)}[where]
        (git / "more" if where == "relative" else more).write_text(section)
        key = f"includeIf.gitdir:{clone.directory}/.path" if where == "conditional" else "include.path"
        clone.git("config", key, path)
    assert clone.status()["mode"] == "on"


@pytest.mark.parametrize("where", ["worktree", "submodule", "below"])
def test_a_linked_checkout_has_the_remotes_of_its_repository(clone: Developer, where: str) -> None:
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "x")
    clone.git("remote", "add", "origin", f"https://{OURS}")
    place = clone.base / "linked"
    if where == "worktree":
        clone.git("worktree", "add", "-q", str(place))
    elif where == "submodule":
        outer = clone.base / "outer"
        outer.mkdir()
        clone.git("-C", str(outer), "init", "-q")
        clone.git("-C", str(outer), "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(clone.directory), "inner")
        place = outer / "inner"
        clone.git("-C", str(place), "remote", "set-url", "origin", f"https://{OURS}")
    else:
        place = clone.directory / "services"
        place.mkdir()
    clone.directory = place
    assert clone.status()["mode"] == "on"


def test_whatever_git_would_read_anew_makes_the_cache_worthless(clone: Developer) -> None:
    """Each file that may say another thing tomorrow, whether it is there yet or not."""
    clone.git("remote", "add", "origin", "corp:shop/shop.git")
    clone.git("config", "include.path", "later")
    clone.git("config", "--add", "includeIf.gitdir:/nowhere/.path", "~/elsewhere")
    clone.run("true")
    rule = '[url "https://git.example.com/"]\n\tinsteadOf = corp:\n'
    for path in (clone.home / ".gitconfig", clone.home / ".config" / "git" / "config", clone.directory / ".git" / "later"):
        assert is_current(clone)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rule)
        assert not is_current(clone)
        clone.run("true")
        assert b"mode on" in clone.hot_file.read_bytes()
        path.unlink()
        clone.run("true")
        assert b"mode local" in clone.hot_file.read_bytes()


def is_current(developer: Developer) -> bool:
    """Whether a run finds the launcher's cache good enough to leave it as it is."""
    before = developer.hot_file.stat().st_ino
    developer.run("true")
    return developer.hot_file.stat().st_ino == before


def test_a_directory_that_becomes_a_checkout_is_looked_at_again(developer: Developer) -> None:
    developer.edit(project={"remotes": [OURS]})
    developer.opt_in("yes")
    developer.run("true")
    developer.git("init", "-q")
    developer.git("remote", "add", "origin", f"https://{OURS}")
    developer.run("true")
    assert b"mode on" in developer.hot_file.read_bytes()


def test_git_is_asked_once_for_a_decision_and_never_before_a_yes(strace: str, developer: Developer) -> None:
    developer.edit(project={"remotes": [OURS]})
    developer.git("init", "-q")
    developer.git("remote", "add", "origin", f"https://{OURS}")
    for argv in (["status"], ["describe"], ["doctor"], ["run", "--", "true"]):
        assert "--show-origin" not in asked(developer, strace, *argv)
    developer.opt_in("yes")
    developer.hot_file.unlink()
    assert asked(developer, strace, "run", "--", "true").count("--show-origin") == 1
    assert "--show-origin" not in asked(developer, strace, "run", "--", "true")


def asked(developer: Developer, strace: str, *argv: str) -> str:
    """The processes that a command of innerloop starts."""
    trace = developer.base / "calls"
    developer.execute(strace, "-f", "-qq", "-s", "200", "-o", trace, "-e", "trace=execve", developer.command, *argv)
    return "\n".join(line for line in trace.read_text().splitlines() if line.endswith("= 0"))


def test_the_environment_names_no_other_repository(clone: Developer) -> None:
    """As in a hook of another clone."""
    other = clone.base / "other"
    other.mkdir()
    clone.git("-C", str(other), "init", "-q")
    clone.git("-C", str(other), "remote", "add", "origin", f"https://{OURS}")
    assert clone.status(env={"GIT_DIR": f"{other}/.git", "GIT_WORK_TREE": str(other)})["mode"] == "local"
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "remote.x.url", "GIT_CONFIG_VALUE_0": f"https://{OURS}"}
    assert clone.status(env=settings)["mode"] == "local"


def test_without_git_the_text_of_the_one_file_counts(clone: Developer, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "readlink"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    clone.git("remote", "add", "origin", f"https://{OURS}")
    assert clone.status(env={"PATH": str(tools)})["mode"] == "on"


def test_a_configuration_that_is_no_text_or_has_no_end_is_no_remote(clone: Developer) -> None:
    config = clone.directory / ".git" / "config"
    for data in (b"\xff\xfe\0\0[remote", b'[remote "x"]\n\turl = ' + b"a" * 20_000_000, b"[include]\n\tpath = config\n" * 3):
        config.write_bytes(data)
        assert clone.status()["mode"] == "local"
        found = remotes.look(str(clone.directory), Home({b"HOME": os.fsencode(clone.home), b"PATH": b"/usr/bin:/bin"})).remotes
        assert {letter for remote in found for letter in remote} <= {"a"}
