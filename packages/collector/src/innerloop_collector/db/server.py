"""Clients of a ClickHouse server, by URL.

They speak HTTP. Parameters travel in the body: an address has a limit, and ends up in the logs of whatever lies between.
The driver's own logs are silenced by `monitoring.logs`, since they quote addresses and statements.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.httputil import get_pool_manager_options
from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError, ProtocolError

from innerloop_collector.config.configuration import Store
from innerloop_collector.config.files import read_text
from innerloop_collector.db.layout import Layout
from innerloop_collector.errors import UsageError

_PORTS = {"http": 8123, "https": 8443}
_CONNECT_SECONDS = 5
_SETTINGS: dict[str, Any] = {
    "async_insert": 0,  # an answer means that the rows are stored
    "log_queries": 0,  # a server's log of queries would keep the keys that a deletion names
    "max_query_size": 16_777_216,  # of a deletion that names many keys
    "session_timezone": "UTC",
}
_CLUSTER: dict[str, Any] = {
    "distributed_foreground_insert": 1,  # the answer comes when the shards have the rows
    "insert_quorum": "auto",  # and most replicas of each
    "insert_quorum_parallel": 0,  # one writer: with this, a look-up sees every insert before it
    "select_sequential_consistency": 1,
    "skip_unavailable_shards": 0,  # a report without a shard would be a wrong one
    "load_balancing": "in_order",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLUSTER_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class _Pool(PoolManager):
    """Connections that never send rows a second time.

    The driver would, where a connection ends before the answer. The first insert may have stored them; or it may have failed after
    the engine noted its token, and the second would be taken for a repetition. The caller looks what is stored before it sends again.
    """

    def request(self, method: str, url: str, *args: Any, **options: Any) -> BaseHTTPResponse:
        """Make a request. Raises an error that the driver does not answer by repeating, where rows were sent."""
        response = None
        try:
            response = super().request(method, url, *args, **options)
        except ProtocolError:
            if not _sends_rows(options):
                raise
        if response is None or (_sends_rows(options) and _cut_short(response)):
            raise HTTPError("the connection ended while rows were sent")
        return response


def _sends_rows(options: dict[str, Any]) -> bool:
    return options.get("fields") is None and not isinstance(options.get("body"), bytes | str | None)


def _cut_short(response: BaseHTTPResponse) -> bool:
    """Whether the connection ended within the headers, where the server reports its progress."""
    return 200 <= response.status < 300 and all(name.lower() == "x-clickhouse-progress" for name in response.headers)


def layout_of(settings: Store) -> Layout:
    """How the tables lie on the server. Raises UsageError for an address that cannot be one."""
    address = _address(settings)
    database = unquote(address.path.strip("/")) or "default"
    if not _NAME.fullmatch(database):
        raise UsageError("store.url: the database's name may hold letters, digits and _ only; give it as https://user@host:8443/database")
    if settings.cluster and not _CLUSTER_NAME.fullmatch(settings.cluster):
        raise UsageError("store.cluster: a cluster's name may hold letters, digits and . _ - only")
    return Layout(remote=True, database=database, cluster=settings.cluster)


def by_url(settings: Store, session: dict[str, Any]) -> Callable[[], Client]:
    """Make clients of a server. Raises UsageError for settings that cannot work."""
    address = _address(settings)
    layout = layout_of(settings)
    password = _password(settings.password_file)
    options: dict[str, Any] = {"ca_cert": settings.ca_file} if settings.ca_file else {}
    if settings.ca_file and not Path(settings.ca_file).is_file():
        raise UsageError(f"store.ca_file: there is no file {settings.ca_file}")
    pool = _Pool(**get_pool_manager_options(maxsize=16, **options))
    wanted = {**session, **_SETTINGS, **(_CLUSTER if layout.cluster else {})}

    def connect() -> Client:
        return create_client(
            interface=address.scheme,
            host=address.hostname or "",
            port=address.port or _PORTS[address.scheme],
            username=unquote(address.username or "default"),
            password=password,
            database=layout.database,
            settings=dict(wanted),
            tz_mode="aware",
            compress=False,
            pool_mgr=pool,
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=settings.timeout_seconds,
            autogenerate_session_id=False,
            form_encode_query_params=True,
            show_clickhouse_errors="scrub",
        )

    return connect


def _address(settings: Store) -> SplitResult:
    try:
        address = urlsplit(settings.url)
        address.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise UsageError(f"store.url is no address: {error}; give it as https://user@host:8443/database") from None
    if address.scheme not in _PORTS or not address.hostname or address.query or address.fragment:
        raise UsageError("store.url must look like https://user@host:8443/database")
    if address.password is not None:
        raise UsageError("store.url holds a password; put it into a file of its own and name that: store.password_file")
    return address


def _password(name: str) -> str:
    if not name:
        return ""
    try:
        return read_text(Path(name)).strip()
    except UsageError as error:
        raise UsageError(f"store.password_file: {error}") from None
