"""The operations of a collector, each area with the parts that it works on."""

from innerloop_collector.admin.alert_operations import AlertArea
from innerloop_collector.admin.change_operations import ChangeRecords
from innerloop_collector.admin.data_operations import Backup, Erasure, Retention
from innerloop_collector.admin.key_operations import Keys, OAuth, Tokens
from innerloop_collector.admin.link_operations import Links
from innerloop_collector.admin.notification_operations import NotificationArea
from innerloop_collector.admin.operations import Operations
from innerloop_collector.admin.project_operations import Ids, Projects, Quarantine
from innerloop_collector.admin.reports import Reports
from innerloop_collector.admin.service_operations import Checked, Destinations, Service
from innerloop_collector.admin.simulation import Simulation
from innerloop_collector.composition.collector import Collector


def operations(collector: Collector) -> Operations:
    """Everything that an operator can ask of a collector."""
    store, lifecycle = collector.store, collector.lifecycle
    registry, exporters = store.registry, collector.exporters
    checked = Checked(
        collector.paths,
        collector.configuration,
        collector.now,
        collector.status,
        store.writer,
        store.erasures,
        store.quarantine_limit,
        lifecycle.clock,
        lifecycle.backups,
        store.releases,
        lambda: {
            name: (registry.retention_days(name), all_of[-1].min_active_weeks) for name, all_of in registry.catalogue.versions.items()
        },
        unpublished=lambda: collector.publisher.failed,
        not_looked_at=lambda: collector.alert_publisher.failed,
        channels=collector.notifications.status,
        throw_away=collector.throw_away,
        simulated=collector.simulated is not None,
    )
    simulation = [Simulation(collector.simulated.move, lifecycle.sweeper.turn)] if collector.simulated else []
    return Operations(
        [
            Projects(registry, lifecycle.quarantine_release, collector.figures),
            Keys(registry, store.last_used),
            OAuth(registry, store.oauth_keys),
            Tokens(registry, collector.tokens, store.last_used),
            Links(
                collector.read_links,
                lambda: registry.catalogue.versions,
                store.changes.find,
                store.last_used,
                at_once=collector.throw_away,
            ),
            Ids(registry, lifecycle.quarantine_release),
            Quarantine(registry, collector.status, lifecycle.quarantine_discard),
            Reports(collector.figures, collector.evidence.evidence),
            ChangeRecords(registry, store.changes, collector.evidence),
            AlertArea(collector.alerts, lambda: registry.catalogue.versions),
            NotificationArea(collector.notifications, lambda: registry.catalogue.versions),
            Retention(lifecycle.sweep, lifecycle.clock),
            Erasure(registry, lifecycle.eraser, store.erasures, store.hasher),
            Backup(lifecycle.backup_maker, lifecycle.backups),
            Destinations(exporters),
            Service(checked),
            *simulation,
        ]
    )
