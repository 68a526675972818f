"""Erase an installation and be killed right after one of the steps. A process of its own."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import prepare
from innerloop_collector.lifecycle.eraser import Eraser
from innerloop_collector.lifecycle.erasure_journal import Journal
from innerloop_collector.lifecycle.erasure_request import Claim, Copies
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.store.tombstones import Erasures


class Mortal:
    """Something that takes the process with it after one step."""

    step = ""

    def __getattribute__(self, name: str) -> Any:
        """Give a method, or the fatal form of it."""
        found = super().__getattribute__(name)
        return _and_die(found) if name == Mortal.step else found


class MortalErasures(Mortal, Erasures):
    """The tables of erasure."""


class MortalPurger(Mortal, Purger):
    """What takes rows away."""


def _and_die(method: Any) -> Any:
    def fatal(*arguments: Any) -> None:
        method(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    return fatal


def main(data: Path, user: str, step: str) -> None:
    """Open the store, begin to erase and die."""
    opened = Collector(prepare(data), load(None, os.environ))
    opened.open()
    mark = opened.store.hasher.mark(installation := opened.store.hasher.installation("acme", user))
    claim = Claim(installation, mark, opened.store.erasures.proofs([mark])[mark])
    purger = MortalPurger(opened.store.engine, opened.lifecycle.purger.sync)
    eraser = Eraser(
        MortalErasures(opened.store.engine, opened.store.hasher),
        opened.store.tombstones,
        opened.store.writer,
        purger,
        Copies(Journal(opened.paths.erasures), opened.lifecycle.backups),
        opened.lifecycle.clock.judging,
    )
    Mortal.step = step
    eraser.start()
    eraser.submit("acme", [claim]).result(50)


main(Path(sys.argv[1]), *sys.argv[2:])
