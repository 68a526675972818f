"""Drive a collector as its users do: its command in a process of its own, HTTP over the loopback, the real engine."""

import contextlib
import hashlib
import json
import os
import random
import secrets
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpx2

from innerloop.core.plan.agreement import agreement, digest
from innerloop.core.plan.project_reader import read
from tests.needs import need

COMMAND = [sys.executable, "-m", "innerloop_collector.cli"]
KEY = "acme.0123456789abcdefghijklmn"
PROJECT: dict[str, Any] = {
    "project": {"id": "acme", "name": "Acme", "organisation": "Acme Ltd", "endpoint": "http://127.0.0.1:8080", "write_key": KEY},
    "names": {"allow": ["test", "build", "lint", "docs"]},
}
# Tests send faster, and with more ids, than developers do, and read metrics without a token; those of the limits and of the token set them.
UNLIMITED = {
    "INNERLOOP_COLLECTOR_LIMITS_EVENTS_PER_SECOND": "0",
    "INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY": "0",
    "INNERLOOP_COLLECTOR_SERVER_METRICS_LOCAL": "true",
}
Event = dict[str, Any]


def toml(document: dict[str, Any]) -> str:
    """Write a project file. JSON's strings, numbers, booleans and lists are TOML's."""
    tables = [f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()) for name, table in document.items()]
    return "\n".join(tables)


def project(**tables: dict[str, Any]) -> dict[str, Any]:
    """The project of the tests, with some tables changed."""
    return {name: {**PROJECT.get(name, {}), **tables.get(name, {})} for name in {**PROJECT, **tables}}


def digest_of(document: dict[str, Any]) -> str:
    """The digest that a client names for a project file."""
    return digest(agreement(read(document)))


def hour(ago: timedelta = timedelta()) -> str:
    """An instant as the client writes it: cut to the hour."""
    return (datetime.now(UTC) - ago).replace(minute=0, second=0, microsecond=0).isoformat()


def run_event(user: str | None = None, *, ago: timedelta = timedelta(), message: str | None = None, **properties: Any) -> Event:
    """One run as the client sends it."""
    start = hour(ago)
    planned = {
        "command": "test", "command_type": "make", "duration_ms": 1230, "exit_status": 0, "start_time": start, "attempt": "1",
        "checkout_age": "<1d", "git_checked_out_master": True, "is_test": "no", "os": "linux", "arch": "x86_64", "actor": "human",
        "suspended": False, "in_container": False, "client": "0.1",
    }  # fmt: skip
    return {
        "type": "track",
        "event": "innerloop.run",
        "userId": user or str(uuid.uuid4()),
        "messageId": message or str(uuid.uuid4()),
        "timestamp": start,
        "properties": {**planned, **properties},
    }


def target_event(run: Event, target: str = "build", **properties: Any) -> Event:
    """One target of a run, as the client sends it."""
    shared = {name: run["properties"][name] for name in ("command", "start_time", "is_test", "actor", "client")}
    planned = {
        **shared, "run": run["properties"].setdefault("run", str(uuid.uuid4())), "target": target, "sequence": 1, "parent": 0,
        "offset_ms": 12, "duration_ms": 1230, "exit_status": 0, "critical": True,
    }  # fmt: skip
    return {**run, "event": "innerloop.target", "messageId": str(uuid.uuid4()), "properties": {**planned, **properties}}


