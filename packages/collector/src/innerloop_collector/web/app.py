"""The composition root of the service: builds everything, serves, and takes it apart in order.

One process, one event loop, one writer, one eraser and two reader threads. Nothing here forks: the engine would hang.
"""

import asyncio
import contextlib
import errno
import gc
import ipaddress
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from innerloop_collector.access.authentication import Door
from innerloop_collector.admin.api import Admin, load_token
from innerloop_collector.admin.operations import Operations
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.data_lock import DataLock
from innerloop_collector.config.files import read_text
from innerloop_collector.config.paths import Paths, tighten
from innerloop_collector.core import Core
from innerloop_collector.errors import CollectorError, UsageError
from innerloop_collector.http.responses import Refusal
from innerloop_collector.ingest.authorization import Doorkeeper
from innerloop_collector.ingest.erasure_routes import Forget
from innerloop_collector.ingest.oauth import SendingTokens, TokenRoute
from innerloop_collector.ingest.rate_limits import Admission
from innerloop_collector.ingest.routes import Ingest
from innerloop_collector.ingest.subject_access_routes import ShowHoldings, Stored
from innerloop_collector.lifecycle.subject_access import Holdings
from innerloop_collector.lifecycle.sweeper import Sweeper
from innerloop_collector.monitoring import status
from innerloop_collector.monitoring.status import Waiting
from innerloop_collector.web import logs
from innerloop_collector.web.connection_guard import Guard, room_for
from innerloop_collector.web.health import Health, Notifier
from innerloop_collector.web.openapi import Description
from innerloop_collector.web.prometheus import CountRequests, Exposition
from innerloop_collector.web.signin import SignIn
from innerloop_collector.web.single_flight import Question

_READERS = 2
_FRESH_QUARANTINE = 15.0  # seconds for which it is told again what waits: counting that reads all of it
_PATIENCE = 1.0  # seconds that /readyz waits for it
_OF_THE_PORT = {errno.EADDRINUSE, errno.EACCES}
_ANOTHER_HOST = "give a name or an address of this machine with --host"
_GARBAGE = 50_000  # objects between two looks for cycles: a few requests hold that many, none of them in a cycle
_PAUSED = "nothing is removed by its age, because this machine's clock jumped; see: innerloop-collector check"
_log = structlog.get_logger()


