"""Operations on the public keys of programs that fetch tokens. May import: core, access, the store's public keys."""

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.store.oauth_keys import OAuthKey


class OAuth(Area):
    """The public keys with which SDKs fetch tokens."""

    @operation("oauth.add", Role.ADMIN)
    def add(self, project: str, public_key: str) -> Answer:
        """Accept a public key, in PEM form."""
        self.core.registry.catalogue.newest(project)
        return _key(self.core.oauth_keys.add(project, public_key))

    @operation("oauth.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every public key, by its id."""
        return {"keys": [_key(key) for key in self.core.oauth_keys.keys.values()]}

    @operation("oauth.revoke", Role.ADMIN)
    def revoke(self, key: str) -> Answer:
        """Make a public key, and every token that was given for it, useless at once."""
        return _key(self.core.oauth_keys.revoke(key))


def _key(key: OAuthKey) -> Answer:
    return {"id": key.id, "project": key.project, "created": key.created.isoformat(), "revoked": key.revoked}
