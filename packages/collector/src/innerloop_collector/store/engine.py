"""The one place that makes clients of the engine. May import: clickhouse_connect, errors, settings.

The engine is ClickHouse's, embedded through chDB; the SQL and the driver are the same for a server, which would only
need another `connect` here. A client serves one thread. Nothing may fork after the engine was opened: queries of a
forked child hang.
"""

import ctypes
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from innerloop_collector.errors import StoreError

Rows = Sequence[Sequence[Any]]
_SESSION = {"max_memory_usage": 2_000_000_000, "max_execution_time": 60}


def embedded(path: Path, scratch: Path) -> Callable[[], Client]:
    """Make clients of the embedded engine over a directory."""
    tempfile.tempdir = str(scratch)  # the driver passes inserts through a temporary file

    def connect() -> Client:
        return create_client(interface="chdb", path=str(path), settings=dict(_SESSION), tz_mode="aware")

    return connect


class Engine:
    """Runs SQL, with one client per thread."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._clients: list[Client] = []
        self._guard = threading.Lock()
        self.mutating = threading.Lock()  # held by who waits for a mutation, and by who removes the files of those that are done

    def open(self) -> None:
        """Give the calling thread its client now instead of at its first query."""
        self._client()

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        """Run a SELECT and return its rows."""
        try:
            return list(self._client().query(sql, parameters=parameters).result_rows)
        except (ClickHouseError, OSError) as error:
            raise _readable(error) from error

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> None:
        """Run a statement that returns nothing of interest."""
        try:
            self._client().command(sql, parameters=parameters)
        except (ClickHouseError, OSError) as error:
            raise _readable(error) from error

    def insert(self, table: str, columns: "dict[str, str]", rows: Rows, token: str = "") -> None:
        """Insert rows (values in the order of `columns`, name -> type). On return they are on the disk."""
        settings = {"insert_deduplication_token": token} if token else None
        try:
            self._client().insert(
                table,
                list(zip(*rows, strict=True)),
                column_names=list(columns),
                column_type_names=list(columns.values()),
                column_oriented=True,
                settings=settings,
            )
        except (ClickHouseError, OSError) as error:
            raise _readable(error) from error

    def close(self) -> None:
        """Close every client; the engine ends with the last one."""
        with self._guard:
            while self._clients:
                self._clients.pop().close()

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            with self._guard:
                client = self._local.client = self._open_client()
                self._clients.append(client)
        return client

    def _open_client(self) -> Client:
        try:
            return self._connect()
        except (ClickHouseError, OSError) as error:
            raise _readable(error) from error


def sync(directory: Path) -> None:
    """Write what the operating system holds of a directory's file system to the disk: the engine syncs most of its files, not all."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):  # macOS
        os.sync()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor):
            raise StoreError(f"the disk failed: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def _readable(error: Exception) -> StoreError:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return StoreError(f"the store failed: {first[:300]}")
