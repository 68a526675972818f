"""`/metrics`: what was counted, and how store, disk and clocks are, as Prometheus reads it."""

import asyncio
import contextlib
import hmac
import ipaddress
import platform
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from prometheus_client import Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from innerloop_collector import __version__
from innerloop_collector.config.configuration import Server
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.http.responses import HttpError
from innerloop_collector.monitoring.metrics import NO_ROUTE, Metrics
from innerloop_collector.monitoring.status import DestinationStatus, DiskStatus, QuarantineStatus, StatusReader, StoreStatus
from innerloop_collector.web.single_flight import SingleFlight

_PATIENCE = 5.0  # seconds that a scrape waits for the store
_FRESH = 5.0  # seconds for which what was asked last is shown again
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Seen(NamedTuple):
    """What a scrape shows beside the counters. None: it did not answer."""

    store: StoreStatus | None = None
    disk: DiskStatus | None = None
    destinations: Sequence[DestinationStatus] = ()
    waiting: Sequence[QuarantineStatus] | None = None


class PrometheusEndpoint:
    """Serves `/metrics` to who shows the token, and to this machine where that is wanted: what it counts tells when somebody works."""

    def __init__(
        self,
        metrics: Metrics,
        status: StatusReader,
        queued: Callable[[], int],
        waiting: SingleFlight[list[QuarantineStatus]],
        channels: Callable[[], Sequence[Mapping[str, Any]]],
        settings: Server,
        readers: Executor,
    ) -> None:
        """`queued` is how many events wait for the writer; `channels`, how those of notifications are doing."""
        self._status = status
        self._registry = metrics.registry
        self._seen = SingleFlight(self._look, readers, _FRESH)
        self._waiting = waiting
        self._local = settings.metrics_local
        self._token = metrics_token(settings.metrics_token_file)
        self._state = _State(queued, channels, per_project=settings.metrics_per_project)
        self._registry.register(self._state)
        ProcessCollector(registry=self._registry)

    def routes(self) -> list[Route]:
        """`/metrics`."""
        return [Route("/metrics", self._serve, methods=["GET"])]

    async def _serve(self, request: Request) -> Response:
        if not self._may_read(request):
            return HttpError(
                403,
                "forbidden",
                "Forbidden",
                "metrics are for whoever shows the token of server.metrics_token_file, or for this machine where server.metrics_local is on",
            ).response()
        await self._refresh()
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": content_type})

    def _may_read(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode("latin-1", "replace")
        if self._token and hmac.compare_digest(given, self._token):
            return True
        forwarded = any(name in request.headers for name in _FORWARDED)  # a proxy on this machine speaks for others
        return self._local and not forwarded and request.client is not None and _loopback(request.client.host)

    async def _refresh(self) -> None:
        """Ask anew where the last answer is old. While an earlier question is open, the store counts as down."""
        seen, waiting = await asyncio.gather(self._seen.get(_PATIENCE), self._waiting.get(_PATIENCE))
        found = (seen.answer if seen.in_time else None) or Seen()
        self._state.seen = found._replace(waiting=waiting.answer)

    def _look(self) -> Seen:
        """Ask the store and the disk, each for itself."""
        seen = Seen()
        with contextlib.suppress(StoreError):
            seen = seen._replace(store=self._status.store(), destinations=self._status.destinations())
        with contextlib.suppress(OSError):
            seen = seen._replace(disk=self._status.disk())
        return seen


class _State(Collector):
    """Turns what was seen last into gauges."""

    def __init__(self, waiting: Callable[[], int], channels: Callable[[], Sequence[Mapping[str, Any]]], *, per_project: bool) -> None:
        self._waiting = waiting
        self._channels = channels
        self._per_project = per_project
        self.seen = Seen()

    def describe(self) -> Iterator[Metric]:
        """Name what may come; all names begin alike and are nobody else's."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every gauge."""
        build = {"version": __version__, "python": platform.python_version(), "engine": self.seen.store.engine if self.seen.store else ""}
        yield _gauge("build_info", "What runs. Always 1.", [(build, 1)])
        yield _gauge("queue_events", "Events that wait for the writer.", [({}, self._waiting())])
        yield _gauge("store_up", "1: the store answers.", [({}, self.seen.store is not None)])
        if self.seen.store is not None:
            yield from _store(self.seen.store)
        if self.seen.disk is not None:
            yield from _disk(self.seen.disk)
        yield from _destinations(self.seen.destinations)
        yield from _of_channels(self._channels())
        if self.seen.waiting is not None:
            yield from _quarantine(self.seen.waiting, per_project=self._per_project)


def _store(store: StoreStatus) -> Iterator[Metric]:
    tables = store.tables.items()
    parts = [({"table": name, "state": state}, number) for name, one in tables for state, number in _states(one.parts, one.replaced_parts)]
    yield _gauge("store_bytes", "What a table takes on the disk.", [({"table": name}, one.bytes) for name, one in tables])
    yield _gauge(
        "store_rows", "Rows of a table; a repetition that was not merged counts.", [({"table": name}, one.rows) for name, one in tables]
    )
    yield _gauge("store_parts", "Parts of a table: active, or replaced and soon removed.", parts)
    yield _gauge("store_detached_parts", "Parts that the engine set aside as damaged.", [({}, store.detached_parts)])
    mutations = {"running": store.mutations, "stuck": store.stuck_mutations, "failing": store.failing_mutations}
    yield _gauge(
        "store_mutations", "Unfinished mutations of the engine.", [({"state": name}, number) for name, number in mutations.items()]
    )
    yield _gauge("erased_ids", "Ids whose events are not kept, since they were erased.", [({}, store.tombstones)])
    yield _gauge("erasures_unfinished", "Erased ids of which bytes may be left in the store.", [({}, store.unfinished_erasures)])
    yield _gauge("clock_seconds", "The engine's clock, in Unix time.", [({}, store.clock)])


def _states(active: int, replaced: int) -> list[tuple[str, int]]:
    return [("active", active), ("replaced", replaced)]


def _disk(disk: DiskStatus) -> Iterator[Metric]:
    yield _gauge("disk_free_bytes", "Free on the data directory's file system.", [({}, disk.free)])
    yield _gauge("disk_size_bytes", "Size of the data directory's file system.", [({}, disk.total)])
    if disk.clock_skew is not None:
        yield _gauge("disk_clock_skew_seconds", "How far the file system's clock is ahead of this machine's.", [({}, disk.clock_skew)])


_DESTINATION = {
    "behind_events": "Events that a destination has yet to get.",
    "behind_seconds": "For how long a destination has been behind.",
    "set_aside": "Events that a destination does not take.",
    "failures": "Attempts that failed in a row, until now.",
}


def _destinations(destinations: Sequence[DestinationStatus]) -> Iterator[Metric]:
    if not destinations:
        return
    for measure, about in _DESTINATION.items():
        yield _gauge(f"destination_{measure}", about, [({"destination": one.name}, getattr(one, measure)) for one in destinations])
    sent = CounterMetricFamily("innerloop_destination_sent", "Events that a destination took.", labels=["destination"])
    for one in destinations:
        sent.add_metric([one.name], one.sent)
    yield sent


_CHANNEL = {"waiting": "Notices that a channel has yet to get.", "failures": "Attempts that failed in a row, until now."}
_CHANNEL_COUNTED = {
    "sent": "Notices that a channel took.",
    "left_out": "Notices that a channel was not told of: they waited for too long, were too many, or were not taken.",
}


def _of_channels(channels: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    if not channels:
        return
    for measure, about in _CHANNEL.items():
        yield _gauge(f"channel_{measure}", about, [({"channel": one["channel"]}, one[measure]) for one in channels])
    for measure, about in _CHANNEL_COUNTED.items():
        counted = CounterMetricFamily(f"innerloop_channel_{measure}", about, labels=["channel"])
        for one in channels:
            counted.add_metric([one["channel"]], one[measure])
        yield counted


def _quarantine(waiting: Sequence[QuarantineStatus], *, per_project: bool) -> Iterator[Metric]:
    grouped: dict[tuple[str, ...], list[QuarantineStatus]] = defaultdict(list)
    for one in waiting:
        grouped[(one.reason, one.project) if per_project else (one.reason,)].append(one)
    labels = [(dict(zip(("reason", "project"), key, strict=False)), all_of) for key, all_of in grouped.items()]
    events = [(label, sum(one.events for one in all_of)) for label, all_of in labels]
    removed = [(label, _midnight(min(one.removed_on for one in all_of))) for label, all_of in labels]
    yield _gauge("quarantine_events", "Events that wait in quarantine, by why.", events)
    yield _gauge("quarantine_removal_timestamp_seconds", "When the first of them are removed, in Unix time.", removed)


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _gauge(name: str, about: str, values: Sequence[tuple[dict[str, str], float]]) -> Metric:
    labels = list(values[0][0]) if values else []
    family = GaugeMetricFamily(f"innerloop_{name}", about, labels=labels)
    for labelled, value in values:
        family.add_metric(list(labelled.values()), float(value))
    return family


def metrics_token(file: str) -> bytes:
    """Read the token that opens `/metrics`. Empty: none does. Raises UsageError."""
    if not file:
        return b""
    try:
        token = Path(file).read_bytes().strip()
    except OSError as error:
        raise UsageError(f"cannot read {file}, the metrics_token_file: {error.strerror}") from error
    if not token:
        raise UsageError(f"{file}, the metrics_token_file, is empty; put a token into it, or leave the setting out")
    return token


def _loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or bool(mapped and mapped.is_loopback)


_ABANDONED = 499  # what nginx calls it: the sender left before the answer


class CountRequests:
    """ASGI middleware. A route that is listed as acknowledging also has its time taken."""

    def __init__(self, app: ASGIApp, metrics: Metrics, acknowledging: frozenset[str]) -> None:
        self.app = app
        self._metrics = metrics
        self._acknowledging = acknowledging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and note its status."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        status = _ABANDONED

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            self._metrics.answered(scope["method"], route, status)
            if status == 200 and route in self._acknowledging:
                self._metrics.acknowledged(perf_counter() - began)
