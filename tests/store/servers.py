"""Servers for the store by URL: the front of `front.py`, or a database of the real server or cluster that CLICKHOUSE_URL names.

CLICKHOUSE_URL=https://user@host:8443, with CLICKHOUSE_PASSWORD_FILE, CLICKHOUSE_CA_FILE and CLICKHOUSE_CLUSTER where they are needed.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2

from innerloop_collector.config.configuration import Store
from innerloop_collector.db.embedded import SESSION
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.layout import Layout
from innerloop_collector.db.server import by_url, layout_of
from tests.collector.support import Collector

REAL = os.environ.get("CLICKHOUSE_URL", "").rstrip("/")
LEASE_SECONDS = 15.0


class Server:
    """What a collector is told of its server."""

    url: str
    password_file = os.environ.get("CLICKHOUSE_PASSWORD_FILE", "")
    ca_file = os.environ.get("CLICKHOUSE_CA_FILE", "")
    cluster = ""

    @property
    def settings(self) -> Store:
        """The section of the configuration."""
        return Store(
            url=self.url, password_file=self.password_file, ca_file=self.ca_file, cluster=self.cluster, lease_seconds=LEASE_SECONDS
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables."""
        names = ("url", "password_file", "ca_file", "cluster", "lease_seconds")
        return {f"INNERLOOP_COLLECTOR_STORE_{name}".upper(): str(getattr(self.settings, name)) for name in names}

    def engine(self) -> Engine:
        """A way in beside the collector."""
        return Engine(by_url(self.settings, SESSION), layout_of(self.settings))

    def close(self) -> None:
        """Leave nothing behind."""


class RealDatabase(Server):
    """A database of its own on a real server."""

    cluster = os.environ.get("CLICKHOUSE_CLUSTER", "")

    def __init__(self) -> None:
        self._name = f"innerloop_test_{secrets.token_hex(6)}"
        self.url = f"{REAL}/{self._name}"
        self._ask(f"CREATE DATABASE {self._name}{Layout(cluster=self.cluster).on_cluster}")

    def close(self) -> None:
        """Drop the database."""
        self._ask(f"DROP DATABASE IF EXISTS {self._name}{Layout(cluster=self.cluster).on_cluster} SYNC")

    def _ask(self, sql: str) -> None:
        around = Store(url=f"{REAL}/default", password_file=self.password_file, ca_file=self.ca_file)
        engine = Engine(by_url(around, SESSION), layout_of(around))
        engine.command(sql)
        engine.close()


class FrontServer(Server):
    """A front over a directory. It can fail on request, be killed and come back."""

    password_file = ca_file = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:  # type: ignore[override]
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}/default"

    def start(self) -> None:
        """Listen, on the same port as before."""
        self.directory.parent.mkdir(mode=0o700, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.store.front", str(self.directory), "--port", str(self._port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=Path(__file__).parents[2],
            )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline() or 0)
        assert self._port, (self.directory / "log").read_text()

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
            self._process = None

    def pause(self) -> None:
        """Answer nobody, as a server that hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def fail(self, *faults: dict[str, Any]) -> None:
        """Have these faults from now on, and no others."""
        httpx2.post(f"http://127.0.0.1:{self._port}/front/faults", json=list(faults), trust_env=False).raise_for_status()

    @property
    def struck(self) -> int:
        """How often a fault met a statement since `fail`."""
        return int(httpx2.get(f"http://127.0.0.1:{self._port}/front/state", trust_env=False).json()["struck"])

    @property
    def statements(self) -> list[str]:
        """Every statement so far."""
        return list(httpx2.get(f"http://127.0.0.1:{self._port}/front/state", trust_env=False).json()["statements"])

    def close(self) -> None:
        """End it."""
        self.kill()


class UrlCollector(Collector):
    """A collector whose store is a server's. The files of the front lie below its data directory, so that whoever searches that searches both."""

    erasure_terms = MappingProxyType({"files": "server"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server: Server = RealDatabase() if REAL else FrontServer(self.data / "server")
        self.environment |= self.server.environment

    def close(self) -> None:
        """Leave nothing behind, on the server either."""
        super().close()
        self.server.close()

    def rows_of(self, *queries: str) -> list[list[list[Any]]]:
        """Look into the store, several times."""
        engine = self.server.engine()
        found: list[list[list[Any]]] = json.loads(json.dumps([[list(row) for row in engine.query(sql)] for sql in queries], default=str))
        engine.close()
        return found
