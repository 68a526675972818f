"""Throw-away developers: each has a HOME, a checkout, a terminal, and an answer of their own."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from innerloop_collector.demo import commands
from innerloop_collector.demo.builds import Build
from innerloop_collector.demo.commands import DemoError
from innerloop_collector.demo.terminal import Terminal, TerminalError

QUESTION_ENDS = "Your answer (Enter: not now): "
PROJECT_FILE = "innerloop.toml"


class Developer:
    """One person at one machine."""

    def __init__(self, name: str, directory: Path, source: Path, project_file: str) -> None:
        """Give them a HOME and a checkout: the sources as they are, with the project file beside the Makefile."""
        self.name = name
        self.home = directory / name
        self.checkout = self.home / "lua"
        shutil.copytree(source, self.checkout)
        (self.checkout / PROJECT_FILE).write_text(project_file, encoding="utf-8")
        self.environment = commands.scrubbed(self.home)
        self.innerloop = commands.find("innerloop")

    def answer(self, answer: str) -> str:
        """Type `innerloop opt-in`, read the question and answer it. Return what the terminal showed."""
        terminal = Terminal([self.innerloop, "opt-in"], self.environment, self.checkout)
        try:
            terminal.wait_for(QUESTION_ENDS)
            terminal.type(answer)
            if status := terminal.finish(30.0):
                raise DemoError(f"`innerloop opt-in` ended with {status}:\n{terminal.text}")
        except TerminalError as error:
            raise DemoError(str(error)) from error
        finally:
            terminal.close()
        return terminal.text

    def build(self, build: Build) -> str:
        """Type `innerloop run -- make ...`. Return what the terminal showed; it must end as expected."""
        if build.before:
            build.before(self.checkout)
        terminal = Terminal([self.innerloop, "run", "--", *build.command], self.environment, self.checkout)
        try:
            if build.interrupt_at:
                terminal.wait_for(build.interrupt_at, 60.0)
                terminal.press_ctrl_c()
            status = terminal.finish()
        except TerminalError as error:
            raise DemoError(str(error)) from error
        finally:
            terminal.close()
        if not _ended_as(build.expected, status):
            raise DemoError(f"{self.name}'s `{' '.join(build.command)}` ended with {status}, but it {build.expected}:\n{terminal.text}")
        return terminal.text

    def deliver(self) -> None:
        """Run `innerloop flush`, again where another delivery was at work just then."""
        for left in (2, 1, 0):
            try:
                self.ask("flush", "--timeout", "20")
            except DemoError:
                if not left:
                    raise
                time.sleep(1)
            else:
                return

    def ask(self, *words: str) -> str:
        """Run another of innerloop's commands, as in a pipe."""
        return commands.run([self.innerloop, *words], self.environment, self.checkout)

    def ask_json(self, *words: str) -> Any:
        """Run one that answers in JSON."""
        return json.loads(self.ask(*words, "--json"))

    def files_of_innerloop(self) -> list[Path]:
        """List what innerloop keeps in this HOME."""
        return sorted(path for path in self.home.rglob("*") if path.is_file() and self.checkout not in path.parents)


def _ended_as(expected: str, status: int) -> bool:
    """Tell whether a build ended as the story has it.

    After Ctrl-C anything goes: make is killed by the signal, or loses a race with a compiler that died of the same key
    ("wait: No child processes") and exits with 2, or had just finished.
    """
    return expected == "is interrupted" or (status == 0 if expected == "works" else status > 0)
