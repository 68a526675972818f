"""Make backups, lose what was backed up, and put it back, with the commands that its users have."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyarrow import parquet

from innerloop_collector.store.keyed_hash import Hasher
from tests.collector.support import PROJECT, Collector, Event, run_event


def filled(collector: Collector) -> list[Event]:
    """A collector with events of three months, some that wait, two projects, and a report that has figures."""
    collector.start_with()
    collector.apply(PROJECT, "--min-active-weeks", "1")
    events = [run_event(f"user {number}", ago=timedelta(days=days)) for number in range(7) for days in (0, 35, 70)]
    collector.send(*events, run_event(command="waits"))
    return events


def backed_up(collector: Collector, name: str = "backup", *words: str) -> Path:
    directory = collector.directory / name
    done = collector.cli("backup", str(directory), *words)
    assert 0 == done.returncode, done.stderr
    return directory


def restore(collector: Collector, directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return collector.cli("restore", str(directory), *words, "--json")


def restored(collector: Collector, directory: Path, *words: str) -> dict[str, Any]:
    done = restore(collector, directory, *words)
    assert 0 == done.returncode, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def lose(collector: Collector) -> None:
    collector.stop()
    shutil.rmtree(collector.data)


def holds(directory: Path, secret: bytes, *users: str) -> set[str]:
    """Which users' rows are in the files of a backup, looked for as hashes in the decoded columns, since Parquet packs them."""
    hasher = Hasher(secret)
    wanted = {hasher.installation("acme", user).to_bytes(16, "little"): user for user in users}
    found: set[str] = set()
    for path in directory.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found |= {user for trace, user in wanted.items() if trace in content}
        if path.suffix == ".parquet" and "installation" in parquet.read_schema(path).names:
            held = set(parquet.read_table(path, columns=["installation"]).column(0).to_pylist())
            found |= {user for trace, user in wanted.items() if trace in held}
    return found
