"""The parts that read and write the store, built over one engine."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from innerloop_collector.config.configuration import Configuration, Store
from innerloop_collector.config.paths import Paths
from innerloop_collector.db.embedded import SESSION, embedded
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.lease import Lease, holder_of
from innerloop_collector.db.server import by_url, layout_of
from innerloop_collector.db.upgrade import bring_up
from innerloop_collector.pipeline.outcome import FIT_THEIR_PLAN
from innerloop_collector.query import project_and_unit
from innerloop_collector.store.change_records import Changes
from innerloop_collector.store.events import EventTables
from innerloop_collector.store.keyed_hash import Hasher, load_secret
from innerloop_collector.store.known_ids import KnownIds, most_new_ids
from innerloop_collector.store.oauth_keys import Assertions, OAuthKeys
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.quarantine_limit import QuarantineLimit
from innerloop_collector.store.release_journal import ReleaseJournal
from innerloop_collector.store.releases import Releases
from innerloop_collector.store.tombstones import Erasures, Tombstones
from innerloop_collector.store.write_behind import LastUsed, WriteBehind
from innerloop_collector.store.writer import Writer


class StoreParts:
    """What lies in the store, and the one writer."""

    def __init__(self, paths: Paths, configuration: Configuration, now: Callable[[], datetime]) -> None:
        store = configuration.store
        self.hasher = Hasher(load_secret(paths.secret, store_exists=paths.store.exists()))
        self.engine = open_engine(paths, store)
        self.lease = Lease(self.engine, holder_of(paths.data), store.lease_seconds) if store.url else None
        self.events = EventTables(self.engine)
        self.write_behind = WriteBehind(self.engine)
        self.registry = Registry(self.engine, self.hasher, lambda: now().date())
        self.changes = Changes(self.engine, self.registry.today)
        self.oauth_keys = OAuthKeys(self.engine, self.registry.today)
        self.assertions = Assertions(self.engine, self.hasher, now)
        self.last_used = LastUsed(self.engine, self.write_behind, self.registry.today)
        self.known_ids = KnownIds(
            self.engine,
            self.hasher,
            self.write_behind,
            self.registry.today,
            self.registry.retention_days,
            lambda project: most_new_ids(configuration.limits.new_ids_per_day, self.registry.catalogue.newest(project).headcount),
        )
        journals = [Path(name) for name in configuration.backup.journals]
        self.releases = Releases(self.engine, ReleaseJournal(paths.releases, journals, project_and_unit))
        self.erasures = Erasures(self.engine, self.hasher)
        self.tombstones = Tombstones(self.hasher)
        self.quarantine_limit = QuarantineLimit(
            self.engine, configuration.limits.quarantine_bytes_per_day, FIT_THEIR_PLAN, self.registry.today
        )
        self.writer = Writer(self.events, self.erasures, self.tombstones, self.quarantine_limit, store)

    def bring_up(self, today: date) -> None:
        """Open the store, make its tables or bring them up to this version, and hold it against other collectors."""
        bring_up(self.engine, self.hasher.fingerprint(), today, self.lease)

    def load(self) -> None:
        """Read what is held in memory."""
        self.registry.load()
        self.changes.load()
        self.oauth_keys.load()
        self.assertions.load()
        self.last_used.load()
        self.quarantine_limit.load()
        self.releases.load()

    def close(self) -> None:
        """Commit what was accepted, then let the store go."""
        self.writer.stop()
        if self.lease is not None:
            self.lease.release()
        self.engine.close()


def open_engine(paths: Paths, store: Store) -> Engine:
    """The engine that the configuration names: embedded, or a server's. Nothing is opened yet."""
    if store.url:
        return Engine(by_url(store, SESSION), layout_of(store))
    return Engine(embedded(paths.store, paths.scratch))
