"""Operations on the collector itself. May import: core, access."""

import shutil

from innerloop_collector.access.roles import Role
from innerloop_collector.operations.area import Answer, Area, operation


class Service(Area):
    """How the collector is."""

    @operation("check", Role.ADMIN)
    def check(self) -> Answer:
        """Say whether the collector is well."""
        events, waiting = self.core.tables.counts()
        tombstones, unfinished, receipts = self.core.erasures.counts()
        disk = shutil.disk_usage(self.core.paths.data)
        failure = self.core.writer.last_failure
        return {
            "ok": failure is None,
            "engine": str(self.core.engine.query("SELECT version()")[0][0]),
            "data": str(self.core.paths.data),
            "events": events,
            "quarantined": waiting,
            "tombstones": tombstones,
            "unfinished_erasures": unfinished,
            "receipts": receipts,
            "disk_free_bytes": disk.free,
            "last_write_failure": failure,
        }
