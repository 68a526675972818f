"""Put a backup back: a store is made of it, and what was erased since is erased again."""

from contextlib import closing
from datetime import date
from pathlib import Path

from innerloop_collector.composition.collector import Collector
from innerloop_collector.composition.store_parts import StoreParts
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.paths import Paths
from innerloop_collector.db.upgrade import bring_up
from innerloop_collector.lifecycle import erasure_journal, restore
from innerloop_collector.lifecycle.restore import Restored, RestoreOptions, Source


def restored(paths: Paths, configuration: Configuration, directory: Path, given: RestoreOptions) -> Restored:
    """Restore a backup. The caller holds the lock of the data directory. Raises UsageError and StoreError."""
    return restore.restore(paths, configuration, directory, given, _rebuild)


def _rebuild(building: Paths, configuration: Configuration, source: Source) -> Restored:
    collector = Collector(building, configuration)
    with closing(collector):
        today = collector.now().date()
        store, lifecycle = collector.store, collector.lifecycle
        bring_up(store.engine, store.hasher.fingerprint(), today)
        restore.load_tables(store.engine, source.directory, source.found)
        erasure_journal.append(building.erasures, source.erasures, today)
        lifecycle.backups.learn(source.listed)
        collector.open()
        collector.exporters.restored()
        again = store.erasures.counts()[1]
        lifecycle.eraser.finish()
        store.engine.look_after_parts()
        events = store.events.counts()[0]
        revoked = collector.tokens.revoke_all()
        collector.read_links.revoke_all()
        return Restored(source.found, again, events, revoked, _accepted(store, today), secret_checked=bool(source.found.fingerprint))


def _accepted(store: StoreParts, today: date) -> list[dict[str, str]]:
    """The keys that are good again, also those that were revoked since: developers' machines have them, so they stay."""
    write_keys = [(key.project, "write", key.id) for key in store.registry.catalogue.keys.values() if key.accepted(today)]
    oauth_keys = [(key.project, "oauth", key.id) for key in store.oauth_keys.keys.values() if not key.revoked]
    return [{"project": project, "kind": kind, "id": name} for project, kind, name in sorted(write_keys + oauth_keys)]
