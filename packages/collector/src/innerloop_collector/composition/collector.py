"""A collector: every part, built and connected. The service works on it, and the command line where no service runs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from innerloop_collector.access.read_links import ReadLinks
from innerloop_collector.access.tokens import Tokens
from innerloop_collector.composition import simulated_clock
from innerloop_collector.composition.evidence_parts import EvidenceParts, Publishers
from innerloop_collector.composition.lifecycle_parts import LifecycleParts
from innerloop_collector.composition.store_parts import StoreParts
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.files import write_private
from innerloop_collector.config.paths import Paths
from innerloop_collector.db.integrity.checker import PartsChecker
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.exporters import Exporters
from innerloop_collector.lifecycle.trusted_clock import TrustedClock
from innerloop_collector.monitoring.metrics import Metrics
from innerloop_collector.monitoring.status import StatusReader
from innerloop_collector.notifications.notifications import Notifications
from innerloop_collector.notifications.weekly_digest import Sources
from innerloop_collector.query import (
    AlertArchive,
    AlertPublisher,
    Alerts,
    Archive,
    Expected,
    Figures,
    KnownProjects,
    Publisher,
    Rows,
    Settings,
    looking,
    settings_of,
)  # fmt: skip
from innerloop_collector.store.looked_at import LookedAt


def utc_now() -> datetime:
    """The clock of a collector that is not under test."""
    return datetime.now(UTC)


class Worker(Protocol):
    """What works in the background of the service. The command line starts none: it has no time for it."""

    def start(self) -> None:
        """Begin to work."""

    def stop(self) -> None:
        """End soon, and wait for it. Also called where it was never started."""


class Collector:
    """Needs the lock of the data directory to be held."""

    def __init__(self, paths: Paths, configuration: Configuration | None = None, now: Callable[[], datetime] = utc_now) -> None:
        _refuse_half_a_restore(paths)
        self.paths = paths
        self.configuration = configuration or Configuration()
        new = not paths.secret.exists()
        self.simulated = simulated_clock.of(paths, self.configuration.store, new=new)
        self.now = now = self.simulated or now
        self.store = store = StoreParts(paths, self.configuration, now)
        self.throw_away = _throw_away(paths, wanted=self.configuration.store.throw_away, new=new)
        if self.simulated and new:
            self.simulated.write()
        clock = TrustedClock(store.engine, now)
        stored = store.engine, store.events, store.registry, store.tombstones
        self.exporters = Exporters(self.configuration.destinations, paths.destinations, stored, clock.judging)
        archive = Archive(store.releases)
        self.figures = Figures(store.engine, store.registry, archive, now, immediate=self.throw_away)
        rows = Rows(store.engine)
        self.publisher = Publisher(rows, archive, self._settings, lambda: store.events.committed)
        self.evidence = EvidenceParts(store, archive, self._settings, now)
        told = AlertArchive(store.releases, LookedAt(paths.looked_at))
        expected = Expected(self.configuration.alerts.false_alarms_a_month, self.configuration.alerts.false_pages_a_month)
        self.alerts = Alerts(told, now, expected, store.changes.standing)
        known = KnownProjects(
            self._settings, lambda project, names: store.registry.catalogue.marked(project, names).checks, lambda: store.events.committed
        )
        self.alert_publisher = AlertPublisher(looking(store.engine, told, archive, known, expected), told, known, rows.first_day)
        self.notifications = Notifications(
            self.configuration,
            paths.notifications,
            Sources(self.figures, self.alerts, self.evidence.evidence, self.evidence.registered.all, self._recipients),
            now,
            clock.judging,
            simulated=self.simulated is not None,
            throw_away=self.throw_away,
        )
        publishers = Publishers(
            self.publisher, [self.evidence.publisher, self.evidence.scans, self.alert_publisher], self.notifications.wake
        )
        self.lifecycle = LifecycleParts(paths, self.configuration, now, store, clock, self.exporters.erasure_states, publishers)
        self.tokens = Tokens(store.engine, store.hasher, store.registry.today)
        self.read_links = ReadLinks(store.engine, store.hasher, store.registry.today)
        self.metrics = Metrics(per_project=self.configuration.server.metrics_per_project)
        self.status = StatusReader(store.engine, store.erasures, store.events, self.exporters, paths.scratch)
        self._workers: list[Worker] = [
            store.write_behind,
            PartsChecker(store.engine),
            self.lifecycle.eraser,
            self.exporters,
            self.notifications,
        ]
        if not self.simulated:  # there it sweeps when time has passed
            self._workers.append(self.lifecycle.sweeper)

    def _settings(self) -> dict[str, Settings]:
        """What each project says of its figures."""
        registry = self.store.registry
        return {name: settings_of(registry, name) for name in registry.catalogue.versions}

    def _recipients(self, project: str) -> frozenset[str]:
        """Whom the newest file of a project names."""
        return frozenset(name for name, *_ in self.store.registry.catalogue.newest(project).agreement["recipients"])

    def open(self) -> None:
        """Open the store and begin to write."""
        for left_over in self.paths.scratch.iterdir():
            left_over.unlink(missing_ok=True)
        self.store.bring_up(self.now().date())
        self.lifecycle.purger.keep_replaced_parts_again()
        self.store.events.count_on()
        self.lifecycle.clock.load()
        self.store.load()
        self.store.events.number_after(self.publisher.read_up_to())
        self.tokens.load()
        self.read_links.load()
        self.lifecycle.eraser.load()
        self.exporters.load()
        self.store.writer.start()

    def start_workers(self) -> None:
        """Begin what goes on in the background of a service."""
        if self.configuration.limits.new_ids_per_day:
            self.store.known_ids.load()
        for worker in self._workers:
            worker.start()

    def close(self) -> None:
        """Commit what was accepted, then close the store."""
        for worker in reversed(self._workers):
            worker.stop()
        self.store.close()


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
