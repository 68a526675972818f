"""Put a backup back and be killed right before the n-th change of DATA itself: `python die_while_restoring.py DATA BACKUP N`. A process of its own."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from innerloop_collector.composition.restored import restored
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import prepare
from innerloop_collector.lifecycle.restore import RestoreOptions


def main(data: Path, backup: Path, last: int) -> None:
    """Count what changes in DATA once all is built, and die in time. Ends by itself where there are fewer changes."""
    changes = 0

    def counted(module: Any, name: str) -> None:
        original = getattr(module, name)

        def fatal(*arguments: Any, **options: Any) -> Any:
            nonlocal changes
            place = Path(arguments[-1])
            changes += place.is_absolute() and place.is_relative_to(data) and (name != "replace" or data / "restoring" not in place.parents)
            if changes == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **options)

        setattr(module, name, fatal)

    paths = prepare(data)
    counted(os, "replace")  # also what a path's method calls
    counted(os, "rmdir")
    counted(shutil, "rmtree")
    restored(paths, load(None, os.environ), backup, RestoreOptions())
    print(changes)


main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
