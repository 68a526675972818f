"""Erase an installation whose rows a slow query reads, and say in which order both ended. A process of its own: it opens the engine."""

import json
import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import prepare
from innerloop_collector.ingest.messages import Envelope, event_of, registrations
from innerloop_collector.lifecycle.erasure_request import Claim
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.event_rows import event_row
from innerloop_collector.pipeline.steps import run
from tests.collector.support import Owner, run_event

SLOW = "SELECT count() FROM events WHERE NOT ignore(installation, sleepEachRow(0.01)) SETTINGS max_block_size = 50, function_sleep_max_microseconds_per_block = 0"


def main(data: Path) -> None:
    """Store, read slowly, erase, and print what was seen."""
    opened, owner = Collector(prepare(data), load(None, os.environ)), Owner()
    with closing(opened):
        opened.open()
        opened.lifecycle.eraser.start()
        claim = _store(opened, owner)
        told: dict[str, Any] = {"order": []}

        def read() -> None:
            told["rows the query saw"] = opened.store.engine.query(SLOW)[0][0]
            told["order"].append("query ended")

        old = _parts(opened)
        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.3)
        verdict = opened.lifecycle.eraser.submit("acme", [claim]).result(60).verdicts[0]
        told["order"].append(str(verdict.state))
        reader.join()
        told["old parts"] = sorted(old & _parts(opened))
    print(json.dumps(told))


def _parts(opened: Collector) -> set[str]:
    return {row[0] for row in opened.store.engine.query("SELECT name, _state FROM system.parts WHERE table = 'events'")}


def _store(opened: Collector, owner: Owner) -> Claim:
    shared = Envelope("acme", opened.now(), 0.0, {}, None)
    found = [run(event_of(run_event(owner.id), shared, opened.store.hasher), opened.store.registry.catalogue) for _ in range(200)]
    rows = [event_row(event) for event in found if isinstance(event, Event)]
    (registration,) = registrations("acme", {"context": {"erasure": dict([owner.registration])}}, opened.store.hasher).values()
    opened.store.writer.submit(rows, [], [registration]).result(60)
    return Claim(opened.store.hasher.installation("acme", owner.id), registration.mark, registration.proof)


main(Path(sys.argv[1]))