class Owner:
    """An installation as its developer's machine knows it: an id, and the secret that was made with it."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.secret = secrets.token_hex(32)

    @property
    def registration(self) -> tuple[str, str]:
        """What a batch says of it."""
        return self.id, hashlib.sha256(self.secret.encode()).hexdigest()

    @property
    def claim(self) -> dict[str, str]:
        """What a request for erasure says of it."""
        return {"userId": self.id, "secret": self.secret}


class Collector:
    """A collector over a directory, running or not."""

    erasure_terms: Mapping[str, str] = MappingProxyType({})  # what a receipt says of the place where the rows were

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.http = httpx2.Client(trust_env=False, timeout=30)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "INNERLOOP_COLLECTOR_DATA": str(self.data),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            **UNLIMITED,
        }

    @property
    def log(self) -> str:
        """What the service has written to stderr so far."""
        return (self.directory / "log").read_text()

    def start(self, *words: str, under: tuple[str, ...] = ()) -> Self:
        """Start the service on a free port, under another program if given, and wait until it listens."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*under, *COMMAND, "serve", "--port", "0", *words],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment,
                cwd=self.directory,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line.startswith("innerloop-collector listening on http://127.0.0.1:"), line + self.log
        self.url = line.split()[-1]
        return self

    def start_with(self, document: dict[str, Any] | None = None) -> Self:
        """Start the service with a project file, whose write key it accepts."""
        return self.start("--project-file", str(self.write(document or PROJECT)))

    def for_trying(self) -> Self:
        """Have the store made as a throw-away store, whose reports show the running week too. Before the first start."""
        self.environment["INNERLOOP_COLLECTOR_STORE_THROW_AWAY"] = "true"
        return self

    def move_clock(self, by: timedelta) -> None:
        """Have every process that is started from now on see another time."""
        library = Path(need("/usr/lib/*/faketime/libfaketime.so.1")).with_name("libfaketimeMT.so.1")
        moved = f"{by.total_seconds():+.0f}"
        self.environment |= {"LD_PRELOAD": str(library), "FAKETIME": moved, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def stop(self, timeout: float = 40) -> int:
        """Ask the service to end, and wait."""
        assert self.process is not None
        self.process.terminate()
        return self._reap(timeout)

    def kill(self) -> None:
        """End the service without warning."""
        assert self.process is not None
        self.process.kill()
        self._reap(20)

    def _reap(self, timeout: float) -> int:
        assert self.process is not None
        code = self.process.wait(timeout)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return code

    def close(self) -> None:
        """Leave nothing behind."""
        self.http.close()
        if self.process is not None:
            self.kill()

    def write(self, document: dict[str, Any], name: str = "innerloop.toml") -> Path:
        """Write a project file."""
        path = self.directory / name
        path.write_text(toml(document))
        return path

    def cli(self, *words: str, stdin: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            [*COMMAND, *words],
            input=stdin,
            capture_output=True,
            text=True,
            env={**self.environment, **(env or {})},
            timeout=60,
            check=False,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """Run a command that must succeed, with --json."""
        done = self.cli(*words, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def ask_text(self, *words: str) -> str:
        """Run a command that must succeed."""
        done = self.cli(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, document: dict[str, Any], *words: str) -> dict[str, Any]:
        """Apply a project file."""
        return self.ask("projects", "apply", str(self.write(document)), *words)

    def post(self, path: str, body: Any, key: str | None = KEY, headers: dict[str, str] | None = None) -> httpx2.Response:
        """Send a body: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = (key, "") if key is not None else None
        return self.http.post(self.url + path, content=content, headers={"Content-Type": "application/json", **(headers or {})}, auth=auth)

    def send(
        self, *events: Event, plan: str | None = None, key: str = KEY, sent_at: str | None = None, owners: "Sequence[Owner]" = ()
    ) -> None:
        """Deliver a batch that must be acknowledged, with the hashes of its owners' erasure secrets."""
        body: dict[str, Any] = {"batch": list(events), "sentAt": sent_at or datetime.now(UTC).isoformat()}
        if plan is not None:
            body["context"] = {"plan": plan}
        if owners:
            body.setdefault("context", {})["erasure"] = dict(owner.registration for owner in owners)
        response = self.post("/v1/batch", body, key)
        assert (response.status_code, response.json()) == (200, {"success": True}), response.text

    def forget(self, *owners: Owner, key: str = KEY) -> dict[str, Any]:
        """Erase installations; the request must be answered, if need be after it was told to come back."""
        deadline = time.monotonic() + 60
        response = self.post("/v1/forget", {"ids": [owner.claim for owner in owners]}, key)
        while response.status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
            response = self.post("/v1/forget", {"ids": [owner.claim for owner in owners]}, key)
        assert 200 == response.status_code, response.text
        answer: dict[str, Any] = response.json()
        return answer

    @property
    def stored(self) -> int:
        """How many events are stored."""
        return int(self.check()["events"])

    @property
    def waiting(self) -> int:
        """How many events are in quarantine."""
        return int(self.check()["quarantined"])

    def operate(self, operation: str, **arguments: Any) -> httpx2.Response:
        """What the running service answers to an operation, without a process for the question."""
        token = (self.data / "admin-token").read_text().strip()
        call = {"operation": operation, "arguments": arguments}
        return self.http.post(self.url + "/admin/v1/call", json=call, headers={"Authorization": f"Bearer {token}"})

    def _look(self, operation: str, *words: str) -> dict[str, Any]:
        """What an operation answers: the running service, or else its command, be the collector well or not."""
        runs = self.process is not None and self.process.poll() is None
        answer: dict[str, Any] = self.operate(operation).json() if runs else json.loads(self.cli(*words, "--json").stdout)
        return answer

    def check(self) -> dict[str, Any]:
        """What `check` says, be the collector well or not."""
        return self._look("check", "check")

    def reasons(self) -> dict[str, int]:
        """What is in quarantine, by reason and fields."""
        rows = self._look("quarantine.list", "quarantine", "list")["quarantine"]
        return {": ".join([row["reason"], *row["fields"]]): row["events"] for row in rows}

    def rows(self, sql: str) -> list[list[Any]]:
        """Look into the store of a stopped collector."""
        return self.rows_of(sql)[0]

    def every_row(self) -> str:
        """Every row of every table of a stopped collector, as text."""
        names = [name for (name,) in self.rows("SELECT name FROM system.tables WHERE database = currentDatabase()")]
        found = self.rows_of(*(f"SELECT * FROM `{name}`" for name in names))
        return str(dict(zip(names, found, strict=True)))

    def rows_of(self, *queries: str) -> list[list[list[Any]]]:
        """Look into the store of a stopped collector, several times."""
        script = (
            "import sys, json, pathlib\n"
            "from innerloop_collector.config.paths import prepare\n"
            "from innerloop_collector.composition.collector import Collector\n"
            "opened = Collector(prepare(pathlib.Path(sys.argv[1]))); opened.open()\n"
            "found = [[list(row) for row in opened.store.engine.query(sql)] for sql in sys.argv[2:]]\n"
            "print(json.dumps(found, default=str)); opened.close()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(self.data), *queries],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
            check=True,
        )
        found: list[list[list[Any]]] = json.loads(done.stdout.splitlines()[-1])  # before it stands what was mended at the opening
        return found

    def bytes_on_disk(self) -> bytes:
        """Everything in every file of the data directory."""
        return b"\0".join(path.read_bytes() for path in sorted(self.data.rglob("*")) if path.is_file())


def fill(path: Path) -> None:
    """Write a file until its file system is full, to the last block."""
    with path.open("wb") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), b"\0" * 65536)
    with path.open("ab") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), b"\0" * 512)


class Load:
    """Sends numbered events from a few threads until it is stopped, and remembers which were acknowledged."""

    def __init__(self, collector: Collector, threads: int = 3, events: int = 20) -> None:
        self.sent: list[Event] = []
        self.acknowledged: list[Event] = []
        self._collector = collector
        self._events = events
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        url = self._collector.url + "/v1/batch"
        with httpx2.Client(trust_env=False, timeout=30, auth=(KEY, "")) as client:
            while not self._stop.is_set():
                batch = [run_event(ago=timedelta(days=random.choice((0, 0, 40)))) for _ in range(self._events)]
                with self._guard:
                    self.sent += batch
                try:
                    response = client.post(url, json={"batch": batch})
                except httpx2.HTTPError:
                    time.sleep(0.02)
                    continue
                if response.status_code == 200:
                    with self._guard:
                        self.acknowledged += batch
