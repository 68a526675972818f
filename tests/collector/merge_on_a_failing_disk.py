"""Merge, or erase, where one file of the new part cannot be written: `python merge_on_a_failing_disk.py DATA FILE [LOOK]`. A process of its own.

What the engine writes in such a case is put there afterwards: an empty file; in an erasure before LOOK, one of the engine's two looks at parts. Then all
that was replaced goes from the disk.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from innerloop_collector.config.configuration import load
from innerloop_collector.config.paths import prepare
from innerloop_collector.core import Core
from innerloop_collector.errors import StoreError
from innerloop_collector.lifecycle.purge import Doomed

_NEWEST = "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active AND rows > 0"


def main(data: Path, file: str, erasing: str) -> None:
    """Print what was said, and how many events there are and are recognised afterwards."""
    core = Core(prepare(data), load(None, os.environ))
    core.open()
    core.engine.insert("probes", {"day": "Date"}, [(core.now().date(),)])
    looked = core.engine.look_after_parts()
    assert not looked, "nothing is broken yet"
    said = _erase(core, file, erasing) if erasing else _merge(core, file)
    keys = [key for (key,) in core.engine.query("SELECT message_key FROM events")]
    known = core.tables.known_events(keys)
    left = core.purger.replaced_parts()
    core.purger.keep_replaced_parts(0, "events")
    core.purger.wait_while(lambda: core.purger._remains(left))
    print(json.dumps({"said": said, "events": len(keys), "known": len(known)}))
    core.close()


def _merge(core: Core, file: str) -> Any:
    """Twice: the second part has the name of the first."""
    said = []
    for _ in range(2):
        core.engine.command("OPTIMIZE TABLE events FINAL")
        _empty(core, file)
        said.append(core.engine.look_after_parts())
    return said


def _erase(core: Core, file: str, when: str) -> Any:
    """Erase whose event is the first; the parts that are written without it are the ones that are broken."""
    [(installation,)] = core.engine.query("SELECT installation FROM events ORDER BY event_time LIMIT 1")
    doomed = [Doomed("events", "installation = {one:UInt128}", {"one": installation})]
    looks = {name: getattr(core.engine, name) for name in ("look_after_parts", "has_broken_parts")}
    core.engine.look_after_parts = lambda: False  # type: ignore[method-assign]

    def broken(*tables: Any) -> bool:
        _empty(core, file)
        found: bool = looks[when](*tables)
        return found

    setattr(core.engine, when, broken)
    try:
        core.purger.purge(doomed)
        said = "erased"
    except StoreError as error:
        said = str(error)
    for name, look in looks.items():
        setattr(core.engine, name, look)
    core.engine.look_after_parts()
    for (name,) in core.engine.query("SELECT name FROM system.detached_parts WHERE table = 'events'"):
        core.engine.command(f"ALTER TABLE events DROP DETACHED PART '{name}' SETTINGS allow_drop_detached = 1")
    core.purger.purge(doomed)
    return said


def _empty(core: Core, file: str) -> None:
    paths = [Path(path) / file for (path,) in core.engine.query(_NEWEST)]
    assert paths
    for path in paths:
        path.unlink()  # it may be a link to the file of the part that was replaced
        path.touch()


main(Path(sys.argv[1]), sys.argv[2], "".join(sys.argv[3:]))
