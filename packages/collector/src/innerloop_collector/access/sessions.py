"""Sessions of the dashboard: a random id in a cookie, its hash in memory, nothing on the disk.

A restart of the service ends all of them: whoever may sign in opens another.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from innerloop_collector.access.principal import Principal

_MOST = 10_000  # sessions; the one that was used longest ago makes room


@dataclass(frozen=True, slots=True)
class Session:
    """That somebody signed in."""

    opened_by: str | Principal  # the hash of a token, which is looked up each time; or who signed in without one
    began: datetime
    used: datetime


class Sessions:
    """Every session of this service."""

    def __init__(self, now: Callable[[], datetime], idle: timedelta, longest: timedelta) -> None:
        self._now = now
        self._idle = idle
        self._longest = longest
        self.longest_seconds = int(longest.total_seconds())
        self._sessions: dict[bytes, Session] = {}  # by the hash of the id; used longest ago first

    def open(self, opened_by: str | Principal) -> str:
        """Begin a session. Returns its id, which is for the cookie only."""
        text = secrets.token_urlsafe(32)
        now = self._now()
        while len(self._sessions) >= _MOST:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[_hash(text)] = Session(opened_by, now, now)
        return text

    def find(self, text: str) -> Session | None:
        """The session with an id, if it has not ended; it counts as used now."""
        key = _hash(text)
        session = self._sessions.pop(key, None)
        now = self._now()
        if session is None or now - session.used > self._idle or now - session.began > self._longest:
            return None
        self._sessions[key] = found = replace(session, used=now)
        return found

    def ends(self, session: Session) -> datetime:
        """When a session ends if it is not used any more."""
        return min(session.used + self._idle, session.began + self._longest)

    def close(self, text: str) -> None:
        """End a session."""
        self._sessions.pop(_hash(text), None)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
