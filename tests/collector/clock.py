"""Move the clock of a collector's processes: Debian's libfaketime. The engine's own clock stays; nothing of ours asks it for the time."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.collector.support import Collector
from tests.needs import need


def moved(collector: Collector, days: float) -> Collector:
    """Let whatever is started for a collector from now on live so many days later."""
    library = need("/usr/lib/*/faketime/libfaketime.so.1")
    # A monotonic clock that is faked as well makes timed waits last for ever.
    clock = {"LD_PRELOAD": library, "FAKETIME": f"{days * 86400:+.0f}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    collector.environment = {**collector.environment, **clock}
    return collector


def movable(collector: Collector) -> None:
    """Let the clock of whatever is started for a collector from now on be what `move` says, also while it runs."""
    library = need("/usr/lib/*/faketime/libfaketime.so.1")
    file = {"FAKETIME_TIMESTAMP_FILE": str(collector.directory / "faketime"), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    collector.environment = {**collector.environment, "LD_PRELOAD": library, **file}
    move(collector, 0)


def move(collector: Collector, days: float) -> None:
    """Let it be so many days later than it is."""
    new = collector.directory / "faketime.new"
    new.write_text(f"{days * 86400:+.0f}\n")
    new.replace(collector.directory / "faketime")


def counts(collector: Collector) -> tuple[int, int]:
    """How many events are stored and how many wait. `check` fails, as it should: its clock is not the disk's."""
    done = collector.cli("check", "--json")
    assert "by NTP" in done.stderr, done.stderr
    answer = json.loads(done.stdout)
    return answer["events"], answer["quarantined"]


def holding(collector: Collector, marker: bytes, where: Callable[[Path], bool] = lambda _: True) -> list[str]:
    """The files of the data directory that hold a marker."""
    files = [path for path in sorted(collector.data.rglob("*")) if path.is_file() and where(path)]
    return [str(path.relative_to(collector.data)) for path in files if marker in path.read_bytes()]


def wait_until(true: Callable[[], Any]) -> None:
    """Wait for what the service does by itself; a minute at most."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
