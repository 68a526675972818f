"""What was stored is let go of at once: with thousands of events a second, what waits for the collector of garbage is gigabytes."""

import subprocess
import sys

from tests.collector.support import Collector

SCRIPT = """
import gc, pathlib, sys
from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.paths import prepare
from innerloop_collector.db import schema

opened = Collector(prepare(pathlib.Path(sys.argv[1])))
opened.open()
mark = "a-mark-that-nothing-else-holds"
gc.collect()
gc.disable()
opened.store.engine.insert("uses", schema.USES, [(mark, opened.now().date())])
print(opened.store.engine.query("SELECT count() FROM uses")[0][0], [held for held in gc.get_objects() if type(held) is tuple and any(one is mark for one in held)])
opened.close()
"""


def test_an_insert_keeps_nothing_of_its_rows_alive(idle: Collector) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(idle.data)], capture_output=True, text=True, env=idle.environment, timeout=60, check=False
    )

    assert "1 []" == done.stdout.strip(), done.stdout + done.stderr
