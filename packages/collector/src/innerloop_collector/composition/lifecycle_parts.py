"""The parts that let rows go: the believed clock, retention, erasure, purge and backups."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from innerloop_collector.composition.store_parts import StoreParts
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.paths import Paths
from innerloop_collector.db.engine import sync
from innerloop_collector.lifecycle.backup import BackupMaker, Source
from innerloop_collector.lifecycle.backup_catalog import Backups
from innerloop_collector.lifecycle.eraser import Eraser
from innerloop_collector.lifecycle.erasure_journal import Journal
from innerloop_collector.lifecycle.erasure_request import Copies, Elsewhere
from innerloop_collector.lifecycle.purge import Purger
from innerloop_collector.lifecycle.quarantine_discard import QuarantineDiscard
from innerloop_collector.lifecycle.quarantine_release import QuarantineRelease
from innerloop_collector.lifecycle.registrations import Registrations
from innerloop_collector.lifecycle.retention import Housekeeping, Publisher, Sweep
from innerloop_collector.lifecycle.sweeper import Sweeper
from innerloop_collector.lifecycle.trusted_clock import TrustedClock


class LifecycleParts:
    """What takes rows away, and what keeps copies of them."""

    def __init__(
        self,
        paths: Paths,
        configuration: Configuration,
        now: Callable[[], datetime],
        store: StoreParts,
        clock: TrustedClock,
        elsewhere: Elsewhere,
        publisher: Publisher,
    ) -> None:
        embedded = not configuration.store.url
        self.clock = clock
        self.purger = Purger(store.engine, lambda: sync(paths.store) if embedded else None)
        self.backups = Backups(paths.backups, store.registry.promised)
        journal = Journal(paths.erasures, [Path(name) for name in configuration.backup.journals])
        copies = Copies(journal, self.backups, elsewhere)
        self.eraser = Eraser(store.erasures, store.tombstones, store.writer, self.purger, copies, clock.judging)
        source = Source(store.engine, self.purger, lambda: store.writer.committed, paths, store.hasher.fingerprint(), self.backups, now)
        self.backup_maker = BackupMaker(source)
        self.quarantine_release = QuarantineRelease(
            store.events,
            store.known_ids,
            store.writer,
            store.registry,
            store.hasher,
            now,
            clock.judging,
        )
        self.quarantine_discard = QuarantineDiscard(store.engine, store.writer, self.purger, store.registry.today)
        registrations = Registrations(store.erasures, store.registry, store.writer)
        housekeeping = Housekeeping(store.known_ids, store.assertions, store.erasures, store.tombstones, self.eraser, self.backups)
        self.sweep = Sweep(
            store.engine, store.registry, store.writer, self.purger, self.quarantine_release, registrations, publisher, housekeeping, now
        )
        self.sweeper = Sweeper(self.sweep, self.purger, clock, now)
