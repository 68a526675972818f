"""A merge that could not write all of its part loses nothing: the engine says nothing of it, and removes what was merged a minute later."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.collector.support import Collector, run_event
from tests.pairs import pairs, some

SCRIPT = Path(__file__).with_name("merge_on_a_failing_disk.py")
FILES = ["count.txt", "checksums.txt", "columns.txt", "primary.cidx", "data.cmrk4", "ids.proj/data.cmrk4", "ids.proj/checksums.txt"]
BATCHES = 4


def after(collector: Collector, *words: str) -> dict[str, Any]:
    """Send some batches, stop, and have them merged or one of them erased."""
    for number in range(BATCHES):
        collector.send(*(run_event(message=f"{number}-{event}") for event in range(10)))
    assert 0 == collector.stop()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(collector.data), *words],
        capture_output=True,
        text=True,
        env=collector.environment,
        timeout=100,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.mark.parametrize("file", some(FILES, "count.txt", "ids.proj/checksums.txt"))
def test_what_was_merged_is_there_although_the_merged_part_is_broken(collector: Collector, file: str) -> None:
    assert {"said": [True, True], "events": BATCHES * 10, "known": BATCHES * 10} == after(collector, file)

    assert BATCHES * 10 == collector.start().stored
    collector.send(run_event(message="0-0"))
    assert BATCHES * 10 == collector.stored, "a stored event is not recognised"


@pytest.mark.parametrize(("file", "look"), pairs(["count.txt", "ids.proj/data.cmrk4"], ["look_after_parts", "has_broken_parts"]))
def test_an_erasure_whose_parts_are_broken_is_not_done_and_takes_nothing_of_anybody_else(
    collector: Collector, file: str, look: str
) -> None:
    said = after(collector, file, look)

    assert "erased" != said["said"]
    assert said["events"] == said["known"] == BATCHES * 10 - 1
    assert BATCHES * 10 - 1 == collector.start().stored


def test_where_replaced_parts_went_at_once_they_stay_again_after_a_start(collector: Collector) -> None:
    collector.stop()
    collector.rows("ALTER TABLE events MODIFY SETTING old_parts_lifetime = 0")

    [[definition]] = collector.rows("SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'events'")
    assert "old_parts_lifetime = 60" in definition
    assert "max_suspicious_broken_parts_bytes = 9223372036854775807" in definition, "else a large part that is not whole closes the store"
