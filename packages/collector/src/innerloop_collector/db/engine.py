"""Runs SQL on ClickHouse's engine.

The engine is embedded through chDB (`embedded`), or a server's (`server`): driver and SQL are the same. A client serves one
thread. Nothing may fork after the embedded engine was opened: queries of a forked child hang.
"""

import contextlib
import ctypes
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from ssl import SSLError
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TimeoutException

from innerloop_collector.db.integrity.repair import PartsRepair
from innerloop_collector.db.layout import Layout
from innerloop_collector.errors import StoreError

_PATIENCE = 30.0  # seconds
_POLL = 0.1
Rows = Sequence[Sequence[Any]]
_T = TypeVar("_T")
_ONE_THREAD = {"max_threads": "1", "max_insert_threads": "1", "input_format_parallel_parsing": "0"}  # a block is too small to be shared out


class Engine:
    """Runs SQL, with one client per thread."""

    def __init__(self, connect: Callable[[], Client], layout: Layout = Layout()) -> None:  # noqa: B008 - it is frozen
        self._connect = connect
        self.layout = layout
        self.fence: Callable[[], None] = _nobody_else  # raises StoreError where another process may write by now
        self._local = threading.local()
        self._clients: list[Client] = []
        self._open_ended: set[str] = set()  # queries
        self.parts_repair = PartsRepair(self.query, partial(self.command, fenced=False))
        self._guard = threading.Lock()
        # Held by who waits for a mutation, by who removes the files of those that are done, and by who stops merges.
        self.mutating = threading.Lock()

    def open(self) -> None:
        """Give the calling thread its client now instead of at its first query; where that fails, at its first query.

        A pool of threads whose first one fails here would never work again.
        """
        with contextlib.suppress(StoreError):
            self._client()

    def ping(self) -> None:
        """Ask whether the engine answers. Raises StoreError."""
        self.query("SELECT 1")

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        """Run a SELECT and return its rows."""
        return self._read(lambda: list(self._client().query(sql, parameters=parameters).result_rows))

    def command(self, sql: str, parameters: dict[str, Any] | None = None, fenced: bool = True) -> None:
        """Run a statement that returns nothing of interest."""
        if fenced:
            self.fence()
        try:
            self._client().raw_query(sql, parameters=parameters)
        except (ClickHouseError, OSError) as error:
            raise readable(error) from error

    def delete(self, table: str, where: str, parameters: dict[str, Any]) -> None:
        """Remove rows of one of the small tables, from the disk as well, where there are any."""
        if self.query(f"SELECT count() FROM {table} WHERE {where}", parameters)[0][0]:
            with self.mutating:
                self.command(f"ALTER TABLE {self.layout.altered(table)} DELETE WHERE {where} SETTINGS mutations_sync = 2", parameters)

    def insert(self, table: str, columns: "dict[str, str]", rows: Rows, token: str = "") -> None:
        """Insert rows (values in the order of `columns`, name -> type). On return they are on the disk."""
        self.fence()
        query = uuid.uuid4().hex
        if self.layout.remote:  # with a token of its own: replicated tables take rows that look alike for a repetition
            self._insert(table, columns, rows, {"query_id": query, "insert_deduplication_token": token or query})
            return
        with self.parts_repair.over(table):
            self._insert(table, columns, rows, _ONE_THREAD | ({"insert_deduplication_token": token} if token else {}))

    def _insert(self, table: str, columns: "dict[str, str]", rows: Rows, settings: dict[str, str]) -> None:
        block = list(zip(*rows, strict=True))
        try:
            self._client().insert(
                table,
                block,
                column_names=list(columns),
                column_type_names=list(columns.values()),
                column_oriented=True,
                settings=settings,
            )
        except (ClickHouseError, OSError) as error:
            if self.layout.remote and isinstance(error.__cause__, HTTPError):
                self._open_ended.add(settings["query_id"])
            raise readable(error) from error
        finally:
            block.clear()  # the driver's context holds itself, and so what was inserted, until garbage is looked for

    def export(self, sql: str) -> bytes:
        """Run a SELECT and return its rows as one Parquet file."""
        settings = {"output_format_parquet_compression_method": "zstd"}
        return self._read(lambda: bytes(self._client().raw_query(sql, fmt="Parquet", settings=settings)))

    def _read(self, select: Callable[[], _T]) -> _T:
        """Read, and once more where a table was read anew meanwhile."""
        while True:
            before = self.parts_repair.readings
            self._finish_inserts()
            try:
                found = select()
            except (ClickHouseError, OSError) as error:
                if before == self.parts_repair.readings:
                    raise readable(error) from error
            else:
                if before == self.parts_repair.readings:
                    return found

    def load(self, table: str, columns: Sequence[str], content: bytes) -> None:
        """Insert the rows of a Parquet file. On return they are on the disk."""
        self.fence()
        with contextlib.nullcontext() if self.layout.remote else self.parts_repair.over(table):
            try:
                self._client().raw_insert(table, column_names=columns, insert_block=content, fmt="Parquet")
            except (ClickHouseError, OSError) as error:
                raise readable(error) from error

    def look_after_parts(self) -> bool:
        """Look whether what merges wrote is whole, before what they replaced is gone, and mend it; tell whether something was not. Raises StoreError."""
        return not self.layout.remote and self.parts_repair.look()

    def has_broken_parts(self, tables: Iterable[str]) -> bool:
        """Look the same way, and mend nothing. Raises StoreError."""
        return not self.layout.remote and self.parts_repair.broken(tables)

    def _finish_inserts(self) -> None:
        """See to what inserts left behind. A server may be at work still on one whose connection ended: what it stores must be seen before more is."""
        self.parts_repair.mend()
        for query in list(self._open_ended):
            deadline = time.monotonic() + _PATIENCE
            while self._running(query):
                if time.monotonic() > deadline:
                    raise StoreError("the store failed: an insert of before is still at work")
                time.sleep(_POLL)
            self._open_ended.discard(query)

    def _running(self, query: str) -> bool:
        sql = f"SELECT count() FROM {self.layout.system('processes')} WHERE initial_query_id = {{query:String}}"
        return bool(self._client().query(sql, parameters={"query": query}).result_rows[0][0])

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
            raise readable(error) from error


def _nobody_else() -> None:
    """A process that has the store for itself."""


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


def readable(error: Exception) -> StoreError:
    """What a user is told of an error that the driver raised."""
    if isinstance(error.__cause__, HTTPError):
        return StoreError(f"the store failed: the ClickHouse server {_transport(error.__cause__)}")
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return StoreError(f"the store failed: {first[:300]}", code=getattr(error, "code", None))


def _transport(error: BaseException) -> str:
    """Say how a request failed, without its address, which holds settings and the server's name."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for one in causes:
        if isinstance(one, SSLError):
            return f"has no certificate that is trusted here ({one.reason or 'TLS failed'})"
        if isinstance(one, OSError) and one.strerror and not isinstance(one, ConnectionResetError | BrokenPipeError):
            return f"cannot be reached: {one.strerror}"
    if any(isinstance(one, TimeoutError | TimeoutException) for one in causes):
        return "did not answer in time"
    return "ended the connection"
