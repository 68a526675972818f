"""The open collector: store, registry, writer and eraser, put together. May import: store, pipeline, settings, errors.

The service and the command line, when no service runs, both work on this.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from innerloop_collector.settings import Paths, WriterSettings
from innerloop_collector.store.engine import Engine, embedded, sync
from innerloop_collector.store.eraser import Eraser
from innerloop_collector.store.erasure import Erasures, Tombstones
from innerloop_collector.store.keyed import Hasher, load_secret
from innerloop_collector.store.registry import Registry
from innerloop_collector.store.tables import Tables
from innerloop_collector.store.writer import Writer


def utc_now() -> datetime:
    """The clock of a collector that is not under test."""
    return datetime.now(UTC)


class Core:
    """Everything that needs the lock of the data directory to be held."""

    def __init__(self, paths: Paths, now: Callable[[], datetime] = utc_now) -> None:
        self.paths = paths
        self.now = now
        existed = paths.store.exists()
        self.hasher = Hasher(load_secret(paths.secret, existed))
        self.engine = Engine(embedded(paths.store, paths.scratch))
        self.tables = Tables(self.engine)
        self.registry = Registry(self.engine, self.hasher, lambda: now().date())
        self.erasures = Erasures(self.engine, self.hasher, lambda: sync(paths.store))
        self.tombstones = Tombstones(self.hasher)
        self.writer = Writer(self.tables, self.erasures, self.tombstones, WriterSettings())
        self.eraser = Eraser(self.erasures, self.tombstones, self.writer, lambda: now().date())

    def open(self) -> None:
        """Open the store and begin to write. The eraser is started by the service only: a command has no time for it."""
        for left_over in self.paths.scratch.iterdir():
            left_over.unlink(missing_ok=True)
        self.tables.create()
        self.registry.load()
        self.eraser.load()
        self.writer.start()

    def close(self) -> None:
        """Commit what was accepted, then close the store."""
        self.eraser.stop()
        self.writer.stop()
        self.engine.close()
