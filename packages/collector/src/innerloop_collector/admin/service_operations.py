"""Operations on the collector itself, and on its destinations."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from innerloop_collector.access.principal import Role
from innerloop_collector.admin import checks, exposure
from innerloop_collector.admin.checks import Finding
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.config.configuration import Configuration, secret_files
from innerloop_collector.config.paths import Paths
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.exporters import Exporters
from innerloop_collector.lifecycle.backup_catalog import Backups, Known
from innerloop_collector.lifecycle.trusted_clock import TrustedClock
from innerloop_collector.monitoring.status import DiskStatus, QuarantineStatus, StatusReader, StoreStatus
from innerloop_collector.store.quarantine_limit import QuarantineLimit
from innerloop_collector.store.releases import Releases
from innerloop_collector.store.tombstones import Erasures
from innerloop_collector.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check looks at."""

    paths: Paths
    configuration: Configuration
    now: Callable[[], datetime]
    status: StatusReader
    writer: Writer
    erasures: Erasures
    quarantine_limit: QuarantineLimit
    clock: TrustedClock
    backups: Backups
    releases: Releases
    kept: Callable[[], Mapping[str, tuple[int, int]]]  # days, and active weeks after which developers count
    unpublished: Callable[[], Mapping[str, str]]  # projects whose figures could not be published, and why
    not_looked_at: Callable[[], Mapping[str, str]]  # projects that could not be looked at for alerts, and why
    channels: Callable[[], Iterable[Answer]]  # how each channel of notifications is doing
    throw_away: bool
    simulated: bool


class Service(Area):
    """How the collector is."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    @operation("check", Role.ADMIN)
    def check(self) -> Answer:
        """Say whether the collector is well, and what is wrong where it is not."""
        status = self._checked.status
        store, disk = status.store(), status.disk()
        events, waiting = status.counts()
        failure, quarantine = self._checked.writer.last_failure, status.waiting()
        found = list(self._findings(store, disk, failure, quarantine))
        return {
            "ok": all(one.note for one in found),
            "findings": [one._asdict() for one in found],
            "engine": store.engine,
            "store": store.kind,
            "schema": store.schema,
            "data": str(self._checked.paths.data),
            "events": events,
            "quarantined": waiting,
            "waiting": [
                {"project": one.project, "reason": one.reason, "events": one.events, "removed_on": str(one.removed_on)}
                for one in quarantine
            ],
            "tombstones": store.tombstones,
            "unfinished_erasures": store.unfinished_erasures,
            "receipts": store.receipts,
            "store_bytes": store.bytes,
            "disk_free_bytes": disk.free,
            "last_write_failure": failure,
        }

    def _known_backups(self) -> list[Known]:
        try:
            return self._checked.backups.known()
        except UsageError:  # a finding of its own
            return []

    def _findings(self, store: StoreStatus, disk: DiskStatus, failure: str | None, quarantine: list[QuarantineStatus]) -> Iterator[Finding]:
        of = self._checked
        wanted, now = of.configuration.check, of.now().timestamp()
        yield from checks.of_the_store(store, failure)
        yield from checks.of_the_disk(disk, wanted)
        yield from checks.of_the_releases(of.releases.trouble)
        yield from checks.of_unpublished(of.unpublished())
        yield from checks.of_alerts(of.not_looked_at())
        yield from checks.of_short_retention(of.kept())
        yield from checks.of_a_throw_away_store(throw_away=of.throw_away)
        if of.simulated:
            yield from checks.of_a_simulated_clock(of.now())
        else:
            yield from checks.of_the_stores_clock(store, now, wanted)
            yield from checks.of_another_clock(wanted)
        yield from checks.of_the_believed_clock(of.clock.doubt())
        yield from checks.of_the_backups(now, wanted)
        yield from checks.of_the_known_backups(of.backups.known)
        yield from checks.of_the_journals(of.configuration.backup, {one.mark for one in of.erasures.tombstones()})
        yield from exposure.of_the_data(of.paths)
        yield from exposure.of_the_backups(self._known_backups())
        yield from exposure.of_the_secrets(secret_files(of.configuration))
        yield from checks.of_the_quarantine(quarantine, of.now().date())
        yield from checks.of_the_quarantine_limit(of.quarantine_limit.full())
        yield from checks.of_the_destinations(of.status.destinations())
        yield from checks.of_the_channels(of.channels(), of.now().date())


class Destinations(Area):
    """Where events are passed on to."""

    def __init__(self, exporters: Exporters) -> None:
        self._exporters = exporters

    @operation("destinations.status", Role.ADMIN)
    def status(self) -> Answer:
        """How each destination is doing."""
        return {"destinations": self._exporters.status()}

    @operation("destinations.set_aside", Role.ADMIN)
    def set_aside(self, destination: str) -> Answer:
        """What a destination does not take: where in the store, and why. Never a value."""
        return {"destination": destination, "set_aside": self._exporters.set_aside(destination)}

    @operation("destinations.pause", Role.ADMIN, changes=True)
    def pause(self, destination: str) -> Answer:
        """Send nothing more to a destination."""
        return self._exporters.pause(destination)

    @operation("destinations.resume", Role.ADMIN, changes=True)
    def resume(self, destination: str) -> Answer:
        """Go on with a destination, at once."""
        return self._exporters.resume(destination)

    @operation("destinations.retry", Role.ADMIN, changes=True)
    def retry(self, destination: str) -> Answer:
        """Try everything once more that a destination did not take."""
        return self._exporters.retry(destination)
