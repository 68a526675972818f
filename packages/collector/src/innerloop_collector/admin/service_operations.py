"""Operations on the collector itself."""

from collections.abc import Iterator

from innerloop_collector.access.principal import Role
from innerloop_collector.admin import checks, exposure
from innerloop_collector.admin.checks import Finding
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.config.configuration import secret_files
from innerloop_collector.errors import UsageError
from innerloop_collector.lifecycle.backup_catalog import Known
from innerloop_collector.monitoring import status


class Service(Area):
    """How the collector is."""

    @operation("check", Role.ADMIN)
    def check(self) -> Answer:
        """Say whether the collector is well, and what is wrong where it is not."""
        store = status.store(self.core)
        events, waiting = self.core.tables.counts()
        disk = status.disk(self.core.paths.scratch)
        failure, quarantine = self.core.writer.last_failure, status.waiting(self.core)
        found = list(self._findings(store, disk, failure, quarantine))
        return {
            "ok": all(one.note for one in found),
            "findings": [one._asdict() for one in found],
            "engine": store.engine,
            "store": self.core.engine.layout.kind,
            "schema": store.schema,
            "data": str(self.core.paths.data),
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
            return self.core.backups.known()
        except UsageError:  # a finding of its own
            return []

    def _findings(
        self, store: status.StoreVitals, disk: status.DiskVitals, failure: str | None, quarantine: list[status.Waiting]
    ) -> Iterator[Finding]:
        wanted, now = self.core.configuration.check, self.core.now().timestamp()
        yield from checks.of_the_store(store, failure)
        yield from checks.of_the_disk(disk, wanted)
        yield from checks.of_a_throw_away_store(throw_away=self.core.throw_away)
        yield from checks.of_the_stores_clock(store, now, wanted)
        yield from checks.of_another_clock(wanted)
        yield from checks.of_the_believed_clock(self.core.clock.doubt())
        yield from checks.of_the_backups(now, wanted)
        yield from checks.of_the_known_backups(self.core.backups.known)
        yield from checks.of_the_journals(self.core.configuration.backup, {one.mark for one in self.core.erasures.tombstones()})
        yield from exposure.of_the_data(self.core.paths)
        yield from exposure.of_the_backups(self._known_backups())
        yield from exposure.of_the_secrets(secret_files(self.core.configuration))
        yield from checks.of_the_quarantine(quarantine, self.core.now().date())
        yield from checks.of_the_room_in_quarantine(self.core.room.full())
        yield from checks.of_the_destinations(status.destinations(self.core))


class Destinations(Area):
    """Where events are passed on to."""

    @operation("destinations.status", Role.ANALYST)
    def status(self) -> Answer:
        """How each destination is doing."""
        return {"destinations": self.core.exporters.status()}

    @operation("destinations.set_aside", Role.ANALYST)
    def set_aside(self, destination: str) -> Answer:
        """What a destination does not take: where in the store, and why. Never a value."""
        return {"destination": destination, "set_aside": self.core.exporters.set_aside(destination)}

    @operation("destinations.pause", Role.ADMIN)
    def pause(self, destination: str) -> Answer:
        """Send nothing more to a destination."""
        return self.core.exporters.pause(destination)

    @operation("destinations.resume", Role.ADMIN)
    def resume(self, destination: str) -> Answer:
        """Go on with a destination, at once."""
        return self.core.exporters.resume(destination)

    @operation("destinations.retry", Role.ADMIN)
    def retry(self, destination: str) -> Answer:
        """Try everything once more that a destination did not take."""
        return self.core.exporters.retry(destination)
