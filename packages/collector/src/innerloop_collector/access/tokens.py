"""The tokens with which people read and operate: made once, kept as hashes, each with a role.

Like the registry of projects, all of them are in the store and in memory. A token carries 256 random bits, so a fast
keyed hash is enough and guessing needs no counter.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from innerloop_collector.access.principal import Role
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import UsageError
from innerloop_collector.store.keyed_hash import Hasher

_ALL = """SELECT token_hash, role, projects, label, created_day, expires_day, revoked, version
    FROM tokens FINAL ORDER BY created_day, token_hash"""
PREFIX = "ilt_"  # so that scanners for leaked secrets can know one


@dataclass(frozen=True, slots=True)
class Token:
    """A token, of which only the hash is known. The fields are those of the table."""

    token_hash: str
    role: Role
    projects: frozenset[str]  # empty: all
    label: str
    created: date
    expires: date | None  # the last day on which it opens anything
    revoked: bool
    version: int

    @property
    def id(self) -> str:
        """How a person names the token."""
        return self.token_hash[:12]

    def opens(self, today: date) -> bool:
        """Tell whether the token is good on a day."""
        return not self.revoked and (self.expires is None or today <= self.expires)


class Tokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, engine: Engine, hasher: Hasher, today: Callable[[], date]) -> None:
        self._engine = engine
        self._hasher = hasher
        self._today = today
        self._guard = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def load(self) -> None:
        """Read all of them from the store."""
        rows = self._engine.query(_ALL)
        self._tokens = {row[0]: Token(row[0], Role.named(row[1]), frozenset(row[2]), *row[3:]) for row in rows}

    def all(self) -> Iterable[Token]:
        """Every token that was ever made, the oldest first."""
        return self._tokens.values()

    def find(self, text: str) -> Token | None:
        """The token that a text is, if it is good today."""
        return self.good(self._hasher.token(text))

    def good(self, token_hash: str) -> Token | None:
        """The token with a hash, if it is good today."""
        found = self._tokens.get(token_hash)
        return found if found and found.opens(self._today()) else None

    def create(self, role: Role, projects: Iterable[str], label: str, days: int) -> tuple[str, Token]:
        """Make a token that is good for a number of days. Its text is returned and not kept."""
        text = PREFIX + secrets.token_urlsafe(32)
        today = self._today()
        token = Token(
            self._hasher.token(text), role, frozenset(projects), label, today, today + timedelta(days=days), revoked=False, version=1
        )
        with self._guard:
            self._put(token)
        return text, token

    def revoke(self, token_id: str) -> Token:
        """Make a token useless at once, and the sessions that were opened with it."""
        with self._guard:
            found = [token for token in self._tokens.values() if token_id and token.token_hash.startswith(token_id.lower())]
            if len(found) != 1:
                what = "no token has" if not found else "several tokens have"
                raise UsageError(f"{what} the id {token_id!r}; see them with: innerloop-collector tokens list")
            gone = replace(found[0], revoked=True, version=found[0].version + 1)
            self._put(gone)
            return gone

    def revoke_all(self) -> int:
        """Make every token useless. Says how many were good until now."""
        with self._guard:
            revoked = [replace(token, revoked=True, version=token.version + 1) for token in self._tokens.values() if not token.revoked]
            good = sum(self.good(token.token_hash) is not None for token in revoked)
            for token in revoked:
                self._put(token)
            return good

    def _put(self, token: Token) -> None:
        row = (
            token.token_hash,
            token.role.word,
            sorted(token.projects),
            token.label,
            token.created,
            token.expires,
            token.revoked,
            token.version,
        )
        self._engine.insert("tokens", schema.TOKENS, [row])
        self.load()
