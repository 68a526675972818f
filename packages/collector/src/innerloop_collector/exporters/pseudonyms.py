"""The names that a destination sees instead of ids: keyed hashes, with a key of its own.

With one key for each destination nobody can join what two of them got, or either with the store. All names are the same for a
repetition, so that a receiver can tell it from a new event.
"""

import hashlib
import secrets
import uuid
from pathlib import Path

from innerloop_collector.config.files import write_private
from innerloop_collector.errors import StoreError

_SIZE = 32


class Pseudonyms:
    """Makes the names of one destination."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def message(self, message_key: int) -> str:
        """What stands for a message."""
        return str(uuid.UUID(bytes=self._digest(b"message", message_key, 16)))

    def nobody(self, message_key: int) -> str:
        """Stand for the sender of a message whose sender is not told: another id for every message."""
        return str(uuid.UUID(bytes=self._digest(b"nobody", message_key, 16)))

    def person(self, installation: int) -> str:
        """What stands for an installation."""
        return self._digest(b"person", installation, 16).hex()

    def trace(self, run: str) -> int:
        """What stands for a run: 128 bits, never 0."""
        return int.from_bytes(self._digest(b"trace", run, 16), "big") or 1

    def span(self, run: str, sequence: int) -> int:
        """What stands for the run itself (0) or one of its targets: 64 bits, never 0."""
        return int.from_bytes(self._digest(b"span", f"{run}/{sequence}", 8), "big") or 1

    def _digest(self, purpose: bytes, text: int | str, size: int) -> bytes:
        return hashlib.blake2b(str(text).encode(), digest_size=size, key=self._key, person=purpose).digest()


def load_pseudonyms(directory: Path, destination: str) -> Pseudonyms:
    """Read a destination's key, or make it. Raises StoreError where it cannot be read."""
    path = directory / f"{destination}.key"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = secrets.token_bytes(_SIZE)
            write_private(path, key)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; without it {destination} would see new names for old events") from error
    if len(key) != _SIZE:
        raise StoreError(f"{path} is damaged ({len(key)} bytes instead of {_SIZE}); restore it from a backup")
    return Pseudonyms(key)
