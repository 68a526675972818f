"""Operations on the tokens with which people read and operate. May import: core, access."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from innerloop_collector.access.roles import Role
from innerloop_collector.access.tokens import Token
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.errors import UsageError

_LONGEST_LABEL = 100
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class Tokens(Area):
    """Who may read and operate."""

    @operation("tokens.create", Role.ADMIN)
    def create(self, role: str, label: str, days: Days, projects: Sequence[str] = ()) -> Answer:
        """Make a token. It is in the answer, and nowhere else. No projects: it is for all of them."""
        try:
            wanted = Role.named(role)
        except KeyError:
            raise UsageError(f"there is no role {role!r}; choose viewer, analyst or admin") from None
        if not label.strip() or not label.isprintable() or len(label) > _LONGEST_LABEL:
            raise UsageError(f"a label must be 1 to {_LONGEST_LABEL} printable characters; say what the token is for")
        if wanted is Role.ADMIN and projects:
            raise UsageError("an admin's token is for all projects; leave out --project, or choose viewer or analyst")
        for project in projects:
            self.core.registry.catalogue.newest(project)
        text, token = self.core.tokens.create(wanted, projects, label.strip(), days)
        return {"token": text, **self._shown(token)}

    @operation("tokens.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every token, by the beginning of its hash."""
        return {"tokens": [self._shown(token) for token in self.core.tokens.all()]}

    @operation("tokens.revoke", Role.ADMIN)
    def revoke(self, token: str) -> Answer:
        """Make a token useless at once, and its sessions."""
        return self._shown(self.core.tokens.revoke(token))

    def _shown(self, token: Token) -> Answer:
        used = self.core.uses.last(token.token_hash)
        return {
            "id": token.id,
            "role": token.role.word,
            "projects": sorted(token.projects),
            "label": token.label,
            "created": token.created.isoformat(),
            "expires": token.expires.isoformat() if token.expires else None,
            "revoked": token.revoked,
            "accepted": token.opens(self.core.registry.today()),
            "last_used": used.isoformat() if used else None,
        }
