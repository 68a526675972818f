# ruff: noqa: PLC0415 - a child process opens the engine; this one must not, because it starts others
"""Measure what publishing costs: a week's release of all projects, a block's, and reading what was published.

    python benchmarks/releases.py [--rows 1000000] [--projects 8] [--people 40]

The store is filled by INSERT ... SELECT of numbers with a fixed seed: a year of runs, each with four of its targets, of so many developers in each
project, whose commands, targets, machines and pace are a hash of who they are. The block before the last published week was published from it, so that
the week has the cells that a larger team sees by the week. Then the last week is published: alone, and on a copy by a service that takes events meanwhile.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest import PROJECT, SEEDED_AT_ONCE, Service, child

WEEKS = 52
COMMANDS = ("test", "build", "lint", "docs", "package", "deploy", "format", "check", "bench", "migrate")
TARGETS_PER_RUN = 4
TARGETS = 40
SECONDS, READ_MS = 20, 100  # the budgets; and half of ingest's speed meanwhile
LOAD = 6_000  # events at once
_NAMES = json.dumps([*COMMANDS, *(f"lib{number}" for number in range(TARGETS))])


def project_file(number: int) -> str:
    """A project; the first is that of the load."""
    text = PROJECT.replace('["test", "build", "lint"]', _NAMES)
    return text if not number else text.replace('"bench"', f'"bench{number}"').replace("bench.0", f"bench{number}.0")


def name(number: int) -> str:
    """Its id."""
    return f"bench{number}" if number else "bench"


def opened(data: Path, today: date | None = None) -> Any:
    """A collector whose clock stands on a day, or goes."""
    from innerloop_collector.composition.collector import Collector, utc_now
    from innerloop_collector.config.paths import prepare

    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC) if today else None
    found = Collector(prepare(data), now=lambda: noon or utc_now())
    found.open()
    return found


def last_week() -> tuple[Any, date]:
    """The last week that is due today, and the first day of the block before its own."""
    from innerloop_collector.query.releases.calendar import block_of, closed

    today = datetime.now(UTC).date()
    (*_, week) = (unit for unit in closed(today - timedelta(weeks=4), today) if not unit.is_block)
    return week, block_of(block_of(week.first).first - timedelta(days=1)).first


def fill(data: Path, rows: int, projects: int, people: int) -> dict[str, Any]:
    """Fill a store, and publish what is due but for the last week."""
    from innerloop_collector.composition.areas import operations
    from innerloop_collector.query.releases.calendar import week
    from innerloop_collector.query.releases.document import VERSION, Release

    last, first = last_week()
    collector = opened(data, last.due - timedelta(days=1))
    for number in range(projects):
        operations(collector).call("projects.apply", {"toml": project_file(number), "source": "benchmark", "with_key": True})
    for begin in range(0, rows, SEEDED_AT_ONCE):  # a statement may take 60 seconds
        collector.store.engine.command(_rows(begin, min(rows, begin + SEEDED_AT_ONCE), projects, people, last.end))
    while collector.store.engine.query("SELECT count() FROM system.merges")[0][0]:
        time.sleep(0.5)  # whoever is measured later shall not pay for it
    collector.close()
    collector = opened(data, last.due - timedelta(days=1))  # it numbers on from what is there
    monday = first - timedelta(weeks=1)
    for number in range(projects):  # what was before is not measured, and so not computed
        blank = Release(VERSION, name(number), week(monday).name, monday, 0, 5, 3, ())
        collector.publisher._archive.add(blank)  # noqa: SLF001 - nobody else publishes what was not computed
    took, done = _took(lambda: collector.publisher.publish(last.due - timedelta(days=1)))
    assert not collector.publisher.failed, collector.publisher.failed
    collector.close()
    return {"published": len(done), **took}


def _rows(begin: int, end: int, projects: int, people: int, until: date) -> str:
    """Rows by their numbers: a run, and then its targets."""
    commands, size = list(COMMANDS), 1 + TARGETS_PER_RUN
    return f"""INSERT INTO events (project, message_key, installation, kind, plan, event_time, corrected_time, received_day, keep_until,
            command, target, command_type, duration_ms, exit_status, start_time, is_test, os, arch, client, actor, suspended, position)
        WITH intDiv(number, {size}) AS run, number % {size} AS part, run % {projects} AS at,
            toUInt64(pow(cityHash64(run, 1) % 10000 / 10000, 1.6) * {people}) AS person, cityHash64(at, person) AS who,
            toDate('{until}') - 1 - toUInt32(cityHash64(run, 2) % {7 * WEEKS}) AS day,
            toDateTime64(day, 3, 'UTC') + toIntervalHour(cityHash64(run, 3) % 24) AS t,
            toUInt64(pow(cityHash64(run, who, 4) % 10000 / 10000, 2) * {len(commands)}) AS command_number
        SELECT if(at = 0, 'bench', concat('bench', toString(at))), reinterpretAsUInt128(MD5(toString(number))), who, if(part = 0, 'run', 'target'),
            'seeded', t, t, day, toDate('2100-01-01'), {commands}[command_number + 1],
            if(part = 0, '', concat('lib', toString((command_number * 7 + part * (1 + cityHash64(run, 5) % 3)) % {TARGETS}))), 'make',
            toUInt64(exp(5 + 8 * (cityHash64(number, 6) % 10000 / 10000) * (1 + who % 3 / 10))), if(cityHash64(number, 7) % 8 = 0, 1, 0), t, 'no',
            if(who % 3 = 0, 'macos', 'linux'), if(who % 2 = 0, 'arm64', 'x86_64'), if(who % 5 = 0, '0.1', '0.2'), 'human', false, number + 1
        FROM numbers({begin}, {end - begin})"""


def publish(data: Path) -> dict[str, Any]:
    """Publish the last week of every project, and its block, as if that were over; then read, as after a start and as later."""
    from innerloop_collector.query import Archive, Figures
    from innerloop_collector.query.releases.calendar import block_of, unit_named

    last, _ = last_week()
    over = block_of(last.first).due
    units: dict[bool, list[dict[str, float]]] = {False: [], True: []}  # weeks, and blocks
    for today in sorted({last.due, over}):
        collector = opened(data, today)
        for name, took in _published(collector, today):
            units[unit_named(name).is_block].append(took)
        collector.close()
    collector = opened(data, over)
    _older(collector)
    collector.close()
    collector = opened(data, over)
    store = collector.store
    reads: dict[str, Callable[[Figures], object]] = {
        "a report": lambda figures: figures.of_team("bench"),
        "a year's report": lambda figures: figures.of_team("bench", str(last.first.year)),
        "all projects": lambda figures: figures.of_all(None),
        "trends": lambda figures: figures.trend("bench"),
        "trends of a command": lambda figures: figures.trend("bench", "command", "test"),
        "the list of releases": lambda figures: figures.releases("bench"),
    }
    times = {}
    for what, read in reads.items():
        figures = Figures(
            store.engine, store.registry, Archive(store.releases), collector.now, immediate=False
        )  # that has read nothing yet
        first, *later = [_took(lambda read=read, figures=figures: read(figures))[0] for _ in range(6)]
        times[what] = first, min(later, key=lambda took: took["cpu"])
    atoms = [len(json.loads(one.document)["atoms"]) for one in store.releases.read("bench", [last.name])]
    collector.close()
    return {"weeks": units[False], "blocks": units[True], "reads": times, "cells": statistics.fmean(atoms)}


def _published(collector: Any, today: date) -> Iterator[tuple[str, dict[str, float]]]:
    """Publish what is due, unit by unit, with what each took."""
    for project, _ in collector.figures.projects():
        due = collector.publisher._publish(project, today)  # noqa: SLF001 - as above: all at once, nobody knows what a week takes
        while (made := _took(lambda due=due: next(due, None)))[1]:
            yield made[1], made[0]


def _older(collector: Any) -> None:
    """A year of releases, which are those that were made, over and over."""
    from msgspec.structs import replace

    from innerloop_collector.query.releases.calendar import block_of, unit_named, week

    archive = collector.publisher._archive  # noqa: SLF001 - as above
    for project in {one for one, _ in collector.figures.projects()}:
        there = archive.read(project, archive.units(project))
        block, weekly = (
            max((one for one in there.values() if unit_named(one.unit).is_block == kind), key=lambda one: len(one.atoms))
            for kind in (True, False)
        )
        monday = min(unit_named(one.unit).first for one in there.values()) - timedelta(weeks=1)
        for _ in range(WEEKS):
            units = [week(monday), *([block_of(monday)] if block_of(monday).weeks[-1] == monday else [])]
            for unit in units:
                archive.add(replace(block if unit.is_block else weekly, unit=unit.name))
            monday -= timedelta(weeks=1)


def _took(what: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """How long something takes, and how much of the processor, the engine's threads among it."""
    began, used = time.perf_counter(), time.process_time()
    found = what()
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}, found


