"""The services that a user runs, so that a command can say when it is about another store than they.

A file for each, named by its data directory, below XDG's place for state. It is a hint and nothing more: where it cannot be written or read,
nobody is told. Whether a service still runs, its lock says.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from innerloop_collector.config.data_lock import holder
from innerloop_collector.config.paths import Paths

_LONGEST = 4096  # bytes of a path


class Running(NamedTuple):
    """A service that runs."""

    data: Path
    url: str


@contextmanager
def registered(data: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Let this user's commands know of a service for as long as it runs."""
    place = _place(environ)
    file = place / hashlib.sha256(os.fsencode(data)).hexdigest()[:16] if place else None
    with suppress(OSError):
        if file:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.write_bytes(os.fsencode(data))
    try:
        yield
    finally:
        with suppress(OSError):
            if file:
                file.unlink()


def others(data: Path, environ: Mapping[str, str]) -> list[Running]:
    """This user's services that run on another data directory."""
    found = []
    with suppress(OSError):
        for file in sorted(place.iterdir()) if (place := _place(environ)) else ():
            theirs = Path(os.fsdecode(file.read_bytes()[:_LONGEST]))
            url = _url(theirs)
            if url and not (data.exists() and theirs.samefile(data)):
                found.append(Running(theirs, url))
    return found


def _url(data: Path) -> str | None:
    """Where the service on a data directory listens. None: none does."""
    running = holder(Paths(data).lock)
    try:
        if running is not None:
            os.kill(running.pid, 0)
    except OSError:
        return None
    return running.url if running else None


def _place(environ: Mapping[str, str]) -> Path | None:
    state = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME", "")
    base = Path(state) if os.path.isabs(state) else Path(home, ".local", "state") if os.path.isabs(home) else None
    return base / "innerloop-collector" / "services" if base else None
