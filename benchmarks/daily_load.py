# ruff: noqa: PLC0415 - a child process opens the engine; this one must not, because it starts others
"""What a day of 1,000, 10,000 and 100,000 developers costs one collector on one machine.

    python benchmarks/daily_load.py [--rows 1000000] [--seconds 20] [--json]

The model: a developer runs 30 measured commands a day within 8 working hours; a run brings its own event and those of 8 targets; in
the busiest hour there are 3 times as many as on average, and that hour is what is measured. A delivery comes 10 to 60 minutes after the runs
and takes what waits, about 18 events. All developers share this machine's one collector, whose store holds rows already.

Each load is paced and open: a request is due at its time, whether or not earlier ones were answered, and its time to the acknowledgement
counts from then. The last line is as many as the service takes. What a load is of that, and bytes and cpu per event, say more about
another machine than milliseconds do.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from ingest import Load, Service, child, event, prepare_store, request

from innerloop.core.plan.granularity import three_digits

RUNS_PER_DAY = 30
TARGETS_PER_RUN = 8
WORKING_SECONDS = 8 * 3600
PEAK = 3
EVENTS_PER_DELIVERY = 18
WORKING_DAYS = 220
DEVELOPERS = (1_000, 10_000, 100_000)
CONNECTIONS = 64
PER_DAY = RUNS_PER_DAY * (1 + TARGETS_PER_RUN)


def peak_rate(developers: int) -> float:
    """Events a second in the busiest hour."""
    return developers * PER_DAY / WORKING_SECONDS * PEAK


def deliveries(events: int, developers: int) -> list[bytes]:
    """What so many developers send: whole runs with their targets, each delivery from one of them."""
    ids = [str(uuid.uuid4()) for _ in range(min(developers, 10_000))]
    found = []
    for _ in range(max(events // EVENTS_PER_DELIVERY, 1)):
        user = random.choice(ids)
        found.append(request([one for _ in range(EVENTS_PER_DELIVERY // (1 + TARGETS_PER_RUN)) for one in _run(user)]))
    return found


def _run(user: str) -> list[dict[str, Any]]:
    """A run and its targets."""
    run = event() | {"userId": user}
    properties = run["properties"] | {"duration_ms": three_digits(int(random.lognormvariate(9, 2))), "run": str(uuid.uuid4())}
    run["properties"] = properties | {"targets": TARGETS_PER_RUN, "targets_failed": 0}
    shared = {name: properties[name] for name in ("command", "start_time", "is_test", "actor", "client", "run")}
    targets = []
    for number in range(TARGETS_PER_RUN):
        own = {
            "target": random.choice(("test", "build", "lint")), "sequence": number + 1, "parent": 0, "exit_status": 0,
            "offset_ms": three_digits(int(random.lognormvariate(7, 2))), "duration_ms": three_digits(int(random.lognormvariate(7, 2))), "critical": number % 3 == 0,
        }  # fmt: skip
        targets.append({**run, "event": "innerloop.target", "messageId": str(uuid.uuid4()), "properties": shared | own})
    return [run, *targets]


def bytes_per_event(data: Path, seeded: int) -> float:
    """What an event of this load takes in the store once its parts are merged, with its index of message ids."""
    from innerloop_collector.composition.collector import Collector
    from innerloop_collector.config.paths import prepare

    opened = Collector(prepare(data))
    opened.open()
    opened.store.engine.command("ALTER TABLE events DELETE WHERE plan = 'seeded' SETTINGS mutations_sync = 2")
    opened.store.engine.command("OPTIMIZE TABLE events FINAL")
    size, rows = opened.store.engine.query("SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE table = 'events' AND active")[0]
    waiting = opened.store.events.counts()[1]
    opened.close()
    assert waiting == 0, f"{waiting} events broke the plan; {seeded} rows were seeded"
    return float(size / rows)


def _part(words: list[str]) -> None:
    kind, *rest = words
    if kind == "prepare":
        prepare_store(Path(rest[0]), int(rest[1]))
        print("{}")
    elif kind == "size":
        print(json.dumps(bytes_per_event(Path(rest[0]), int(rest[1]))))
    else:
        port, events, developers, rate = rest
        sent = deliveries(int(events), int(developers))
        load = Load(int(port), sent, EVENTS_PER_DELIVERY, CONNECTIONS, float(rate) / EVENTS_PER_DELIVERY or None)
        print(json.dumps(asyncio.run(load.run())))


def main() -> None:
    """Measure every load and print a table."""
    if sys.argv[1:2] and sys.argv[1] in ("prepare", "load", "size"):
        _part(sys.argv[1:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows that are in the store already")
    parser.add_argument("--seconds", type=float, default=20, help="how long each load lasts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="innerloop-benchmark-") as directory:
        answer = _measure(Path(directory), options)
    print(json.dumps(answer, indent=2)) if options.json else _show(answer)


def _measure(directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    seeded = directory / "seeded"
    child(__file__, "prepare", str(seeded), str(options.rows))
    loads = []
    for developers in DEVELOPERS:
        rate = peak_rate(developers)
        loads.append({"developers": developers, **_one(directory, seeded, developers, rate * options.seconds, rate)})
    most = _one(directory, seeded, DEVELOPERS[-1], 3_000 * options.seconds, 0)
    size = child(__file__, "size", str(directory / "copy"), str(options.rows))
    for load in loads:
        load["share_of_most"] = load["events_per_second"] / most["events_per_second"]
        load["gigabytes_per_year"] = load["developers"] * PER_DAY * WORKING_DAYS * size / 1e9
    machine = {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1), "rows": options.rows}
    return {"machine": machine, "loads": loads, "most": most, "bytes_per_event": size}


def _one(directory: Path, seeded: Path, developers: int, events: float, rate: float) -> dict[str, Any]:
    """Load a service on a fresh copy of the store. A rate of 0 is as fast as it answers."""
    place = directory / "copy"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(seeded, place, symlinks=True)
    count = max(int(events), 10 * EVENTS_PER_DELIVERY)
    with Service(place) as served:
        return served.measure(__file__, "load", served.port, str(count), str(developers), str(rate), events=count)


def _show(answer: dict[str, Any]) -> None:
    machine = answer["machine"]
    print(f"{PER_DAY} events per developer and day, busiest hour {PEAK} times the average, {EVENTS_PER_DELIVERY} events per delivery")
    print(f"{machine['cores']} cores, load {machine['load_average']}, {machine['rows']:,} rows in the store")
    print("developers    events/s  of the most   p50 ms   p99 ms  cpu ms/1,000  cores busy  GB a year")
    for load in answer["loads"]:
        busy = load["cpu_ms_per_1000_events"] * load["events_per_second"] / 1e6
        print(
            f"{load['developers']:10,} {load['events_per_second']:11,.0f} {load['share_of_most']:12.0%} {load['p50_ms']:8.0f} {load['p99_ms']:8.0f}"
            f" {load['cpu_ms_per_1000_events']:13.0f} {busy:11.2f} {load['gigabytes_per_year']:10.1f}"
        )
    most = answer["most"]
    print(
        f"   as many {most['events_per_second']:11,.0f} {'':12} {most['p50_ms']:8.0f} {most['p99_ms']:8.0f} {most['cpu_ms_per_1000_events']:13.0f}"
    )
    print(f"{answer['bytes_per_event']:.0f} bytes per event in the store")


if __name__ == "__main__":
    main()
