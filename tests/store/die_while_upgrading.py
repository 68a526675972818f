"""Open a store and be killed right after the n-th statement that changes it: `python die_while_upgrading.py DATA N`. A process of its own."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import prepare


def main(data: Path, last: int) -> None:
    """Count what changes the store, and die in time. Ends by itself where there are fewer changes."""
    opened = Collector(prepare(data), load(None, os.environ))
    changes = 0
    statement, insert = opened.store.engine.command, opened.store.engine.insert

    def counted(original: Any, *arguments: Any, **options: Any) -> None:
        nonlocal changes
        original(*arguments, **options)
        changes += 1
        if changes == last:
            os.kill(os.getpid(), signal.SIGKILL)

    opened.store.engine.command = lambda *words, **options: counted(statement, *words, **options)  # type: ignore[method-assign]
    opened.store.engine.insert = lambda *words, **options: counted(insert, *words, **options)  # type: ignore[method-assign]
    opened.open()
    opened.close()
    print(changes)


main(Path(sys.argv[1]), int(sys.argv[2]))
