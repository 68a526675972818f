"""Merge, or erase, where one file of the new part cannot be written: `python merge_on_a_failing_disk.py DATA FILE [LOOK]`. A process of its own.

What the engine writes in such a case is put there afterwards: an empty file; in an erasure before LOOK, one of the engine's two looks at parts. Then all
that was replaced goes from the disk.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import prepare
from innerloop_collector.db.mutations import RowsToDelete
from innerloop_collector.errors import StoreError

_NEWEST = "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active AND rows > 0"


def main(data: Path, file: str, erasing: str) -> None:
    """Print what was said, and how many events there are and are recognised afterwards."""
    opened = Collector(prepare(data), load(None, os.environ))
    opened.open()
    opened.store.engine.insert("probes", {"day": "Date"}, [(opened.now().date(),)])
    looked = opened.store.engine.look_after_parts()
    assert not looked, "nothing is broken yet"
    said = _erase(opened, file, erasing) if erasing else _merge(opened, file)
    keys = [key for (key,) in opened.store.engine.query("SELECT message_key FROM events")]
    known = opened.store.events.known_events(keys)
    left = opened.lifecycle.purger.replaced_parts()
    opened.lifecycle.purger.keep_replaced_parts(0, "events")
    opened.lifecycle.purger.wait_while(lambda: opened.lifecycle.purger._remains(left))
    print(json.dumps({"said": said, "events": len(keys), "known": len(known)}))
    opened.close()


def _merge(opened: Collector, file: str) -> Any:
    """Twice: the second part has the name of the first."""
    said = []
    for _ in range(2):
        opened.store.engine.command("OPTIMIZE TABLE events FINAL")
        _empty(opened, file)
        said.append(opened.store.engine.look_after_parts())
    return said


def _erase(opened: Collector, file: str, when: str) -> Any:
    """Erase whose event is the first; the parts that are written without it are the ones that are broken."""
    [(installation,)] = opened.store.engine.query("SELECT installation FROM events ORDER BY event_time LIMIT 1")
    rows = [RowsToDelete("events", "installation = {one:UInt128}", {"one": installation})]
    looks = {name: getattr(opened.store.engine, name) for name in ("look_after_parts", "has_broken_parts")}
    opened.store.engine.look_after_parts = lambda: False  # type: ignore[method-assign]

    def broken(*tables: Any) -> bool:
        _empty(opened, file)
        found: bool = looks[when](*tables)
        return found

    setattr(opened.store.engine, when, broken)
    try:
        opened.lifecycle.purger.purge(rows)
        said = "erased"
    except StoreError as error:
        said = str(error)
    for name, look in looks.items():
        setattr(opened.store.engine, name, look)
    opened.store.engine.look_after_parts()
    for (name,) in opened.store.engine.query("SELECT name FROM system.detached_parts WHERE table = 'events'"):
        opened.store.engine.command(f"ALTER TABLE events DROP DETACHED PART '{name}' SETTINGS allow_drop_detached = 1")
    opened.lifecycle.purger.purge(rows)
    return said


def _empty(opened: Collector, file: str) -> None:
    paths = [Path(path) / file for (path,) in opened.store.engine.query(_NEWEST)]
    assert paths
    for path in paths:
        path.unlink()  # it may be a link to the file of the part that was replaced
        path.touch()


main(Path(sys.argv[1]), sys.argv[2], "".join(sys.argv[3:]))
