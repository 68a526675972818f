# ruff: noqa: PLC0415 - a child process opens the engine; this one must not, because it starts others
"""Measure durable ingest against a bare loop that makes the same look-ups and inserts on the same store.

    python benchmarks/ingest.py [--rows 1000000] [--events 60000] [--connections 32] [--rounds 2]

Both sides run in this one invocation, by turns, on copies of the same store; the best round of each counts. The bare loop is given rows that
are decoded already; the service gets HTTP requests of 100 events from one load generator, a process of its own. The last run paces the
load at half of what the service managed and states how long acknowledgements took. Linux. Ratios are what counts, not the absolute
figures; on a busy machine that of processor time is the steadier one.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

KEY = "bench.0123456789abcdefghijklmn"
PROJECT = f"""[project]
id = "bench"
organisation = "Benchmark"
endpoint = "http://127.0.0.1:8080"
write_key = "{KEY}"
[names]
allow = ["test", "build", "lint"]
"""
BATCH = 100
SEEDED_AT_ONCE = 1_000_000
COMMITTED = 1_300  # rows that a commit of the service holds under this load, about
# One key sends everything here, and each batch brings new ids.
UNLIMITED = {"INNERLOOP_COLLECTOR_LIMITS_EVENTS_PER_SECOND": "0", "INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY": "0"}


def event() -> dict[str, Any]:
    """One run, as the client sends it."""
    start = (datetime.now(UTC) - timedelta(hours=uuid.uuid4().int % 500)).replace(minute=0, second=0, microsecond=0).isoformat()
    return {
        "type": "track", "event": "innerloop.run", "userId": str(uuid.uuid4()), "messageId": str(uuid.uuid4()), "timestamp": start,
        "properties": {
            "command": "test", "command_type": "make", "duration_ms": 1230, "exit_status": 0, "start_time": start, "attempt": "1",
            "checkout_age": "<1d", "git_checked_out_master": True, "is_test": "no", "os": "linux", "arch": "x86_64", "actor": "human",
            "suspended": False, "in_container": False, "client": "0.1",
        },
    }  # fmt: skip


def prepare_store(data: Path, rows: int) -> None:
    """Fill a store with rows, as if they had been received over the last months."""
    from innerloop_collector.composition.areas import operations
    from innerloop_collector.composition.collector import Collector
    from innerloop_collector.config.paths import prepare

    opened = Collector(prepare(data))
    opened.open()
    operations(opened).call("projects.apply", {"toml": PROJECT, "source": "benchmark", "with_key": True})
    for first in range(0, rows, SEEDED_AT_ONCE):  # a statement may take 60 seconds
        opened.store.engine.command(_seed(first, min(rows, first + SEEDED_AT_ONCE)))
    while opened.store.engine.query("SELECT count() FROM system.merges")[0][0]:
        time.sleep(0.5)  # whoever is measured later shall not pay for it
    opened.close()


def _seed(first: int, end: int) -> str:
    return f"""INSERT INTO events (project, message_key, installation, kind, plan, event_time, corrected_time, received_day, keep_until,
            command, command_type, duration_ms, exit_status, start_time, is_test, os, arch, actor)
        SELECT 'bench', reinterpretAsUInt128(MD5(toString(number))), number % 500 + 1, 'run', 'seeded', t, t, toDate(t), toDate(t) + 365,
            ['test', 'build', 'lint'][number % 3 + 1], 'make', number % 90000, number % 7 = 0, t, 'no', 'linux', 'x86_64', 'human'
        FROM (SELECT number, toDateTime64(toStartOfHour(now() - number % 15000000), 3, 'UTC') AS t FROM numbers({first}, {end - first}))"""


def bare_loop(data: Path, events: int, block: int) -> dict[str, float]:
    """Look up and insert decoded blocks, nothing else."""
    from innerloop_collector.composition.collector import Collector
    from innerloop_collector.config.paths import prepare
    from innerloop_collector.ingest import messages
    from innerloop_collector.pipeline.event_rows import event_row
    from innerloop_collector.pipeline.steps import run
    from innerloop_collector.store.events import MESSAGE_KEY

    opened = Collector(prepare(data))
    opened.open()
    shared = messages.envelope("bench", {}, opened.now(), None)
    rows = [event_row(run(messages.event_of(event(), shared, opened.store.hasher), opened.store.registry.catalogue)) for _ in range(events)]  # type: ignore[arg-type]
    blocks = [rows[first : first + block] for first in range(0, events, block)]
    opened.store.events.insert_events(
        [event_row(run(messages.event_of(event(), shared, opened.store.hasher), opened.store.registry.catalogue))]
    )  # type: ignore[arg-type]
    began, used = time.perf_counter(), time.process_time()
    for one in blocks:
        opened.store.events.known_events([row[MESSAGE_KEY] for row in one])
        opened.store.events.insert_events(one)
    taken, used = time.perf_counter() - began, time.process_time() - used
    opened.close()
    return {"events_per_second": events / taken, "cpu_ms_per_1000_events": used * 1e6 / events}


class Load:
    """Sends prepared requests over some connections and notes how long each answer took."""

    def __init__(self, port: int, requests: list[bytes], size: int, connections: int, rate: float | None) -> None:
        self._port = port
        self._connections = connections
        self._rate = rate
        self._requests = requests
        self._size = size
        self._taken: list[float] = []
        self._next = 0

    async def run(self) -> dict[str, Any]:
        """Send everything. `rate` is in requests per second; None sends as fast as answers come."""
        self._began = time.perf_counter()
        await asyncio.gather(*(self._work() for _ in range(self._connections)))
        seconds = time.perf_counter() - self._began
        ranked = sorted(self._taken)
        return {
            "events_per_second": len(ranked) * self._size / seconds,
            "p50_ms": statistics.median(ranked) * 1000,
            "p99_ms": ranked[int(len(ranked) * 0.99)] * 1000,
        }

    async def _work(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while self._next < len(self._requests):
            number = self._next
            self._next += 1
            due = self._began + number / self._rate if self._rate else time.perf_counter()
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            writer.write(self._requests[number])
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            assert head.startswith(b"HTTP/1.1 200"), head
            self._taken.append(time.perf_counter() - due)  # from when it was due: a service that stalls cannot hide it
        writer.close()


def request(events: list[dict[str, Any]]) -> bytes:
    """A whole HTTP request with a batch."""
    body = json.dumps({"batch": events, "sentAt": datetime.now(UTC).isoformat()}).encode()
    key = b64encode(f"{KEY}:".encode()).decode()
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Service:
    """The service on a store, in a process of its own; as a context, it is stopped at the end."""

    def __init__(self, data: Path) -> None:
        words = [sys.executable, "-m", "innerloop_collector.cli", "serve", "--port", "0", "--data", str(data)]
        self._process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **UNLIMITED}
        )
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().strip().rpartition(":")[2]
        child(__file__, "load", self.port, str(BATCH * 20), "4", "0")  # the first insert of a process is slow; it is not what is measured

    @property
    def cpu(self) -> float:
        """Seconds of processor time that the process has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measure(self, script: str, *words: str, events: int) -> dict[str, Any]:
        """Have a child process load the service, and add what that cost."""
        before = self.cpu
        found: dict[str, Any] = child(script, *words)
        found["cpu_ms_per_1000_events"] = (self.cpu - before) * 1e6 / events
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)


