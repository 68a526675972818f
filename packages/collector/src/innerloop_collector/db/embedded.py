"""Opens the embedded engine over a directory.

It reads the host's time zone when it is loaded, and fails under one that it does not know: it gets UTC. What it has to say when it starts,
it writes to stderr, many lines of it: that goes to our log, so that what a command prints is its own.
"""

import contextlib
import importlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from innerloop_collector.errors import StoreError, UsageError

_STDERR = 2
_LONGEST = 500  # characters of what the engine says
_FRAME = re.compile(r"\d+\. ")
_NO_CACHE = {"use_query_condition_cache": 0}  # no two look-ups ask for the same keys: the cache only grows, to 100 MB
SESSION = {"max_memory_usage": 2_000_000_000, "max_execution_time": 60}
_log = structlog.get_logger()


def embedded(path: Path, scratch: Path) -> Callable[[], Client]:
    """Make clients of the embedded engine over a directory. Raises UsageError for one that it would not find."""
    if "?" in os.path.realpath(path):
        raise UsageError(
            f"a store cannot lie in {path}: the engine takes what follows a question mark for settings; choose another place with --data DIR"
        )
    running = False

    def connect() -> Client:
        nonlocal running
        if running:
            return _client_of(path)
        with _listening(scratch) as said:
            _load(scratch)
            try:
                client = _client_of(path)
            except ClickHouseError as error:
                if not (why := said()):
                    raise
                raise StoreError(
                    f"the store in {path} cannot be opened: {why}; move what is not the engine's out of it, or restore a backup"
                ) from error
            what = said()
        if what:
            _log.warning("the engine said something", text=what)
        running = True
        return client

    return connect


def _load(scratch: Path) -> None:
    """Load the engine, and set its process up for it. Raises StoreError: whatever goes wrong here, the driver would say that it is not installed.

    Both settings are of the whole process, since engine and driver take no others: it has one store.
    """
    tempfile.tempdir = str(scratch)  # the driver passes inserts through a temporary file
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        importlib.import_module("chdb")
    except Exception as error:  # the engine starts once while it is imported
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:_LONGEST]
        raise StoreError(f"the embedded engine cannot be loaded: {why}") from error


def _client_of(path: Path) -> Client:
    return create_client(interface="chdb", path=str(path), settings=SESSION | _NO_CACHE, tz_mode="aware")


@contextlib.contextmanager
def _listening(scratch: Path) -> Iterator[Callable[[], str]]:
    """Take what is written to stderr, and say in one line what it was."""
    stderr = os.dup(_STDERR)
    with tempfile.TemporaryFile(dir=scratch) as heard:

        def said() -> str:
            heard.seek(0)
            lines = heard.read().decode(errors="replace").splitlines()
            return " ".join(" ".join(line for line in lines if not _FRAME.match(line)).split())[:_LONGEST]

        os.dup2(heard.fileno(), _STDERR)
        try:
            yield said
        finally:
            os.dup2(stderr, _STDERR)
            os.close(stderr)
