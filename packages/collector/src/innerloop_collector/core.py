"""The open collector: store, registry, writer and eraser, put together.

The service and the command line, when no service runs, both work on this.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from innerloop_collector.access.tokens import Tokens
from innerloop_collector.config.configuration import Configuration, Store
from innerloop_collector.config.files import write_private
from innerloop_collector.config.paths import Paths
from innerloop_collector.db.embedded import SESSION, embedded
from innerloop_collector.db.engine import Engine, sync
from innerloop_collector.db.integrity.checker import PartsChecker
from innerloop_collector.db.lease import Lease, holder_of
from innerloop_collector.db.server import by_url, layout_of
from innerloop_collector.db.upgrade import bring_up
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.exporters import Exporters
from innerloop_collector.lifecycle.backup import BackupMaker, Source
from innerloop_collector.lifecycle.backup_catalog import Backups
from innerloop_collector.lifecycle.eraser import Copies, Eraser
from innerloop_collector.lifecycle.erasure_journal import Journal
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.lifecycle.trusted_clock import Clock
from innerloop_collector.monitoring.metrics import Metrics
from innerloop_collector.pipeline.outcome import FIT_THEIR_PLAN
from innerloop_collector.query import Figures
from innerloop_collector.store.events import Tables
from innerloop_collector.store.keyed_hash import Hasher, load_secret
from innerloop_collector.store.known_ids import KnownIds
from innerloop_collector.store.oauth_keys import Assertions, OAuthKeys
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.quarantine_limit import Room
from innerloop_collector.store.tombstones import Erasures, Tombstones
from innerloop_collector.store.write_behind import Notes, Uses
from innerloop_collector.store.writer import Writer


def utc_now() -> datetime:
    """The clock of a collector that is not under test."""
    return datetime.now(UTC)


class Worker(Protocol):
    """A background thread of the service. The command line starts none: it has no time for it."""

    def start(self) -> None:
        """Begin to work."""

    def stop(self) -> None:
        """End soon, and wait for it. Also called where it was never started."""


class Core:
    """Everything that needs the lock of the data directory to be held."""

    def __init__(self, paths: Paths, configuration: Configuration | None = None, now: Callable[[], datetime] = utc_now) -> None:
        _refuse_half_a_restore(paths)
        self.paths = paths
        self.configuration = configuration or Configuration()
        self.now = now
        store = self.configuration.store
        self.metrics = Metrics(per_project=self.configuration.server.metrics_per_project)
        new = not paths.secret.exists()
        self.hasher = Hasher(load_secret(paths.secret, store_exists=paths.store.exists()))
        self.throw_away = _throw_away(paths, wanted=store.throw_away, new=new)
        self.engine = open_engine(paths, store)
        self.lease = Lease(self.engine, holder_of(paths.data), store.lease_seconds) if store.url else None
        self.tables = Tables(self.engine)
        self.clock = Clock(self.engine, now)
        self.notes = Notes(self.engine)
        self.registry = Registry(self.engine, self.hasher, lambda: now().date())
        self.figures = Figures(self.engine, self.registry, now, running=self.throw_away)
        self.oauth_keys = OAuthKeys(self.engine, self.registry.today)
        self.assertions = Assertions(self.engine, self.hasher, now)
        self.tokens = Tokens(self.engine, self.hasher, self.registry.today)
        self.uses = Uses(self.engine, self.notes, self.registry.today)
        self.ids = KnownIds(self.engine, self.hasher, self.notes, self.registry.today, self.registry.retention_days)
        self.erasures = Erasures(self.engine, self.hasher)
        self.purger = Purger(self.engine, lambda: None if store.url else sync(paths.store))
        self.tombstones = Tombstones(self.hasher)
        self.room = Room(self.engine, self.configuration.limits.quarantine_bytes_per_day, FIT_THEIR_PLAN, self.registry.today)
        self.writer = Writer(self.tables, self.erasures, self.tombstones, self.room, self.configuration.store)
        stored = self.engine, self.tables, self.registry, self.tombstones
        self.exporters = Exporters(self.configuration.destinations, paths.destinations, stored, self.clock.judging)
        self.backups = Backups(paths.backups, self.registry.promised)
        journal = Journal(paths.erasures, [Path(name) for name in self.configuration.backup.journals])
        copies = Copies(journal, self.backups, self.exporters.erasure_states)
        self.eraser = Eraser(self.erasures, self.tombstones, self.writer, self.purger, copies, self.clock.judging)
        sources = Source(self.engine, self.purger, lambda: self.writer.committed, paths, self.hasher.fingerprint(), self.backups, now)
        self.backup = BackupMaker(sources)
        self.workers: list[Worker] = [self.notes, PartsChecker(self.engine), self.eraser, self.exporters]

    def open(self) -> None:
        """Open the store and begin to write."""
        for left_over in self.paths.scratch.iterdir():
            left_over.unlink(missing_ok=True)
        bring_up(self.engine, self.hasher.fingerprint(), self.now().date(), self.lease)
        self.purger.keep_replaced_parts_again()
        self.tables.count_on()
        self.clock.load()
        self.registry.load()
        self.oauth_keys.load()
        self.assertions.load()
        self.tokens.load()
        self.uses.load()
        self.room.load()
        self.eraser.load()
        self.exporters.load()
        self.writer.start()

    def start_workers(self) -> None:
        """Begin what goes on in the background of a service."""
        if self.configuration.limits.new_ids_per_day:
            self.ids.load()
        for worker in self.workers:
            worker.start()

    def close(self) -> None:
        """Commit what was accepted, then close the store."""
        for worker in reversed(self.workers):
            worker.stop()
        self.writer.stop()
        if self.lease is not None:
            self.lease.release()
        self.engine.close()


def _refuse_half_a_restore(paths: Paths) -> None:
    """Start no new store where an old one is being put back: the old one would find its place taken."""
    if paths.restoring.is_dir() and any(paths.restoring.iterdir()):
        raise UsageError(
            f"a restore into {paths.data} was cut off; run it again, or remove {paths.restoring} if you no longer want to restore the backup"
        )


def _throw_away(paths: Paths, *, wanted: bool, new: bool) -> bool:
    """Whether the store was made to try things. It is marked together with its secret, before there is any, and never afterwards."""
    if new:
        paths.throw_away.unlink(missing_ok=True)
        if wanted:
            write_private(paths.throw_away, b"")
    if wanted and not paths.throw_away.exists():
        raise UsageError(
            f"the store of {paths.data} was made to be kept, and so store.throw_away cannot be set; use another --data DIR to try things"
        )
    return paths.throw_away.exists()


def open_engine(paths: Paths, store: Store) -> Engine:
    """The engine that the configuration names: embedded, or a server's. Nothing is opened yet."""
    if store.url:
        return Engine(by_url(store, SESSION), layout_of(store))
    return Engine(embedded(paths.store, paths.scratch))
