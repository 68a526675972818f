"""A developer: a home, a checkout of a project, and perhaps an answer to the question."""

import os
from pathlib import Path
from typing import NamedTuple

import pexpect

from tests.transparency.stage import PATIENCE, Stage

PROJECT = """
[project]
id = "transparent"
name = "transparent"
organisation = "Example"
endpoint = "{endpoint}"
write_key = "transparent.secret"

[names]
allow = ["test", "make"]
"""
NOBODY_LISTENS = "http://127.0.0.1:9"


class Developer(NamedTuple):
    """A person's home directory and a checkout of a project."""

    innerloop: Path
    home: Path
    project: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of this developer's shells."""
        path = f"{self.innerloop.parent}:/usr/local/bin:/usr/bin:/bin"
        return {"HOME": str(self.home), "PATH": path, "PWD": str(self.project), "LANG": "C.UTF-8", "TERM": "xterm"}

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state" / "innerloop"

    @property
    def spool(self) -> Path:
        """The one spool of this developer."""
        return next((self.state / "spool").iterdir())

    def recorded(self) -> int:
        """How many runs were recorded, finished or not."""
        return (self.spool / "recorded").stat().st_size // 32 if (self.spool / "recorded").exists() else 0

    def make_delivery_due(self) -> None:
        os.utime(self.spool / "next", (0, 0))

    def answer(self, words: str) -> None:
        """Answer the question at a terminal."""
        with_terminal = pexpect.spawn(
            str(self.innerloop), ["opt-in"], cwd=str(self.project), env=self.env, encoding="utf-8", timeout=PATIENCE
        )  # fmt: skip
        with_terminal.expect(r"Your answer \(Enter: not now\): ")
        with_terminal.sendline(words)
        with_terminal.expect(pexpect.EOF)
        with_terminal.close()
        assert with_terminal.exitstatus == 0, with_terminal.before

    def stage(self, name: str, prefix: "list[str] | None" = None) -> Stage:
        """A stage in the project, on which this developer runs commands through innerloop or another prefix."""
        if prefix is None:
            prefix = [str(self.innerloop), "run", "--"]
        return Stage(name, prefix, self.project, self.env, self.home.parent / "scratch")


def hire(innerloop: Path, base: Path, answered: str = "", endpoint: str = NOBODY_LISTENS) -> Developer:
    """Make a developer with a fresh home; `answered` is what was typed at the question, if it was asked."""
    developer = Developer(innerloop, base / "home", base / "project")
    developer.home.mkdir()
    developer.project.mkdir()
    (developer.project / "innerloop.toml").write_text(PROJECT.format(endpoint=endpoint))
    if answered:
        developer.answer(answered)
    return developer
