"""The launcher's caches as files: which there are, and that they do not become many."""

import re

from innerloop.core.shared import files
from innerloop.core.spool import entries, store

NAME = re.compile(rf"[0-9]+-[0-9]+(?:%.*|.{{150}})?{files.BEING_WRITTEN}")
MOST = 200  # a cache, whose loss costs the next run some milliseconds


def paths(state: str) -> "list[str]":
    """What the launcher remembers, whatever stands in the place of such a file."""
    try:
        return [f"{state}/hot/{name}" for name in entries.names(f"{state}/hot") if NAME.fullmatch(name)]
    except OSError:
        return []


def forget_old(state: str) -> None:
    """Delete what the launcher remembers of project files that were replaced long ago: each `git pull` that changes one leaves some KB."""
    for path in sorted(paths(state), key=store.modified, reverse=True)[MOST:]:
        files.remove(path)
