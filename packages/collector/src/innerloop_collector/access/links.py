"""Links that sign somebody in once: for whoever sees what the service prints where it runs."""

import hashlib
import secrets
import threading
from collections.abc import Callable

_SECONDS = 600.0  # for which a link is good
_MOST = 100  # that wait to be used; the oldest makes room


class SignInLinks:
    """Makes links and takes each of them once. Only hashes are kept, and in memory."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._made: dict[bytes, float] = {}  # by the hash of its text; the oldest first

    def make(self) -> str:
        """The text of a new link, which is told to one person and kept nowhere."""
        text = secrets.token_urlsafe(32)
        with self._guard:
            while len(self._made) >= _MOST:
                del self._made[next(iter(self._made))]
            self._made[_hash(text)] = self._monotonic()
        return text

    def use(self, text: str) -> bool:
        """Tell whether a link is good, and make it useless."""
        with self._guard:
            made = self._made.pop(_hash(text), None)
        return made is not None and self._monotonic() - made <= _SECONDS


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