def main() -> None:
    """Measure, and say what is within its budget."""
    if sys.argv[1:2] == ["fill"]:
        print(json.dumps(fill(Path(sys.argv[2]), *map(int, sys.argv[3:]))))
        return
    if sys.argv[1:2] == ["due"]:
        collector = opened(Path(sys.argv[2]))
        print(json.dumps(len(collector.publisher.due(collector.now().date()))))
        collector.close()
        return
    if sys.argv[1:2] == ["publish"]:
        print(json.dumps(publish(Path(sys.argv[2]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--projects", type=int, default=8)
    parser.add_argument("--people", type=int, default=40, help="in each project")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="innerloop-benchmark-") as directory:
        _measure(Path(directory), options)


def _measure(directory: Path, options: argparse.Namespace) -> None:
    seeded = directory / "seeded"
    before = child(__file__, "fill", str(seeded), str(options.rows), str(options.projects), str(options.people))
    shutil.copytree(seeded, directory / "served", symlinks=True)
    units, meanwhile, alone = _ingest(directory / "served")
    found = child(__file__, "publish", str(seeded))
    print(f"{options.rows:,} rows, {options.projects} projects of {options.people}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{before['published']} units before: {before['seconds']:.1f} s, {before['cpu']:.1f} s of processor")
    weeks, blocks = ({kind: sum(one[kind] for one in found[units]) for kind in ("seconds", "cpu")} for units in ("weeks", "blocks"))
    both = weeks["seconds"] + blocks["seconds"]
    print(
        f"week of all projects ({len(found['weeks'])} units, {found['cells']:.0f} cells each): {weeks['seconds']:.1f} s, {weeks['cpu']:.1f} s of processor  {_verdict(weeks['seconds'] <= SECONDS)}"
    )
    print(
        f"with its block ({len(found['blocks'])} units more): {both:.1f} s, {weeks['cpu'] + blocks['cpu']:.1f} s of processor  {_verdict(both <= SECONDS)}"
    )
    print(
        f"ingest while a service publishes {units} units: {meanwhile:,.0f} events/s, then {alone:,.0f}: {meanwhile / alone:.0%}  {_verdict(2 * meanwhile >= alone)}"
    )
    for what, (first, later) in found["reads"].items():
        print(
            f"read {what}: {1000 * first['seconds']:.0f} ms after a start, then {1000 * later['seconds']:.0f} ms ({1000 * later['cpu']:.0f} ms of processor)  "
            f"{_verdict(1000 * max(first['seconds'], later['seconds']) <= READ_MS)}"
        )


def _ingest(data: Path) -> tuple[int, float, float]:
    """How many units a service publishes after its start, and how many events a second it takes meanwhile and afterwards."""
    script, log = str(Path(__file__).with_name("ingest.py")), data / "releases.log"
    due, there = child(__file__, "due", str(data)), len(log.read_bytes().splitlines())
    with Service(data) as served:
        meanwhile = []
        while (made := len(log.read_bytes().splitlines()) - there) < due:
            meanwhile.append(child(script, "load", served.port, str(LOAD), "32", "0")["events_per_second"])
        alone = [child(script, "load", served.port, str(LOAD), "32", "0")["events_per_second"] for _ in range(len(meanwhile) + 3)]
    return made, statistics.fmean(meanwhile), statistics.fmean(alone)


def _verdict(met: bool) -> str:
    return "PASS" if met else "MISSED"


if __name__ == "__main__":
    main()
