"""Operations on write keys. May import: core, access, the store's registry."""

from typing import Annotated

import msgspec

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.store.projects import WriteKey, weak

Overlap = Annotated[int, msgspec.Meta(ge=1, le=365)]  # days


class Keys(Area):
    """The write keys with which clients may send."""

    @operation("keys.create", Role.ADMIN)
    def create(self, project: str, secret: str | None = None) -> Answer:
        """Make a write key. It is in the answer, and nowhere else."""
        key, made = self.core.registry.create_key(project, secret)
        return {"key": key, "weak": weak(key), **self._shown(made)}

    @operation("keys.rotate", Role.ADMIN)
    def rotate(self, project: str, overlap: Overlap) -> Answer:
        """Make a write key, and let those that the project has end after so many days."""
        key, made, ending = self.core.registry.rotate_key(project, overlap)
        return {"key": key, **self._shown(made), "ending": [self._shown(one) for one in ending]}

    @operation("keys.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every write key, by the beginning of its hash."""
        return {"keys": [self._shown(key) for key in self.core.registry.catalogue.keys.values()]}

    @operation("keys.revoke", Role.ADMIN)
    def revoke(self, key: str) -> Answer:
        """Make a write key useless at once."""
        gone = self.core.registry.revoke_key(key)
        today, others = self.core.registry.today(), self.core.registry.catalogue.keys.values()
        return {**self._shown(gone), "left": sum(one.project == gone.project and one.accepted(today) for one in others)}

    def _shown(self, key: WriteKey) -> Answer:
        used = self.core.uses.last(key.key_hash)
        return {
            "id": key.id,
            "project": key.project,
            "created": key.created.isoformat(),
            "revoked": key.revoked,
            "ends": key.ends.isoformat() if key.ends else None,
            "accepted": key.accepted(self.core.registry.today()),
            "last_used": used.isoformat() if used else None,
        }
