"""Repositories that somebody sets up, and people who work in them."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Installed
from tests.needs import need
from tests.transparency import developer
from tests.transparency.developer import Developer
from tests.transparency.stage import Ended

ANSWERS = ("--organisation", "Example", "--endpoint", "http://127.0.0.1:9", "--write-key", "shop.secret", "--project", "shop")


class Repository:
    """A directory that init works on, and what it looks like from outside."""

    def __init__(self, innerloop: Path, path: Path, home: Path) -> None:
        self.innerloop, self.path, self.home = innerloop, path, home
        self.env = {"HOME": str(home), "PATH": f"{innerloop.parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def write(self, name: str, text: "str | bytes") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.path, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

    def commit(self) -> None:
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x", "--allow-empty")

    def run(self, *words: str, directory: str = "", **env: str) -> Ended:
        done = subprocess.run(
            words, cwd=self.path / directory, env=self.env | env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def init(self, *words: str, directory: str = "") -> Ended:
        return self.run(str(self.innerloop), "init", *words, directory=directory)

    def tree(self, without: tuple[str, ...] = ()) -> dict[str, tuple[str, int, int]]:
        """Every file with the digest of its bytes, its mode and its time; git's own files but for the list of what it ignores."""
        found = {}
        for path in sorted(self.path.rglob("*")):
            name = str(path.relative_to(self.path))
            if path.is_file() and name not in without and (not name.startswith(".git/") or name == ".git/info/exclude"):
                status = path.stat()
                found[name] = (hashlib.sha256(path.read_bytes()).hexdigest(), status.st_mode, status.st_mtime_ns)
        return found

    def bytes(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def has(self, name: str) -> bool:
        return (self.path / name).exists()


@pytest.fixture
def repository(installed: Installed, tmp_path: Path) -> Repository:
    """An empty directory, and an empty home beside it."""
    for name in ("home", "shop"):
        (tmp_path / name).mkdir()
    return Repository(installed.innerloop, tmp_path / "shop", tmp_path / "home")


@pytest.fixture
def hire(installed: Installed, tmp_path: Path) -> Callable[[str], Developer]:
    """Somebody with a project and an answer to its question."""
    return lambda answered: developer.hire(installed.innerloop, tmp_path, answered)


@pytest.fixture
def shell(request: pytest.FixtureRequest) -> str:
    """A shell by its name; skipped, and said so, where it is not installed."""
    name: str = request.param
    need(name)
    return name


def programs(strace: str, trace: Path, words: list[str], **options: object) -> list[str]:
    """Run a command and return the programs that were started, by their names."""
    command = [strace, "-f", "-qq", "-e", "trace=execve,fork,vfork,clone,clone3", "-o", str(trace), *words]
    subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    lines = [line for line in trace.read_text().splitlines() if "execve(" in line and "ENOENT" not in line]
    return [os.path.basename(line.split('execve("', 1)[1].split('"')[0]) for line in lines]
