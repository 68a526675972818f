# ruff: noqa: PLC0415 - a child process opens the engine; this one must not, because it starts others
"""Measure durable ingest against a bare loop that makes the same look-ups and inserts on the same store.

    python benchmarks/ingest.py [--rows 1000000] [--events 60000] [--connections 16]

Both sides run in this one invocation, one after the other, on copies of the same store. The bare loop is given rows that are decoded
already; the service gets HTTP requests of 100 events from one load generator, a process of its own. The last run paces the load at half
of what the service managed and states how long acknowledgements took. Linux; ratios are what counts, not the absolute figures.
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
from typing import Any

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
    from innerloop_collector.core import Core
    from innerloop_collector.operations import Operations
    from innerloop_collector.settings import prepare

    core = Core(prepare(data))
    core.open()
    Operations(core).call("projects.apply", {"toml": PROJECT, "source": "benchmark", "with_key": True})
    core.engine.command(
        f"""INSERT INTO events (project, message_key, installation, kind, plan, event_time, corrected_time, received_day, keep_until,
            command, command_type, duration_ms, exit_status, start_time, is_test, os, arch, actor)
        SELECT 'bench', reinterpretAsUInt128(MD5(toString(number))), number % 500 + 1, 'run', 'seeded', t, t, toDate(t), toDate(t) + 365,
            ['test', 'build', 'lint'][number % 3 + 1], 'make', number % 90000, number % 7 = 0, t, 'no', 'linux', 'x86_64', 'human'
        FROM (SELECT number, toDateTime64(toStartOfHour(now() - number % 15000000), 3, 'UTC') AS t FROM numbers({rows}))"""
    )
    core.close()


def bare_loop(data: Path, events: int, block: int) -> float:
    """Look up and insert decoded blocks, nothing else. Returns events per second."""
    from innerloop_collector.core import Core
    from innerloop_collector.ingest import messages
    from innerloop_collector.pipeline.rows import event_row
    from innerloop_collector.pipeline.steps import run
    from innerloop_collector.settings import prepare
    from innerloop_collector.store.tables import MESSAGE_KEY

    core = Core(prepare(data))
    core.open()
    shared = messages.envelope("bench", {}, core.now())
    rows = [event_row(run(messages.event_of(event(), shared, core.hasher), core.registry.catalogue)) for _ in range(events)]  # type: ignore[arg-type]
    blocks = [rows[first : first + block] for first in range(0, events, block)]
    core.tables.insert_events([event_row(run(messages.event_of(event(), shared, core.hasher), core.registry.catalogue))])  # type: ignore[arg-type]
    began = time.perf_counter()
    for one in blocks:
        core.tables.known_events([row[MESSAGE_KEY] for row in one])
        core.tables.insert_events(one)
    taken = time.perf_counter() - began
    core.close()
    return events / taken


class Load:
    """Sends prepared requests over some connections and notes how long each answer took."""

    def __init__(self, port: int, events: int, connections: int, rate: float | None) -> None:
        self._port = port
        self._connections = connections
        self._rate = rate
        self._requests = [_request([event() for _ in range(BATCH)]) for _ in range(events // BATCH)]
        self._taken: list[float] = []
        self._next = 0

    async def run(self) -> dict[str, Any]:
        """Send everything. `rate` is in requests per second; None sends as fast as answers come."""
        self._began = time.perf_counter()
        await asyncio.gather(*(self._work() for _ in range(self._connections)))
        seconds = time.perf_counter() - self._began
        ranked = sorted(self._taken)
        return {
            "events_per_second": len(ranked) * BATCH / seconds,
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


def _request(events: list[dict[str, Any]]) -> bytes:
    body = json.dumps({"batch": events, "sentAt": datetime.now(UTC).isoformat()}).encode()
    key = b64encode(f"{KEY}:".encode()).decode()
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def service(data: Path, events: int, connections: int, rate: float | None = None) -> dict[str, Any]:
    """Start the service on a store, load it from another process, and stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "innerloop_collector.cli", "serve", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **UNLIMITED},
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip().rpartition(":")[2]
        _child("load", port, str(BATCH * 20), "4", "0")  # the first insert of a process is slow; it is not what is measured
        before = _cpu(process.pid)
        found: dict[str, Any] = _child("load", port, str(events), str(connections), str(rate or 0))
        found["cpu_ms_per_1000_events"] = (_cpu(process.pid) - before) * 1000 / (events / 1000)
        return found
    finally:
        process.terminate()
        process.wait(60)


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _child(*words: str) -> Any:
    done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
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
        print(json.dumps(asyncio.run(Load(int(port), int(events), int(connections), float(rate) or None).run())))


def main() -> None:
    """Measure both sides and print ratios."""
    if sys.argv[1:2] and sys.argv[1] in ("prepare", "bare", "load"):
        _part(sys.argv[1:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows that are in the store already")
    parser.add_argument("--events", type=int, default=60_000, help="events to send")
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="innerloop-benchmark-") as directory:
        _measure(Path(directory), options)


def _measure(directory: Path, options: argparse.Namespace) -> None:
    seeded = directory / "seeded"
    _child("prepare", str(seeded), str(options.rows))

    def copy() -> Path:
        place = directory / "copy"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(seeded, place, symlinks=True)
        return place

    full = service(copy(), options.events, options.connections)
    bare = {block: _child("bare", str(copy()), str(options.events), str(block)) for block in (BATCH, BATCH * options.connections, 5_000)}
    half = service(copy(), options.events // 2, options.connections, full["events_per_second"] / BATCH / 2)
    print(
        f"store: {options.rows:,} rows; batches of {BATCH}, {options.connections} connections, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"service            {full['events_per_second']:9,.0f} events/s  p50 {full['p50_ms']:.0f} ms  p99 {full['p99_ms']:.0f} ms", end=""
    )
    print(f"  cpu {full['cpu_ms_per_1000_events']:.0f} ms per 1,000 events")
    print(f"service, half load {half['events_per_second']:9,.0f} events/s  p50 {half['p50_ms']:.0f} ms  p99 {half['p99_ms']:.0f} ms")
    for block, speed in bare.items():
        print(f"bare loop of {block:5} {speed:9,.0f} events/s  the service reaches {full['events_per_second'] / speed:.0%} of it")
    print(f"peak memory of children: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
