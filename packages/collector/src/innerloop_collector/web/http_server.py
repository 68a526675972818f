"""The server: one listening socket, one event loop, and what a supervisor is told."""

import asyncio
import contextlib
import errno
import math
import os
import signal
import socket
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from starlette.types import ASGIApp

from innerloop_collector.config.data_lock import DataLock
from innerloop_collector.errors import CollectorError
from innerloop_collector.http.name_lookups import wait_for_no_lookup
from innerloop_collector.web.connection_guard import Guard
from innerloop_collector.web.health import Notifier

_OF_THE_PORT = {errno.EADDRINUSE, errno.EACCES}
_ANOTHER_HOST = "give a name or an address of this machine with --host"
_log = structlog.get_logger()


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket. Raises CollectorError."""
    try:
        return socket.create_server((host, port), backlog=512, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)  # below 0: of the look-up of a name
        theirs = "choose another with --port, 0 takes any" if error.errno in _OF_THE_PORT else _ANOTHER_HOST
        raise CollectorError(f"cannot listen on {host} port {port}: {why.partition(' (')[0]}; {theirs}") from error
    except (TypeError, UnicodeError) as error:
        raise CollectorError(f"cannot listen on {host!r} port {port}: that is no name of a machine; {_ANOTHER_HOST}") from error


def url_of(host: str, listener: socket.socket) -> str:
    """The address of the service on this machine."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


async def run(
    application: ASGIApp,
    guard: Guard,
    listener: socket.socket,
    url: str,
    lock: DataLock,
    healthy: Callable[[], bool],
    sign_in: Callable[[], str] | None,
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was begun. The supervisor hears of it for as long as the service is healthy.

    `sign_in` makes a link that is shown to whoever started the service, once it listens.
    """
    config = uvicorn.Config(
        application,
        http=guard.protocol(),
        h11_max_incomplete_event_size=guard.limits.header_bytes,
        lifespan="off",
        access_log=False,
        log_config=None,
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=math.ceil(guard.limits.idle_seconds),
        timeout_graceful_shutdown=30,
        backlog=512,
    )
    server = _Server(config, url, lock, sign_in)
    wait_for_no_lookup()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):  # after the engine was opened: it resets handlers
        loop.add_signal_handler(number, server.handle_exit, number, None)
    watchdog = asyncio.create_task(Notifier().keep_alive(healthy))
    try:
        await server.serve(sockets=[listener])
    finally:
        watchdog.cancel()
        lock.announce(None)  # a command that comes now waits for the store instead of asking a service that ends


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to us: uvicorn would end the process with the signal again."""

    def __init__(self, config: uvicorn.Config, url: str, lock: DataLock, sign_in: Callable[[], str] | None) -> None:
        super().__init__(config)
        self._url = url
        self._lock = lock
        self._sign_in = sign_in

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._lock.announce(self._url)
        print(f"innerloop-collector listening on {self._url}", flush=True)
        if self._sign_in is not None:
            print(f"the dashboard, once and within ten minutes: {self._url}/sign-in/{self._sign_in()}", flush=True)
        _log.info("listening", url=self._url)
        Notifier().ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        Notifier().stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
