"""Put a backup back into an empty data directory. May import: core, the store, configuration, settings, errors.

Everything is built in DIR/restoring and gets its place when it is whole, so that a restore that was killed leaves nothing that a service
would take for its store. What was erased since the backup was made is erased again before that, there and in the backups: the journals say what.
"""

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from innerloop_collector.configuration import Configuration
from innerloop_collector.core import Core
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.settings import Paths
from innerloop_collector.store import backups, journal, manifest
from innerloop_collector.store.backup import KEY
from innerloop_collector.store.keyed import write_private
from innerloop_collector.store.upgrade import bring_up

_ORDER = (
    "erasures.log",
    backups.NAME,
    "destinations",
    "secret",
    "store",
)  # the store last: a service starts a new one only where there is none


class Restored(NamedTuple):
    """What was put back."""

    backup: manifest.Manifest
    erased_since: int  # ids that were erased after the backup was made, and again now
    events: int
    tokens_revoked: int  # some may have been revoked since the backup, and nothing tells which
    keys: list[dict[str, str]]  # the write keys and the public keys of SDKs that are accepted again


def restore(paths: Paths, configuration: Configuration, directory: Path, journals: list[Path], secret: Path | None) -> Restored:
    """Restore a backup. The caller holds the lock of the data directory. Raises UsageError and StoreError."""
    if configuration.store.url:
        raise UsageError("a backup is put back into an embedded store only; leave [store] url out, or use the backups of your server")
    if paths.store.exists():
        raise UsageError(f"{paths.data} has a store already; a backup goes into an empty data directory: choose another with --data DIR")
    found = manifest.read(directory)
    building = paths.data / "restoring"
    shutil.rmtree(building, ignore_errors=True)
    _lay_out(building, directory, found, secret)
    named = [Path(name) for name in configuration.backup.journals]
    erasures = [one for path in (directory / journal.NAME, paths.erasures, *named, *journals) for one in journal.read(path)]
    listed = [*backups.read(directory / backups.NAME), *backups.read(paths.backups)]
    core = Core(Paths(building), configuration)
    with closing(core):
        bring_up(core.engine, core.hasher.fingerprint(), core.now().date())
        _load(core, directory, found)
        journal.append(Paths(building).erasures, erasures, core.now().date())
        core.backups.learn([*listed, backups.Known(str(directory.absolute()), found.made)])
        core.open()
        core.exporters.restored()
        again = core.erasures.counts()[1]
        core.eraser.finish()
        events = core.tables.counts()[0]
        revoked = core.tokens.revoke_all()
        accepted = _accepted(core)
    for name in _ORDER:
        if (building / name).exists():
            os.replace(building / name, paths.data / name)
    shutil.rmtree(building)
    return Restored(found, again, events, revoked, accepted)


def _lay_out(building: Path, directory: Path, found: manifest.Manifest, secret: Path | None) -> None:
    source = directory / KEY if secret is None else secret
    if secret is None and not found.secret:
        raise UsageError(
            "this backup was made without its secret, and without that nothing in it can be matched; say where it is: --secret-from FILE"
        )
    try:
        key = source.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from error
    paths = Paths(building)
    paths.scratch.mkdir(mode=0o700, parents=True)
    write_private(paths.secret, key)
    if (directory / paths.destinations.name).is_dir():
        shutil.copytree(directory / paths.destinations.name, paths.destinations)


def _accepted(core: Core) -> list[dict[str, str]]:
    """The keys that are good again, also those that were revoked since: developers' machines have them, so they stay."""
    today = core.now().date()
    write_keys = [(key.project, "write", key.id) for key in core.registry.catalogue.keys.values() if key.accepted(today)]
    oauth_keys = [(key.project, "oauth", key.id) for key in core.oauth_keys.keys.values() if not key.revoked]
    return [{"project": project, "kind": kind, "id": name} for project, kind, name in sorted(write_keys + oauth_keys)]


def _load(core: Core, directory: Path, found: manifest.Manifest) -> None:
    """Read every file into its table."""
    known = {name: {column for (column,) in core.engine.query(_COLUMNS, {"table": name})} for name in found.columns}
    for name, columns in found.columns.items():
        if strange := set(columns) - known[name]:
            raise UsageError(f"the backup is of a newer version: {name} has a column {min(strange)}; restore it with {found.collector}")
    for file in found.files:
        core.engine.load(file.table, list(found.columns[file.table]), manifest.content_of(directory, file))
    for name in found.columns:
        rows = sum(file.rows for file in found.files if file.table == name)
        there = core.engine.query(f"SELECT count() FROM {name}")[0][0]  # noqa: S608 - the name is a table's
        if there > rows or (name == "events" and there != rows):
            raise StoreError(f"{name} has {there} rows after it was restored, and the backup has {rows}")
    core.engine.command(_DOUBLE)


_COLUMNS = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
_DOUBLE = "ALTER TABLE quarantine DELETE WHERE message_key IN (SELECT message_key FROM events) SETTINGS mutations_sync = 2"