def service(data: Path, events: int, connections: int, rate: float | None = None) -> dict[str, Any]:
    """Start the service on a store, load it from another process, and stop it."""
    with Service(data) as served:
        return served.measure(__file__, "load", served.port, str(events), str(connections), str(rate or 0), events=events)


def child(script: str, *words: str) -> Any:
    """What a script prints when it is run with these words."""
    done = subprocess.run([sys.executable, script, *words], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _part(words: list[str]) -> None:
    """What a child process does: each opens the engine, or loads the service, alone."""
    kind, *rest = words
    if kind == "prepare":
        prepare_store(Path(rest[0]), int(rest[1]))
        print("{}")
    elif kind == "bare":
        print(json.dumps(bare_loop(Path(rest[0]), int(rest[1]), int(rest[2]))))
    else:
        port, events, connections, rate = rest
        requests = [request([event() for _ in range(BATCH)]) for _ in range(int(events) // BATCH)]
        print(json.dumps(asyncio.run(Load(int(port), requests, BATCH, int(connections), float(rate) or None).run())))


def main() -> None:
    """Measure both sides and print ratios."""
    if sys.argv[1:2] and sys.argv[1] in ("prepare", "bare", "load"):
        _part(sys.argv[1:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows that are in the store already")
    parser.add_argument("--events", type=int, default=60_000, help="events to send")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="innerloop-benchmark-") as directory:
        _measure(Path(directory), options)


def _measure(directory: Path, options: argparse.Namespace) -> None:
    seeded = directory / "seeded"
    child(__file__, "prepare", str(seeded), str(options.rows))

    def copy() -> Path:
        place = directory / "copy"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(seeded, place, symlinks=True)
        return place

    blocks = (BATCH, COMMITTED, BATCH * options.connections)
    full: list[dict[str, Any]] = []
    bare: dict[int, list[dict[str, Any]]] = {block: [] for block in blocks}
    for _ in range(options.rounds):
        full.append(service(copy(), options.events, options.connections))
        for block in blocks:
            bare[block].append(child(__file__, "bare", str(copy()), str(options.events), str(block)))
    best = max(full, key=_speed)
    half = service(copy(), options.events // 2, options.connections, best["events_per_second"] / BATCH / 2)
    print(
        f"store: {options.rows:,} rows; batches of {BATCH}, {options.connections} connections; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for title, found in (("service", best), ("service, half load", half)):
        print(
            f"{title:18} {found['events_per_second']:9,.0f} events/s  p50 {found['p50_ms']:.0f} ms  p99 {found['p99_ms']:.0f} ms"
            f"  cpu {found['cpu_ms_per_1000_events']:.0f} ms per 1,000 events"
        )
    least = min(found["cpu_ms_per_1000_events"] for found in full)
    for block, rounds in bare.items():
        speed, cpu = max(map(_speed, rounds)), min(found["cpu_ms_per_1000_events"] for found in rounds)
        print(
            f"bare loop of {block:5} {speed:9,.0f} events/s  cpu {cpu:.0f} ms per 1,000 events;"
            f" the service reaches {best['events_per_second'] / speed:.0%} of its speed, and of all processor time {cpu / least:.0%} is its"
        )
    print(f"peak memory of children: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def _speed(found: dict[str, Any]) -> float:
    return float(found["events_per_second"])


if __name__ == "__main__":
    main()
