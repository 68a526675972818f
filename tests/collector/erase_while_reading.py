"""Erase an installation whose rows a slow query reads, and say in which order both ended. A process of its own: it opens the engine."""

import json
import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from innerloop_collector.config.configuration import load
from innerloop_collector.config.paths import prepare
from innerloop_collector.core import Core
from innerloop_collector.ingest.messages import Envelope, event_of, registrations
from innerloop_collector.lifecycle.eraser import Claim
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.rows import event_row
from innerloop_collector.pipeline.steps import run
from tests.collector.support import Owner, run_event

SLOW = "SELECT count() FROM events WHERE NOT ignore(installation, sleepEachRow(0.01)) SETTINGS max_block_size = 50, function_sleep_max_microseconds_per_block = 0"


def main(data: Path) -> None:
    """Store, read slowly, erase, and print what was seen."""
    core, owner = Core(prepare(data), load(None, os.environ)), Owner()
    with closing(core):
        core.open()
        core.eraser.start()
        claim = _store(core, owner)
        told: dict[str, Any] = {"order": []}

        def read() -> None:
            told["rows the query saw"] = core.engine.query(SLOW)[0][0]
            told["order"].append("query ended")

        old = _parts(core)
        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.3)
        verdict = core.eraser.submit("acme", [claim]).result(60).verdicts[0]
        told["order"].append(str(verdict.state))
        reader.join()
        told["old parts"] = sorted(old & _parts(core))
    print(json.dumps(told))


def _parts(core: Core) -> set[str]:
    return {row[0] for row in core.engine.query("SELECT name, _state FROM system.parts WHERE table = 'events'")}


def _store(core: Core, owner: Owner) -> Claim:
    shared = Envelope("acme", core.now(), 0.0, {}, None)
    found = [run(event_of(run_event(owner.id), shared, core.hasher), core.registry.catalogue) for _ in range(200)]
    rows = [event_row(event) for event in found if isinstance(event, Event)]
    (registration,) = registrations("acme", {"context": {"erasure": dict([owner.registration])}}, core.hasher).values()
    core.writer.submit(rows, [], [registration]).result(60)
    return Claim(core.hasher.installation("acme", owner.id), registration.mark, registration.proof)


main(Path(sys.argv[1]))
