"""Read-only links: each opens one page, as its address says it, for whoever has the link. Kept as hashes, like tokens."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import UsageError
from innerloop_collector.store.keyed_hash import Hasher

_ALL = """SELECT link_hash, project, address, label, created_day, expires_day, revoked, version
    FROM links FINAL ORDER BY created_day, link_hash"""
PREFIX = "ill_"  # so that scanners for leaked secrets can know one


@dataclass(frozen=True, slots=True)
class ReadLink:
    """A link, of which only the hash is known. The fields are those of the table."""

    link_hash: str
    project: str
    address: str  # of the page, with its filters
    label: str
    created: date
    expires: date  # the last day on which it opens anything
    revoked: bool
    version: int

    @property
    def id(self) -> str:
        """How a person names the link."""
        return self.link_hash[:12]

    def opens(self, today: date) -> bool:
        """Tell whether the link is good on a day."""
        return not self.revoked and today <= self.expires


class ReadLinks:
    """Makes, finds and revokes read-only links. All of them are in the store and in memory."""

    def __init__(self, engine: Engine, hasher: Hasher, today: Callable[[], date]) -> None:
        self._engine = engine
        self._hasher = hasher
        self.today = today
        self._guard = threading.Lock()
        self._links: dict[str, ReadLink] = {}

    def load(self) -> None:
        """Read all of them from the store."""
        self._links = {row[0]: ReadLink(*row) for row in self._engine.query(_ALL)}

    def all(self) -> list[ReadLink]:
        """Every link that was ever made, the oldest first, as they are now."""
        with self._guard:
            return list(self._links.values())

    def find(self, text: str) -> ReadLink | None:
        """The link that a text is, also one that is good no more."""
        return self._links.get(self._hasher.token(text))

    def create(self, project: str, address: str, label: str, days: int) -> tuple[str, ReadLink]:
        """Make a link that is good for a number of days. Its text is returned and not kept."""
        text = PREFIX + secrets.token_urlsafe(32)
        today = self.today()
        made = ReadLink(self._hasher.token(text), project, address, label, today, today + timedelta(days=days), revoked=False, version=1)
        with self._guard:
            self._put(made)
        return text, made

    def revoke(self, link_id: str) -> ReadLink:
        """Make a link useless at once. Raises UsageError where none, or more than one, has the id."""
        with self._guard:
            found = [one for one in self._links.values() if link_id and one.link_hash.startswith(link_id.lower())]
            if len(found) != 1:
                what = "no link has" if not found else "several links have"
                raise UsageError(f"{what} the id {link_id!r}; see them with: innerloop-collector links list")
            return self._gone(found[0])

    def revoke_all(self) -> None:
        """Make every link useless."""
        with self._guard:
            for one in [one for one in self._links.values() if not one.revoked]:
                self._gone(one)

    def _gone(self, link: ReadLink) -> ReadLink:
        gone = replace(link, revoked=True, version=link.version + 1)
        self._put(gone)
        return gone

    def _put(self, one: ReadLink) -> None:
        row = (one.link_hash, one.project, one.address, one.label, one.created, one.expires, one.revoked, one.version)
        self._engine.insert("links", schema.LINKS, [row])
        self._links[one.link_hash] = one
