"""The service: builds what it serves from a collector's parts, serves, and takes it apart in order.

One process, one event loop, one writer, one eraser and two reader threads. Nothing here forks: the engine would hang.
"""

import asyncio
import gc
import ipaddress
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.access.openid import OpenIDConnect
from innerloop_collector.admin.api import Admin, load_token
from innerloop_collector.admin.operations import Operations
from innerloop_collector.admin.project_operations import read_project
from innerloop_collector.composition.areas import operations
from innerloop_collector.composition.collector import Collector
from innerloop_collector.composition.sign_in_parts import openid
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.data_lock import DataLock
from innerloop_collector.config.files import read_text
from innerloop_collector.config.paths import Paths, tighten
from innerloop_collector.dashboard.badge import Badges
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.page_routes import Dashboard
from innerloop_collector.dashboard.shared_pages import SharedPages
from innerloop_collector.errors import UsageError
from innerloop_collector.ingest.authorization import WriteAuthorization
from innerloop_collector.ingest.erasure_routes import ErasureRoutes
from innerloop_collector.ingest.oauth import SendingTokens, TokenRoute
from innerloop_collector.ingest.rate_limits import RateLimits
from innerloop_collector.ingest.routes import Ingest
from innerloop_collector.ingest.subject_access_routes import Stored, SubjectAccessRoutes
from innerloop_collector.lifecycle.subject_access import SubjectAccess
from innerloop_collector.monitoring import logs, metrics
from innerloop_collector.web import http_server
from innerloop_collector.web.application import Routes, application
from innerloop_collector.web.connection_guard import Guard, raise_file_limit
from innerloop_collector.web.health import Health
from innerloop_collector.web.openapi import Description
from innerloop_collector.web.prometheus import CountRequests, PrometheusEndpoint
from innerloop_collector.web.read_api import ReadApi
from innerloop_collector.web.read_api_answers import Sources
from innerloop_collector.web.signin import SignIn
from innerloop_collector.web.single_flight import SingleFlight

_READERS = 2
_FRESH_QUARANTINE = 15.0  # seconds for which it is told again what waits: counting that reads all of it
_GARBAGE = 50_000  # objects between two looks for cycles: a few requests hold that many, none of them in a cycle
_PAUSED = "nothing is removed by its age, because this machine's clock jumped; see: innerloop-collector check"
_log = structlog.get_logger()


