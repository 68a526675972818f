"""Put a backup back into an empty data directory.

Everything is built in DIR/restoring and gets its place when it is whole, the store last. A restore that was killed leaves nothing that
a service would take for its store, and none starts a new one: it is run again. What was erased since the backup was made is erased
again before that, there and in the backups: the journals say what.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.files import lies_in, read_plain, sync_directory, write_private
from innerloop_collector.config.paths import Paths
from innerloop_collector.db.engine import Engine, sync
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.lifecycle import backup_catalog, backup_manifest, restored_erasures
from innerloop_collector.lifecycle.backup import KEY
from innerloop_collector.store.keyed_hash import SIZE, Hasher
from innerloop_collector.store.tombstones import Tombstone

_STRANGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)  # what reading a row says that nobody checked when it was written
_DOUBLE = "ALTER TABLE quarantine DELETE WHERE message_key IN (SELECT message_key FROM events) SETTINGS mutations_sync = 2"
_ORDER = ("erasures.log", "releases.log", backup_catalog.NAME, "destinations", "throw-away", "secret")  # the store is last


class Restored(NamedTuple):
    """What was put back."""

    backup: backup_manifest.Manifest
    erased_since: int  # ids that were erased after the backup was made, and again now
    events: int
    tokens_revoked: int  # some may have been revoked since the backup, and nothing tells which
    keys: list[dict[str, str]]  # the write keys and the public keys of SDKs that are accepted again
    secret_checked: bool  # whether the backup says which secret it goes with


class RestoreOptions(NamedTuple):
    """What a person says of a backup."""

    journals: Sequence[Path] = ()  # of erasures, that may know newer ones
    without: Sequence[Path] = ()  # journals that would be read and are lost
    secret: Path | None = None


class Source(NamedTuple):
    """What is put back."""

    directory: Path
    found: backup_manifest.Manifest
    key: bytes
    destinations: dict[str, bytes]  # the keys of their pseudonyms, by file
    erasures: list[Tombstone]
    listed: list[backup_catalog.Known]
    releases: bytes  # the journal of releases that is there: what it says is not published again with other numbers


def restore(
    paths: Paths,
    configuration: Configuration,
    directory: Path,
    given: RestoreOptions,
    rebuild: Callable[[Paths, Configuration, Source], Restored],
) -> Restored:
    """Restore a backup. The caller holds the lock of the data directory. Raises UsageError and StoreError.

    `rebuild` makes a store of what is put back, in a data directory that holds its secret.
    """
    if configuration.store.url:
        raise UsageError("a backup is put back into an embedded store only; leave [store] url out, or use the backups of your server")
    _refuse_a_store(paths)
    found = backup_manifest.read(directory)
    if lies_in(directory, paths.data) or lies_in(paths.data, directory):
        raise UsageError(f"the backup {directory} and the data directory {paths.data} lie in one another; move the backup elsewhere")
    key = _secret(directory, found, given.secret)
    destinations = _destinations(paths, directory)
    copies = [Path(name) for name in configuration.backup.journals]
    erasures = list(restored_erasures.read(paths.erasures, directory, found, copies, given.without, given.journals))
    listed = [
        *backup_catalog.read_in_a_backup(directory),
        *backup_catalog.read(paths.backups),
        backup_catalog.Known(str(directory.absolute()), found.made),
    ]
    for file in found.files:  # all of them, before anything is made
        backup_manifest.content_of(directory, found, file)
    building = Paths(paths.restoring)
    try:
        done = _build(building, configuration, Source(directory, found, key, destinations, erasures, listed, _releases(paths)), rebuild)
        _move(building, paths)
    except OSError as error:
        raise UsageError(
            f"cannot put {directory} back into {paths.data}: {error.strerror} ({error.filename}); fix that and run it again"
        ) from error
    return done


def _build(
    building: Paths, configuration: Configuration, source: Source, rebuild: Callable[[Paths, Configuration, Source], Restored]
) -> Restored:
    """Make a data directory of a backup. What cannot be made whole is taken away again."""
    if building.data.exists():
        shutil.rmtree(building.data)
    try:
        _lay_out(building, source)
        return rebuild(building, configuration, source)
    except _STRANGE as error:
        shutil.rmtree(building.data, ignore_errors=True)
        raise UsageError(
            f"{source.directory} holds what no store of this version has ({type(error).__name__}); use another backup"
        ) from error
    except BaseException:
        shutil.rmtree(building.data, ignore_errors=True)
        raise


def _refuse_a_store(paths: Paths) -> None:
    if paths.store.exists() and paths.restoring.exists():  # that is removed after the store got its place, and nothing starts before
        raise UsageError(
            f"{paths.data} has its store back: a restore was cut off after that; remove {paths.restoring} and start the service"
        )
    if paths.store.exists():
        raise UsageError(f"{paths.data} has a store already; a backup goes into an empty data directory: choose another with --data DIR")


def _move(building: Paths, paths: Paths) -> None:
    """Give everything its place. It can be killed anywhere and begun again."""
    sync(building.data)
    if not building.throw_away.exists():
        paths.throw_away.unlink(missing_ok=True)  # of a store that was there before
    for name in _ORDER:
        if (building.data / name).exists():
            _place(building.data / name, paths.data / name)
    sync_directory(paths.data)
    for left in building.data.iterdir():
        if left != building.store:
            shutil.rmtree(left)
    os.replace(building.store, paths.store)
    building.data.rmdir()
    sync_directory(paths.data)


def _place(source: Path, target: Path) -> None:
    """Put a file in the place of the one that is there, if one is. Of a directory every file; others that are there stay."""
    if source.is_dir() and target.is_dir():
        for one in source.iterdir():
            _place(one, target / one.name)
        sync_directory(target)
    else:
        os.replace(source, target)


def _secret(directory: Path, found: backup_manifest.Manifest, given: Path | None) -> bytes:
    """Read the secret that a backup goes with. Raises UsageError for another: every id would hash differently, and nothing would match again."""
    source = directory / KEY if given is None else given
    if given is None and not found.secret:
        raise UsageError(
            "this backup was made without its secret, and without that nothing in it can be matched; say where it is: --secret-from FILE"
        )
    try:
        key = read_plain(source, 4096) if given is None else source.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from error
    if len(key) != SIZE:
        raise UsageError(f"{source} is no secret of a collector ({len(key)} bytes instead of {SIZE}); say where it is: --secret-from FILE")
    if found.fingerprint not in ("", Hasher(key).fingerprint()):
        raise UsageError(
            f"{source} is not the secret that this backup goes with, and with another nothing in it would match; say where that is: --secret-from FILE"
        )
    return key


def _destinations(paths: Paths, directory: Path) -> dict[str, bytes]:
    """The keys of destinations' pseudonyms that the backup has, and those that are there: opening the store makes what lacks."""
    ours, theirs = _keys_in(paths.destinations), _keys_in(directory / paths.destinations.name)
    for name in sorted(ours.keys() & theirs.keys()):
        if ours[name] != theirs[name]:
            raise UsageError(
                f"{paths.destinations / name} is not the key in the backup, and with the wrong one the destination would see new names for old events;"
                " move that which it does not know elsewhere"
            )
    return ours | theirs


