"""The collector, as an operator starts it: `serve`, `projects apply`, `keys create`, `report`."""

import os
import re
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from innerloop_collector.demo import commands
from innerloop_collector.demo.commands import DemoError

_LINK = re.compile(rb"within ten minutes: (http://\S+)\n")
_LISTENING = re.compile(rb"innerloop-collector listening on (http://\S+)")


class Service:
    """A collector of the demo's own, on a free port of the loopback interface."""

    def __init__(self, directory: Path, environment: dict[str, str], settings: Mapping[str, str] | None = None) -> None:
        """Start it, with some settings of its environment, and wait until it says where it listens. Raises DemoError where it does not."""
        self.directory = directory
        self.environment = environment
        self.data = directory / "collector"
        self.log = directory / "collector.log"
        self.command = commands.find("innerloop-collector")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.command, "serve", "--data", str(self.data), "--port", "0", "--sign-in-link"],
                env={**environment, "INNERLOOP_COLLECTOR_STORE_THROW_AWAY": "true", **(settings or {})}, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._seen = b""
        try:
            self.address = self._wait_for(_LISTENING, 30.0)
        except BaseException:
            self.stop()
            raise

    def apply(self, project_file: Path) -> None:
        """Register a project file. One active week is enough in a demo; the report says so."""
        self._run("projects", "apply", str(project_file), "--min-active-weeks", "1")

    def create_key(self, project: str) -> str:
        """Create a write key of a project."""
        return self._run("keys", "create", project).strip().splitlines()[-1]

    def create_token(self) -> str:
        """Create a token that opens the dashboard."""
        return self._run("tokens", "create", "--role", "viewer", "--label", "demo").strip().splitlines()[-1]

    def report(self, project: str) -> str:
        """Ask for the team's report, as a person reads it."""
        return self._run("report", project)

    def trends(self, project: str) -> str:
        """Ask how a project's published figures went, block by block."""
        return self._run("trends", project)

    @property
    def token(self) -> str:
        """What opens its operator's side to this user."""
        return (self.data / "admin-token").read_text(encoding="ascii").strip()

    def sign_in_link(self) -> str:
        """What signs a browser in, once and within ten minutes of the start. Raises DemoError."""
        return self._wait_for(_LINK, 10.0)

    def stop(self) -> None:
        """End it as an operator does, and wait until it is gone."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def _run(self, *words: str) -> str:
        return commands.run([self.command, *words, "--data", str(self.data)], self.environment, self.directory)

    def _wait_for(self, wanted: "re.Pattern[bytes]", timeout: float) -> str:
        """What the service prints: the part of it that is wanted."""
        deadline = time.monotonic() + timeout
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        while not (found := wanted.search(self._seen)):
            left = deadline - time.monotonic()
            data = os.read(output, 4096) if left > 0 and select.select([output], [], [], left)[0] else b""
            if not data:
                raise DemoError(
                    f"the collector did not start:\n{self._seen.decode('utf-8', 'replace')}{self.log.read_text(errors='replace')}"
                )
            self._seen += data
        return found[1].decode()
