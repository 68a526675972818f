"""The erasures that a person asked for and no collector confirmed yet.

Each lies in STATE/forget/KEY.json with the ids and their secrets, which are nowhere else any more.
"""

import os
import re
from typing import NamedTuple, Optional

from innerloop.core.shared import files
from innerloop.core.spool import entries, store

_FILE = re.compile(r"[0-9a-f]{24}(?:-ci)?\.json")


class Wanted(NamedTuple):
    """An erasure that a person asked for and no collector confirmed yet."""

    project: str
    endpoint: str
    write_key: str
    ids: "dict[str, str]"  # id -> erasure secret


def read(state_directory: str, key: str) -> Optional[Wanted]:
    """Read the erasure that waits under a spool's key, if any."""
    if os.path.islink(f"{state_directory}/forget"):
        return None
    try:
        wanted = Wanted(**files.json_if_sound(path(state_directory, key)))
        texts = [wanted.project, wanted.endpoint, wanted.write_key, *wanted.ids, *wanted.ids.values()]
    except (TypeError, AttributeError):
        return None
    return wanted if all(isinstance(text, str) for text in texts) else None


def waiting(state_directory: str) -> "list[str]":
    """The keys of the erasures that wait."""
    return [name[:-5] for name in entries.names(f"{state_directory}/forget") if _FILE.fullmatch(name)]


def due(state_directory: str, now: float) -> "list[str]":
    """The keys of the erasures whose next try is due: a file's time says when."""
    return [key for key in waiting(state_directory) if store.modified(path(state_directory, key)) <= now]


def path(state_directory: str, key: str) -> str:
    """Where an erasure waits."""
    return f"{state_directory}/forget/{key}.json"
