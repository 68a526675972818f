"""Operations on ids that are beyond what a write key may bring in a day. May import: core, access, retention."""

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.lifecycle.quarantine_release import release_new_ids


class Ids(Area):
    """New ids that wait for a person's word."""

    @operation("ids.release", Role.ADMIN)
    def release(self, project: str) -> Answer:
        """Let in the ids of a project that wait, and their events. Afterwards they are known."""
        self.core.registry.catalogue.newest(project)
        released, waiting = release_new_ids(self.core, project)
        return {"project": project, "released": released, "still_quarantined": waiting}