def serve(paths: Paths, configuration: Configuration, lock: DataLock, address: tuple[str, int], project_files: list[Path]) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was begun, commit what was accepted and return."""
    logs.configure(configuration.server.log_level)
    room_for(configuration.limits.connections)
    if opened := tighten(paths):
        _log.warning("the data directory was open to others and is closed to them now", files=len(opened))
    listener = _listen(*address)
    core = Core(paths, configuration)
    if core.throw_away:
        _for_this_machine_only(paths, listener, configuration)
    core.open()
    operations = Operations(core)
    try:
        for file in project_files:
            operations.call("projects.apply", {"toml": read_text(file), "source": str(file), "with_key": True})
        core.workers.append(Sweeper(core))
        core.start_workers()
        with ThreadPoolExecutor(_READERS, "reader", initializer=core.engine.open) as readers:
            application = build(core, operations, readers)
            url = f"http://{_shown(address[0])}:{listener.getsockname()[1]}"
            guard = Guard(configuration.limits, core.metrics.turned_away)
            gc.set_threshold(_GARBAGE)
            try:
                asyncio.run(_run(application, guard, listener, url, lock, lambda: core.writer.alive))
            finally:
                core.purger.stopping.set()  # a backup that is being made would keep a reader for long
    finally:
        core.close()


def build(core: Core, operations: Operations, readers: ThreadPoolExecutor) -> CountRequests:
    """Put the web application together."""
    limits = core.configuration.limits
    settings = core.configuration.ingest
    admission = Admission(core.registry, core.ids, core.uses, limits, core.metrics, time.monotonic)
    holdings = ShowHoldings(admission, Stored(core.erasures, Holdings(core.engine), core.hasher), limits, readers)
    tokens = SendingTokens(core.oauth_keys, core.hasher.signing_secret(), core.now, settings.oauth_token_seconds)
    doorkeeper = Doorkeeper(core.registry, tokens)
    ingest = Ingest(
        core.registry,
        core.writer,
        core.hasher,
        doorkeeper,
        admission,
        limits,
        core.now,
        core.metrics,
        settings.browser_origins,
        core.clock.judging,
    )
    oauth = TokenRoute(core.oauth_keys, core.assertions, tokens, settings.oauth_audience, limits, readers)
    forget = Forget(admission, core.hasher, core.eraser, core.erasures, limits, readers)
    door = Door(core.tokens, core.uses, load_token(core.paths.admin_token), core.configuration.access, core.now)
    admin = Admin(operations.call, door, limits, readers)
    waiting = Question(lambda: status.waiting(core), readers, _FRESH_QUARANTINE)
    health = Health(lambda: _trouble(core), lambda: _notes(core, waiting), readers)
    exposition, description = Exposition(core, readers, waiting), Description()
    parts = (ingest, oauth, forget, holdings, admin, SignIn(door, limits), health, exposition, description)
    routes = [route for part in parts for route in part.routes()]
    description.write(routes, operations.known)
    application = Starlette(routes=routes, exception_handlers={404: _not_found, 405: _wrong_method, Exception: _unexpected})
    application.router.redirect_slashes = False  # a 3xx is success to some SDKs: the events would be gone
    return CountRequests(application, core.metrics, frozenset(route.path for route in ingest.routes()))


def _trouble(core: Core) -> str | None:
    """What keeps the store from being usable. None: nothing."""
    core.engine.ping()
    if not (core.engine.layout.remote or core.paths.store.is_dir()):
        return "the store's directory is gone"
    return None if core.writer.can_write() else "the last events could not be written"


async def _notes(core: Core, waiting: Question[list[Waiting]]) -> list[str]:
    """What an operator should know although all is served. Anybody may read it: no project and no number."""
    by_reason: dict[str, date] = {}
    for one in (await waiting.told(_PATIENCE)).answer or ():
        by_reason[one.reason] = min(one.removed_on, by_reason.get(one.reason, one.removed_on))
    wait = [f"events wait in quarantine ({reason}), the first until they are removed on {day}" for reason, day in by_reason.items()]
    return [*wait, *([_PAUSED] if core.clock.doubt() else [])]


async def _run(application: ASGIApp, guard: Guard, listener: socket.socket, url: str, lock: DataLock, healthy: Callable[[], bool]) -> None:
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
    server = _Server(config, url, lock)
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

    def __init__(self, config: uvicorn.Config, url: str, lock: DataLock) -> None:
        super().__init__(config)
        self._url = url
        self._lock = lock

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._lock.announce(self._url)
        print(f"innerloop-collector listening on {self._url}", flush=True)
        _log.info("listening", url=self._url)
        Notifier().ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        Notifier().stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _not_found(_: Request, __: Exception) -> Response:
    return Refusal(404, "not_found", "Not found", "there is nothing at this address").answer()


async def _wrong_method(_: Request, error: Exception) -> Response:
    answer = Refusal(405, "wrong_method", "Method not allowed", "this address does not take that method").answer()
    answer.headers.update(getattr(error, "headers", None) or {})  # Allow
    return answer


async def _unexpected(_: Request, error: Exception) -> Response:
    _log.error("unexpected failure", kind=type(error).__name__)
    return Refusal(503, "internal", "Internal error", "something failed here; send this again later", temporary=True).answer()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)  # below 0: of the look-up of a name
        theirs = "choose another with --port, 0 takes any" if error.errno in _OF_THE_PORT else _ANOTHER_HOST
        raise CollectorError(f"cannot listen on {host} port {port}: {why.partition(' (')[0]}; {theirs}") from error
    except (TypeError, UnicodeError) as error:
        raise CollectorError(f"cannot listen on {host!r} port {port}: that is no name of a machine; {_ANOTHER_HOST}") from error


def _for_this_machine_only(paths: Paths, listener: socket.socket, configuration: Configuration) -> None:
    """Show what a throw-away store shows to nobody elsewhere. Raises UsageError."""
    if not ipaddress.ip_address(listener.getsockname()[0]).is_loopback or configuration.access.trusted_proxies:
        listener.close()
        raise UsageError(f"the store of {paths.data} is a throw-away store: it is served on the loopback interface only, behind no proxy")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
