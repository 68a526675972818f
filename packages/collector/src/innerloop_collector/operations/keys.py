"""Operations on write keys. May import: core, access, the store's registry."""

from innerloop_collector.access.roles import Role
from innerloop_collector.operations.area import Answer, Area, operation
from innerloop_collector.store.registry import WriteKey, weak


class Keys(Area):
    """The write keys with which clients may send."""

    @operation("keys.create", Role.ADMIN)
    def create(self, project: str, secret: str | None = None) -> Answer:
        """Make a write key. It is in the answer, and nowhere else."""
        key, made = self.core.registry.create_key(project, secret)
        return {"key": key, "weak": weak(key), **_key(made)}

    @operation("keys.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every write key, by the beginning of its hash."""
        return {"keys": [_key(key) for key in self.core.registry.catalogue.keys.values()]}

    @operation("keys.revoke", Role.ADMIN)
    def revoke(self, key: str) -> Answer:
        """Make a write key useless at once."""
        return _key(self.core.registry.revoke_key(key))


def _key(key: WriteKey) -> Answer:
    return {"id": key.id, "project": key.project, "created": key.created.isoformat(), "revoked": key.revoked}
