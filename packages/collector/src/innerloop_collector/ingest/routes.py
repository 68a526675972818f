"""The routes that take events in. May import: the rest of ingest, pipeline, the store's registry and writer, metrics."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from innerloop_collector.configuration import Limits
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.ingest import answers, auth, body, messages
from innerloop_collector.ingest.admission import Admission
from innerloop_collector.ingest.nesting import too_deep
from innerloop_collector.metrics import Metrics
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.outcome import Dropped, DropReason, Quarantined, Reason
from innerloop_collector.pipeline.rows import event_row, quarantine_row
from innerloop_collector.pipeline.steps import run
from innerloop_collector.store.erasure import Registration
from innerloop_collector.store.keyed import Hasher
from innerloop_collector.store.registry import Registry
from innerloop_collector.store.tables import QuarantineRow, Row
from innerloop_collector.store.writer import Receipt, Writer

_log = structlog.get_logger()
_ALIASES = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}


class Ingest:
    """Takes requests with events and answers once these are on the disk."""

    def __init__(
        self,
        registry: Registry,
        writer: Writer,
        hasher: Hasher,
        admission: Admission,
        limits: Limits,
        now: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._registry = registry
        self._writer = writer
        self._hasher = hasher
        self._admission = admission
        self._limits = limits
        self._now = now
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Segment's routes, and the one-letter names that its browser SDK uses."""
        routes = [Route(path, self._answer(None), methods=["POST"]) for path in ("/v1/batch", "/v1/b")]
        for kind, letter in _ALIASES.items():
            routes += [Route(path, self._answer(kind), methods=["POST"]) for path in (f"/v1/{kind}", f"/v1/{letter}")]
        return routes

    def _answer(self, kind: str | None) -> Callable[[Request], Awaitable[Response]]:
        """Serve one route: `kind` is the type of its only event; None means a batch."""

        async def endpoint(request: Request) -> Response:
            try:
                await self._take(request, kind)
            except answers.Refusal as refusal:
                return refusal.answer()
            except QueueFull:
                return answers.overloaded().answer()
            except StoreError:
                return answers.unavailable().answer()
            return answers.accepted()

        return endpoint

    async def _take(self, request: Request, kind: str | None) -> None:
        key = auth.key_in_header(request)
        if key is not None and self._registry.project_of(key) is None:
            raise answers.unknown_key()
        data = await body.read(request, self._limits)
        document = body.decode(data)
        if too_deep(document, self._limits.nesting):
            raise answers.bad_request(f"objects and lists may lie {self._limits.nesting} deep in each other")
        project = auth.project_for(key, document, self._registry)
        if kind is not None and len(data) > self._limits.event:
            raise answers.too_large(f"an event may have {self._limits.event} bytes")
        items = messages.batch_items(document, self._limits) if kind is None else [_single(document, kind)]
        admitted = self._admission.admit(auth.key_of(key, document), len(items))
        shared = messages.envelope(project, document if kind is None else {"sentAt": document.get("sentAt")}, self._now())
        registrations = messages.registrations(project, document, self._hasher) if kind is None else []
        events = [messages.event_of(item, shared, self._hasher) for item in items]
        await self._keep(events, registrations, self._admission.beyond(admitted, events))

    async def _keep(self, events: list[Event], registrations: list[Registration], beyond: set[int]) -> None:
        """Send events through the pipeline, and wait until they and what was registered are on the disk."""
        accepted, quarantined, dropped = self._sort(events, beyond)
        receipt = Receipt()
        if accepted or quarantined or registrations:
            with self._counting_refusals(events):
                receipt = await asyncio.wrap_future(self._writer.submit(accepted, quarantined, registrations))
        erased = receipt.erased
        self._count(events, receipt, dropped, quarantined)
        for reason, count in ((DropReason.PAST_RETENTION, dropped), (DropReason.ERASED, erased)):
            if count:
                _log.info("events dropped", reason=str(reason), events=count)

    @contextlib.contextmanager
    def _counting_refusals(self, events: list[Event]) -> Iterator[None]:
        try:
            yield
        except StoreError:
            if events:
                self._metrics.refused(events[0].project, len(events))
            raise

    def _count(self, events: list[Event], receipt: Receipt, dropped: int, quarantined: list[QuarantineRow]) -> None:
        """Tell the metrics what became of a request's events. They share project and clock."""
        if not events:
            return
        project, reasons = events[0].project, Counter(row.reason for row in quarantined)
        reasons += Counter({str(DropReason.PAST_RETENTION): dropped, str(DropReason.ERASED): receipt.erased})
        self._metrics.skew(events[0].skew_seconds)
        self._metrics.set_aside(project, reasons)
        self._metrics.kept(
            project,
            stored=receipt.stored,
            quarantined=receipt.quarantined,
            repeated=receipt.repeated,
            dropped=dropped + receipt.erased,
        )

    def _sort(self, events: list[Event], beyond: set[int]) -> tuple[list[Row], list[QuarantineRow], int]:
        catalogue = self._registry.catalogue
        accepted: list[Row] = []
        quarantined: list[QuarantineRow] = []
        dropped = 0
        for event in events:
            outcome = Quarantined(Reason.NEW_ID) if event.installation in beyond else run(event, catalogue)
            if isinstance(outcome, Event):
                accepted.append(event_row(outcome))
            elif isinstance(outcome, Quarantined):
                quarantined.append(quarantine_row(event, outcome))
            elif isinstance(outcome, Dropped):
                dropped += 1
        return accepted, quarantined, dropped


def _single(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The one event of a route for single calls; what concerns the request is taken off."""
    return {**{name: value for name, value in document.items() if name not in ("writeKey", "sentAt")}, "type": kind}
