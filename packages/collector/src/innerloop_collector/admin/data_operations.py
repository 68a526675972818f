"""Operations on what is kept: backups, erasure and retention."""

import concurrent.futures
from pathlib import Path

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, Directory, operation
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.lifecycle.backup import BackupMaker
from innerloop_collector.lifecycle.backup_catalog import Backups
from innerloop_collector.lifecycle.eraser import BACKUPS, NOTHING_SENT, Eraser
from innerloop_collector.lifecycle.erasure_request import Claim, State
from innerloop_collector.lifecycle.retention import Sweep
from innerloop_collector.lifecycle.trusted_clock import TrustedClock
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.tombstones import Erasures


class Backup(Area):
    """Makes backups, and knows where they are."""

    def __init__(self, maker: BackupMaker, backups: Backups) -> None:
        self._maker = maker
        self._backups = backups

    @operation("backup.make", Role.ADMIN, changes=True)
    def make(self, directory: Directory, with_secret: bool = True) -> Answer:
        """Make a backup in a directory of the collector's machine."""
        made = self._maker.make(Path(directory), with_secret)
        return {
            "directory": directory,
            "made": made.made,
            "position": made.position,
            "rows": made.rows,
            "bytes": sum(file.bytes for file in made.files),
            "files": len(made.files),
            "secret": made.secret,
        }

    @operation("backup.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every backup that was made and not said to be gone."""
        return {
            "backups": [
                {"directory": one.path, "made": one.made or one.begun, "within_reach": (Path(one.path) / "manifest.json").exists()}
                for one in self._backups.known()
            ]
        }

    @operation("backup.gone", Role.ADMIN, changes=True)
    def gone(self, directory: Directory) -> Answer:
        """Believe that a backup exists nowhere any more."""
        if (Path(directory) / "manifest.json").exists():
            raise UsageError(f"{directory} is still there; delete it first")
        if not self._backups.drop(Path(directory)):
            raise UsageError(f"no backup was made in {directory}; see: innerloop-collector backups list")
        return self.list()


_PATIENCE = 60.0  # seconds until an admin is told to ask again
_MOST = 1_000  # ids in one request


class Erasure(Area):
    """Has ids forgotten, and looks at receipts."""

    def __init__(self, registry: Registry, eraser: Eraser, erasures: Erasures, hasher: Hasher) -> None:
        self._registry = registry
        self._eraser = eraser
        self._erasures = erasures
        self._hasher = hasher

    @operation("erasure.erase", Role.ADMIN, changes=True)
    def erase(self, project: str, ids: list[str]) -> Answer:
        """Erase ids of a project without their secrets. On return their bytes are in no file of the store."""
        self._registry.catalogue.newest(project)
        if not 1 <= len(ids) <= _MOST or not all(ids):
            raise UsageError(f"an erasure takes 1 to {_MOST} ids")
        claims = [self._claim(project, one) for one in ids]
        pending = self._eraser.submit(project, claims)
        if not self._eraser.working:  # a command on the store itself has no thread for it
            self._eraser.work_off()
        try:
            erased = pending.result(_PATIENCE)
        except concurrent.futures.TimeoutError:
            raise StoreError("the erasure has begun and is not finished; ask again for its receipt") from None
        events = sum(verdict.events for verdict in erased.verdicts)
        return {
            "receipt": erased.receipt,
            "project": project,
            "ids": len(ids),
            "events": events,
            "destinations": _elsewhere(erased.destinations),
        }

    def _claim(self, project: str, user: str) -> Claim:
        installation = self._hasher.installation(project, user)
        return Claim(installation, self._hasher.mark(installation), None)

    @operation("erasure.receipt", Role.ADMIN)
    def receipt(self, receipt: str) -> Answer:
        """What a receipt stands for."""
        found = self._erasures.receipt(receipt)
        if found is None:
            raise UsageError("there is no such receipt")
        return {**found._asdict(), "day": found.day.isoformat(), "destinations": _elsewhere(found.destinations)}


def _elsewhere(destinations: dict[str, str]) -> dict[str, str]:
    """Say what is so: what the protocol, and so a receipt, calls erased at a destination was never sent there. Backups are erased."""
    return {name: NOTHING_SENT if state == State.ERASED and name != BACKUPS else state for name, state in destinations.items()}


class Retention(Area):
    """What goes."""

    def __init__(self, sweep: Sweep, clock: TrustedClock) -> None:
        self._sweep = sweep
        self._clock = clock

    @operation("retention.sweep", Role.ADMIN, changes=True)
    def sweep(self, dry_run: bool = False) -> Answer:
        """Take away what is due, or say what would go. Whoever has it done says by that that the clock is right."""
        doubt = self._clock.doubt()
        if not dry_run:
            self._clock.believe()
        found = self._sweep.due() if dry_run else self._sweep.run()
        return {
            "doubt": doubt,
            "today": found.today.isoformat(),
            "dry_run": dry_run,
            "gone": [
                {
                    "project": one.project,
                    "what": one.what,
                    "day": one.day.isoformat(),
                    "kept_until": one.last_day.isoformat(),
                    "rows": one.rows,
                }
                for one in found.gone
            ],
            "published": [{"project": project, "unit": unit} for project, unit in found.published],
        }
