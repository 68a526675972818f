"""Collectors with destinations, and projects whose files name recipients."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.collector.support import KEY, Collector, Event, toml
from tests.collector.support import project as plain_project
from tests.destinations.receivers import Receiver, wait_until

SECRET = "a-key-of-a-destination"
WITHOUT_ID, PSEUDONYM = "rows without an id", "rows with a pseudonym"


def project(*recipients: tuple[str, str], key: str = KEY, **tables: dict[str, Any]) -> str:
    """A project file that names recipients, each with what it receives."""
    named = "".join(f"\n[[recipients]]\nname = {json.dumps(name)}\nreceives = {json.dumps(what)}\n" for name, what in recipients)
    return toml(plain_project(**tables)) + named


class Configured:
    """A collector with a configuration file."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.sections: dict[str, dict[str, Any]] = {}
        self.key_file = collector.directory / "key"
        self.key_file.write_text(SECRET + "\n")

    def destination(self, name: str, kind: str, receiver: Receiver | None = None, **keys: Any) -> "Configured":
        """Add a destination, quick enough for tests."""
        endpoint = {"endpoint": receiver.url} if receiver else {}
        quick = {"first_pause_seconds": 0.05, "longest_pause_seconds": 0.4, "timeout_seconds": 5.0}
        defaults = {"kind": kind, "recipient": "Metrics Ltd", "key_file": str(self.key_file), **endpoint, **quick}
        self.sections[f"destinations.{name}"] = {**defaults, **keys}
        return self

    def write(self) -> Path:
        """Write the configuration file and let commands use it."""
        path = self.collector.directory / "collector.toml"
        path.write_text(toml(self.sections))
        self.collector.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(path)
        return path

    def start(self, text: str) -> "Configured":
        """Start with a project file."""
        self.write()
        file = self.collector.directory / "innerloop.toml"
        file.write_text(text)
        self.collector.start("--project-file", str(file))
        return self

    def send(self, *events: Event) -> None:
        """Deliver events that must be acknowledged."""
        self.collector.send(*events)

    def status(self, name: str) -> dict[str, Any]:
        """How a destination is doing."""
        found = self.collector.ask("destinations", "status")["destinations"]
        return next(one for one in found if one["destination"] == name)

    def wait(self, name: str, enough: Callable[[dict[str, Any]], bool], timeout: float = 20.0) -> dict[str, Any]:
        """Wait until something is true of a destination's status."""
        wait_until(lambda: enough(self.status(name)), timeout)
        return self.status(name)
