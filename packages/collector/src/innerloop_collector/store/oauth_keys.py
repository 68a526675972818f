"""Public keys with which SDKs ask for a token, and the requests that were answered already.

A token names the key that it was given for: with that key revoked it
opens nothing.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import QueueFull, UsageError
from innerloop_collector.store.keyed_hash import Hasher

_FEWEST_BITS = 2048
_MOST_LIVE = 10_000


@dataclass(frozen=True, slots=True)
class OAuthKey:
    """A public key of a project. The project's id is what OAuth calls the client id."""

    project: str
    id: str  # what a client assertion names as `kid`: the beginning of the key's SHA-256
    pem: str
    created: date
    revoked: bool
    version: int


class OAuthKeys:
    """Reads and changes the public keys; all of them are in memory as well."""

    def __init__(self, engine: Engine, today: Callable[[], date]) -> None:
        self._engine = engine
        self._today = today
        self._guard = threading.Lock()
        self.keys: dict[str, OAuthKey] = {}

    def load(self) -> None:
        """Read everything from the store."""
        rows = self._engine.query(f"SELECT {', '.join(schema.OAUTH_KEYS)} FROM oauth_keys FINAL ORDER BY created_day, key_id")
        self.keys = {key.id: key for key in (OAuthKey(*row) for row in rows)}

    def valid(self, key_id: object) -> OAuthKey | None:
        """Find a key that is not revoked."""
        key = self.keys.get(key_id) if isinstance(key_id, str) else None
        return key if key and not key.revoked else None

    def add(self, project: str, pem: str) -> OAuthKey:
        """Accept a public key. Raises UsageError for anything that is none."""
        normal, key_id = _read(pem)
        with self._guard:
            old = self.keys.get(key_id)
            if old is not None and old.project != project:
                raise UsageError(f"this public key belongs to the project {old.project!r} already; make another pair for {project!r}")
            made = OAuthKey(project, key_id, normal, self._today(), revoked=False, version=old.version + 1 if old else 1)
            self._put(made)
            return made

    def revoke(self, key_id: str) -> OAuthKey:
        """Make a key, and every token that was given for it, useless at once."""
        with self._guard:
            found = [key for key in self.keys.values() if key_id and key.id.startswith(key_id.lower())]
            if len(found) != 1:
                what = "no public key has" if not found else "several public keys have"
                raise UsageError(f"{what} the id {key_id!r}; see them with: innerloop-collector keys oauth list")
            gone = replace(found[0], revoked=True, version=found[0].version + 1)
            self._put(gone)
            return gone

    def _put(self, key: OAuthKey) -> None:
        row = (key.project, key.id, key.pem, key.created, key.revoked, key.version)
        self._engine.insert("oauth_keys", schema.OAUTH_KEYS, [row])
        self.load()


def _read(pem: str) -> tuple[str, str]:
    """A public key as PEM in its one normal form, and its id."""
    if "PRIVATE KEY" in pem:
        raise UsageError(
            "this file holds a private key, which stays with the program that sends; give its public half: openssl pkey -pubout"
        )
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("this file holds no public key in PEM form; make one with: openssl pkey -in PRIVATE -pubout -out FILE") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _FEWEST_BITS:
        raise UsageError(f"the public key must be RSA with at least {_FEWEST_BITS} bits, since Segment's SDKs sign with RS256")
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    normal = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return normal, hashlib.sha256(der).hexdigest()[:16]


class Assertions:
    """Remembers which requests for a token were answered, also over a restart: each is good for one."""

    def __init__(self, engine: Engine, hasher: Hasher, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._hasher = hasher
        self._now = now
        self._guard = threading.Lock()
        self._used: dict[int, datetime] = {}

    def load(self) -> None:
        """Read those that have not expired."""
        rows = self._engine.query("SELECT assertion, expires FROM oauth_assertions WHERE expires > {now:DateTime}", {"now": self._now()})
        self._used = {assertion: expires.astimezone(UTC) for assertion, expires in rows}

    def forget(self) -> None:
        """Remove those that have expired from the store."""
        self._engine.delete("oauth_assertions", "expires < {now:DateTime}", {"now": self._now()})

    def use(self, key_id: str, name: str, expires: datetime) -> bool:
        """Use an assertion up, on the disk when this returns. False: it was used before. Raises QueueFull for too many at once."""
        assertion = self._hasher.assertion(key_id, name)
        with self._guard:
            now = self._now()
            self._used = {one: until for one, until in self._used.items() if until > now}
            if assertion in self._used:
                return False
            if len(self._used) >= _MOST_LIVE:
                raise QueueFull("too many tokens are asked for")
            self._used[assertion] = expires
        self._engine.insert("oauth_assertions", schema.OAUTH_ASSERTIONS, [(assertion, expires)])
        return True