def _releases(paths: Paths) -> bytes:
    try:
        return paths.releases.read_bytes()
    except FileNotFoundError:
        return b""


def _keys_in(directory: Path) -> dict[str, bytes]:
    try:
        paths = list(directory.iterdir()) if directory.is_dir() and not directory.is_symlink() else []
        return {path.name: read_plain(path, 4096) for path in paths if path.suffix == ".key"}
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from error


def _lay_out(building: Paths, source: Source) -> None:
    building.scratch.mkdir(mode=0o700, parents=True)
    write_private(building.secret, source.key)
    if source.found.throw_away is not None:
        write_private(building.throw_away, source.found.throw_away.encode())
    if source.releases:
        write_private(building.releases, source.releases)
    building.destinations.mkdir(mode=0o700)
    for name, key in source.destinations.items():
        write_private(building.destinations / name, key)


def load_tables(engine: Engine, directory: Path, found: backup_manifest.Manifest) -> None:
    """Read every file of a backup into its table. Raises StoreError where not every row is there afterwards."""
    for file in found.files:
        engine.load(file.table, list(found.columns[file.table]), backup_manifest.content_of(directory, found, file))
    for name in found.columns:
        rows = sum(file.rows for file in found.files if file.table == name)
        there = engine.query(f"SELECT count() FROM {name}")[0][0]
        if there > rows or (name == "events" and there != rows):
            raise StoreError(f"{name} has {there} rows after it was restored, and the backup has {rows}")
    engine.command(_DOUBLE)
