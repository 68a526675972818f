"""Keyed hashes: what stands in the store instead of ids and write keys.

Ids of other SDKs are any string, and a stored id could be looked up in a leaked client file; a keyed hash of it
joins as well and, without DIR/secret, says nothing. Write keys carry at least 128 random bits when we make them, so a
fast hash is enough: there is nothing to guess. The key protects those that somebody chose by hand.
"""

import hashlib
import secrets
from pathlib import Path

from innerloop_collector.config.files import write_private
from innerloop_collector.errors import StoreError

SIZE = 32  # bytes of a secret


class Hasher:
    """Makes the keyed hashes of one collector."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def message(self, project: str, message_id: str) -> int:
        """What stands for a message id: 128 bits, the same for the same project and id."""
        return self._number(b"message", project, message_id)

    def installation(self, project: str, user_id: str) -> int:
        """What stands for the id of an installation. Never 0, which stands for no id."""
        return self._number(b"installation", project, user_id) or 1

    def mark(self, installation: int) -> int:
        """What stands for an installation where it must be recognised after its erasure. No row of an event holds it."""
        return self._number(b"mark", "", str(installation))

    def proof(self, mark: int, secret_hash: str) -> int:
        """What stands for the hash of an installation's erasure secret."""
        return self._number(b"erasure secret", str(mark), secret_hash)

    def write_key(self, key: str) -> str:
        """What stands for a write key."""
        return self._digest(b"write key", key, 32).hex()

    def assertion(self, key_id: str, name: str) -> int:
        """What stands for a request for a token that was answered."""
        return self._number(b"assertion", key_id, name)

    def signing_secret(self) -> bytes:
        """What access tokens are signed with."""
        return self._digest(b"access tokens", "", 32)

    def fingerprint(self) -> str:
        """What tells one secret from another."""
        return self._digest(b"fingerprint", "", 16).hex()

    def token(self, text: str) -> str:
        """What stands for a token with which somebody reads or operates."""
        return self._digest(b"token", text, 32).hex()

    def _number(self, purpose: bytes, project: str, text: str) -> int:
        return int.from_bytes(self._digest(purpose, f"{project}\0{text}", 16), "big")

    def _digest(self, purpose: bytes, text: str, size: int) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size, key=self._secret, person=purpose).digest()


def load_secret(path: Path, store_exists: bool) -> bytes:
    """Read the collector's secret, or make it together with a new store."""
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        if store_exists:
            raise StoreError(f"{path} is missing, and without it nothing in the store can be matched; restore it from a backup") from None
        return _make_secret(path)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}; give it to the user whom the service runs as") from error
    if len(secret) != SIZE:
        raise StoreError(f"{path} is damaged ({len(secret)} bytes instead of {SIZE}); restore it from a backup")
    return secret


def _make_secret(path: Path) -> bytes:
    secret = secrets.token_bytes(SIZE)
    write_private(path, secret)
    return secret
