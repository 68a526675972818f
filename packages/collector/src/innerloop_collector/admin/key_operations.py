"""Operations on write keys."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from innerloop_collector.access.principal import Role
from innerloop_collector.access.tokens import Token
from innerloop_collector.access.tokens import Tokens as AccessTokens
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.errors import UsageError
from innerloop_collector.store.catalogue import WriteKey
from innerloop_collector.store.oauth_keys import OAuthKey, OAuthKeys
from innerloop_collector.store.projects import Registry, weak
from innerloop_collector.store.write_behind import LastUsed

Overlap = Annotated[int, msgspec.Meta(ge=1, le=365)]  # days


class Keys(Area):
    """Manage the write keys with which clients send."""

    def __init__(self, registry: Registry, last_used: LastUsed) -> None:
        self._registry = registry
        self._last_used = last_used

    @operation("keys.create", Role.ADMIN, changes=True)
    def create(self, project: str, secret: str | None = None) -> Answer:
        """Make a write key. It is in the answer, and nowhere else."""
        key, made = self._registry.create_key(project, secret)
        return {"key": key, "weak": weak(key), **self._shown(made)}

    @operation("keys.rotate", Role.ADMIN, changes=True)
    def rotate(self, project: str, overlap: Overlap) -> Answer:
        """Make a write key, and let those that the project has end after so many days."""
        key, made, ending = self._registry.rotate_key(project, overlap)
        return {"key": key, **self._shown(made), "ending": [self._shown(one) for one in ending]}

    @operation("keys.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every write key, by the beginning of its hash."""
        return {"keys": [self._shown(key) for key in self._registry.catalogue.keys.values()]}

    @operation("keys.revoke", Role.ADMIN, changes=True)
    def revoke(self, key: str) -> Answer:
        """Make a write key useless at once."""
        gone = self._registry.revoke_key(key)
        today, others = self._registry.today(), self._registry.catalogue.keys.values()
        return {**self._shown(gone), "left": sum(one.project == gone.project and one.accepted(today) for one in others)}

    def _shown(self, key: WriteKey) -> Answer:
        used = self._last_used.last(key.key_hash)
        return {
            "id": key.id,
            "project": key.project,
            "created": key.created.isoformat(),
            "revoked": key.revoked,
            "ends": key.ends.isoformat() if key.ends else None,
            "accepted": key.accepted(self._registry.today()),
            "last_used": used.isoformat() if used else None,
        }


class OAuth(Area):
    """Manage the public keys with which SDKs fetch tokens."""

    def __init__(self, registry: Registry, oauth_keys: OAuthKeys) -> None:
        self._registry = registry
        self._oauth_keys = oauth_keys

    @operation("oauth.add", Role.ADMIN, changes=True)
    def add(self, project: str, public_key: str) -> Answer:
        """Accept a public key, in PEM form."""
        self._registry.catalogue.newest(project)
        return _key(self._oauth_keys.add(project, public_key))

    @operation("oauth.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every public key, by its id."""
        return {"keys": [_key(key) for key in self._oauth_keys.keys.values()]}

    @operation("oauth.revoke", Role.ADMIN, changes=True)
    def revoke(self, key: str) -> Answer:
        """Make a public key, and every token that was given for it, useless at once."""
        return _key(self._oauth_keys.revoke(key))


def _key(key: OAuthKey) -> Answer:
    return {"id": key.id, "project": key.project, "created": key.created.isoformat(), "revoked": key.revoked}


_LONGEST_LABEL = 100
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class Tokens(Area):
    """Who may read and operate."""

    def __init__(self, registry: Registry, tokens: AccessTokens, last_used: LastUsed) -> None:
        self._registry = registry
        self._tokens = tokens
        self._last_used = last_used

    @operation("tokens.create", Role.ADMIN, changes=True)
    def create(self, role: str, label: str, days: Days, projects: Sequence[str] = ()) -> Answer:
        """Make a token. It is in the answer, and nowhere else. No projects: it is for all of them."""
        try:
            wanted = Role.named(role)
        except KeyError:
            raise UsageError(f"there is no role {role!r}; choose viewer, analyst, changes or admin") from None
        if not label.strip() or not label.isprintable() or len(label) > _LONGEST_LABEL:
            raise UsageError(f"a label must be 1 to {_LONGEST_LABEL} printable characters; say what the token is for")
        if wanted is Role.ADMIN and projects:
            raise UsageError("an admin's token is for all projects; name none, or choose viewer, analyst or changes")
        for project in projects:
            self._registry.catalogue.newest(project)
        text, token = self._tokens.create(wanted, projects, label.strip(), days)
        return {"token": text, **self._shown(token)}

    @operation("tokens.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every token, by the beginning of its hash."""
        return {"tokens": [self._shown(token) for token in self._tokens.all()]}

    @operation("tokens.revoke", Role.ADMIN, changes=True)
    def revoke(self, token: str) -> Answer:
        """Make a token useless at once, and its sessions."""
        return self._shown(self._tokens.revoke(token))

    def _shown(self, token: Token) -> Answer:
        used = self._last_used.last(token.token_hash)
        return {
            "id": token.id,
            "role": token.role.word,
            "projects": sorted(token.projects),
            "label": token.label,
            "created": token.created.isoformat(),
            "expires": token.expires.isoformat() if token.expires else None,
            "revoked": token.revoked,
            "accepted": token.opens(self._registry.today()),
            "last_used": used.isoformat() if used else None,
        }