def serve(
    paths: Paths, configuration: Configuration, lock: DataLock, address: tuple[str, int], project_files: list[Path], *, sign_in_link: bool
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was begun, commit what was accepted and return.

    `sign_in_link`: the link is printed also where the output is no terminal. Raises UsageError where others reach the service.
    """
    logs.configure(configuration.server.log_level)
    metrics.without_creation_times()
    raise_file_limit(configuration.limits.connections)
    if opened := tighten(paths):
        _log.warning("the data directory was open to others and is closed to them now", files=len(opened))
    projects = [(read_text(file), str(file)) for file in project_files]
    for text, source in projects:
        read_project(text, source)  # before a store is made for it
    sign_in = openid(configuration.openid)
    listener = http_server.listen(*address)
    local = _for_this_machine(listener, configuration)
    if sign_in_link and not local:
        listener.close()
        raise UsageError("--sign-in-link: a link is printed only by a service on the loopback interface, behind no proxy")
    collector = Collector(paths, configuration)
    if collector.throw_away:
        _for_this_machine_only(paths, listener, configuration)
    if collector.simulated:
        _log.warning(
            "SIMULATED: this store is filled by a simulation, and its clock moves when that says so", now=collector.now().isoformat()
        )
    collector.open()
    known = operations(collector)
    try:
        for text, source in projects:
            known.call("projects.apply", {"toml": text, "source": source, "with_key": True})
        collector.start_workers()
        with ThreadPoolExecutor(_READERS, "reader", initializer=collector.store.engine.open) as readers:
            authenticator = _authenticator(collector)
            served = build(collector, known, readers, authenticator, sign_in)
            guard = Guard(configuration.limits, collector.metrics.turned_away)
            gc.set_threshold(_GARBAGE)
            try:
                asyncio.run(
                    http_server.run(
                        served,
                        guard,
                        listener,
                        http_server.url_of(address[0], listener),
                        lock,
                        lambda: collector.store.writer.alive,
                        authenticator.links.make if local and (sign_in_link or sys.stdout.isatty()) else None,
                    )
                )
            finally:
                collector.lifecycle.purger.stopping.set()  # a backup that is being made would keep a reader for long
    finally:
        collector.close()


def _authenticator(collector: Collector) -> Authenticator:
    return Authenticator(
        collector.tokens, collector.store.last_used, load_token(collector.paths.admin_token), collector.configuration.access, collector.now
    )


def _for_this_machine(listener: socket.socket, configuration: Configuration) -> bool:
    """Whether only this machine can reach the service."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback and not configuration.access.trusted_proxies


def build(
    collector: Collector,
    known: Operations,
    readers: ThreadPoolExecutor,
    authenticator: Authenticator | None = None,
    sign_in: OpenIDConnect | None = None,
) -> CountRequests:
    """Put the web application together."""
    configuration = collector.configuration
    authenticator = authenticator or _authenticator(collector)
    waiting = SingleFlight(collector.status.waiting, readers, _FRESH_QUARANTINE)
    description = Description()
    reader = Reader(collector.figures, collector.evidence.evidence, collector.alerts, at_once=collector.throw_away)
    dashboard = Dashboard(
        reader,
        collector.store.registry.newest,
        known.serve,
        authenticator,
        configuration.limits,
        readers,
        sign_in,
        simulated=collector.simulated is not None,
    )
    badges = Badges(reader, collector.figures, readers, simulated=collector.simulated is not None)
    served: list[Routes] = [
        *_ingest(collector, readers),
        Admin(known.serve, authenticator, configuration.limits, readers),
        SignIn(authenticator, configuration.limits),
        Health(lambda: _trouble(collector), lambda: [_PAUSED] if collector.lifecycle.clock.doubt() else [], readers),
        PrometheusEndpoint(
            collector.metrics,
            collector.status,
            lambda: collector.store.writer.waiting,
            waiting,
            collector.notifications.status,
            configuration.server,
            readers,
        ),
        ReadApi(Sources(reader, known.call, dashboard.page_at), authenticator, readers),
        description,
        badges,
        SharedPages(collector.read_links, collector.store.last_used.note, dashboard, badges, readers),
        dashboard,
    ]
    routes = [route for part in served for route in part.routes()]
    description.write(routes, known.known)
    return CountRequests(application(routes, dashboard.error), collector.metrics, frozenset(route.path for route in served[0].routes()))


def _ingest(collector: Collector, readers: ThreadPoolExecutor) -> list[Routes]:
    """What clients and SDKs call. The routes that take events in come first."""
    limits, settings, store = collector.configuration.limits, collector.configuration.ingest, collector.store
    rate_limits = RateLimits(store.registry, store.known_ids, store.last_used, limits, collector.metrics, time.monotonic)
    tokens = SendingTokens(store.oauth_keys, store.hasher.signing_secret(), collector.now, settings.oauth_token_seconds)
    authorization = WriteAuthorization(store.registry, tokens)
    ingest = Ingest(
        store.registry,
        store.writer,
        store.hasher,
        authorization,
        rate_limits,
        limits,
        collector.now,
        collector.metrics,
        settings.browser_origins,
        collector.lifecycle.clock.judging,
    )
    return [
        ingest,
        TokenRoute(store.oauth_keys, store.assertions, tokens, settings.oauth_audience, limits, readers),
        ErasureRoutes(rate_limits, store.hasher, collector.lifecycle.eraser, store.erasures, limits, readers),
        SubjectAccessRoutes(rate_limits, Stored(store.erasures, SubjectAccess(store.engine), store.hasher), limits, readers),
    ]


def _trouble(collector: Collector) -> str | None:
    """What keeps the store from being usable. None: nothing."""
    engine = collector.store.engine
    engine.ping()
    if not (engine.layout.remote or collector.paths.store.is_dir()):
        return "the store's directory is gone"
    return None if collector.store.writer.can_write() else "the last events could not be written"


def _for_this_machine_only(paths: Paths, listener: socket.socket, configuration: Configuration) -> None:
    """Show what a throw-away store shows to nobody elsewhere. Raises UsageError."""
    if not _for_this_machine(listener, configuration):
        listener.close()
        raise UsageError(f"the store of {paths.data} is a throw-away store: it is served on the loopback interface only, behind no proxy")
