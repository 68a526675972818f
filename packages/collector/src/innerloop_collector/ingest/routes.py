"""The routes that take events in."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from innerloop_collector.config.configuration import Limits
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.http import request_body, responses
from innerloop_collector.http.request_body import too_deep
from innerloop_collector.ingest import messages, results
from innerloop_collector.ingest.authorization import BEACON, Credentials, WriteAuthorization
from innerloop_collector.ingest.cors import middleware
from innerloop_collector.ingest.rate_limits import RateLimits
from innerloop_collector.monitoring.metrics import Metrics
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.event_rows import event_row, quarantine_row
from innerloop_collector.pipeline.outcome import Dropped, DropReason, Quarantined, Reason
from innerloop_collector.pipeline.steps import run
from innerloop_collector.store.catalogue import WriteKey
from innerloop_collector.store.events import QuarantineRow, Row
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.tombstones import Registration
from innerloop_collector.store.writer import Receipt, Writer

_log = structlog.get_logger()
_ALIASES = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}
_BATCH = "batch", "b", "import"


class _Sorted(NamedTuple):
    """What is to become of a request's events, which share project and clock."""

    project: str
    skew_seconds: float  # the largest of its events'
    events: int
    accepted: list[Row]
    quarantined: list[QuarantineRow]
    dropped: int
    registrations: list[Registration]
    places: results.Places
    today: date


class Ingest:
    """Takes requests with events and answers once these are on the disk."""

    def __init__(
        self,
        registry: Registry,
        writer: Writer,
        hasher: Hasher,
        authorization: WriteAuthorization,
        rate_limits: RateLimits,
        limits: Limits,
        now: Callable[[], datetime],
        metrics: Metrics,
        browser_origins: Collection[str] = (),
        judging: Callable[[], datetime] | None = None,
    ) -> None:
        """`judging` is the instant by which an event is past its time, where a clock that jumped is not believed."""
        self._registry = registry
        self._writer = writer
        self._hasher = hasher
        self._authorization = authorization
        self._rate_limits = rate_limits
        self._limits = limits
        self._now = now
        self._judging = judging
        self._origins = browser_origins
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Segment's routes, the one-letter names that its browser SDK uses, and the beacon of RudderStack's.

        Some paths are written with a slash at the end. A host that is written with one makes two of an SDK that puts the path behind it.
        """
        kinds: dict[str, str | None] = dict.fromkeys(_BATCH)
        for kind, letter in _ALIASES.items():
            kinds |= {kind: kind, letter: kind}
        paths = {f"/v1/{name}{slash}": kind for name, kind in kinds.items() for slash in ("", "/")} | {BEACON: None}
        return [self._route(path, kind) for path, kind in paths.items()] + [
            self._route(f"/{path}", kind, described=False) for path, kind in paths.items()
        ]

    def _route(self, path: str, kind: str | None, *, described: bool = True) -> Route:
        methods = ["POST", "OPTIONS"] if self._origins else ["POST"]
        answer = self._answer(kind)
        return Route(path, answer, methods=methods, middleware=middleware(self._origins), include_in_schema=described)

    def _answer(self, kind: str | None) -> Callable[[Request], Awaitable[Response]]:
        """Serve one route: `kind` is the type of its only event; None means a batch."""

        async def endpoint(request: Request) -> Response:
            try:
                if request.method != "POST":
                    raise responses.wrong_method()  # OPTIONS that is no browser's question
                not_stored = await self._take(request, kind)
            except responses.HttpError as error:
                return error.response()
            except QueueFull:
                return responses.overloaded().response()
            except StoreError:
                return responses.unavailable().response()
            return responses.accepted(not_stored)

        return endpoint

    async def _take(self, request: Request, kind: str | None) -> list[responses.NotStored]:
        """Store what a request brings. Returns what its sender wants to know of events that are not stored."""
        given = self._authorization.before_the_body(request)
        found = self._read(await request_body.read(request, self._limits), given, kind)
        receipt = Receipt()
        if found.accepted or found.quarantined or found.registrations:
            with self._counting_refusals(found):
                receipt = await asyncio.wrap_future(self._writer.submit(found.accepted, found.quarantined, found.registrations))
        self._count(found, receipt)
        if not results.wants(request.headers):
            return []
        return results.not_stored(found.places, found.accepted, found.quarantined, receipt, found.today)

    def _read(self, data: bytes, given: Credentials, kind: str | None) -> _Sorted:
        """Make rows of a body. Nothing else of it is kept while they wait for the disk: thousands of requests may."""
        document = request_body.decode(data)
        if too_deep(document, self._limits.nesting):
            raise responses.bad_request(f"objects and lists may lie {self._limits.nesting} deep in each other")
        project, key = self._authorization.sender(given, document)
        if kind is not None and len(data) > self._limits.event:
            raise responses.too_large(f"an event may have {self._limits.event} bytes")
        items = messages.batch_items(document, self._limits) if kind is None else [_single(document, kind)]
        admitted = self._rate_limits.admit(key, len(items))
        registrations = messages.registrations(project, document, self._hasher) if kind is None else {}
        shared = self._shared(project, document if kind is None else {"sentAt": document.get("sentAt")})
        events = [messages.event_of(item, shared, self._hasher) for item in items]
        return self._sort(admitted, shared, events, registrations)

    def _shared(self, project: str, document: dict[str, Any]) -> messages.Envelope:
        plan = self._registry.catalogue.newest(project).agreement
        judged = self._judging() if self._judging else None
        return messages.envelope(project, document, self._now(), plan["fields"].get("timestamp"), judged)

    @contextlib.contextmanager
    def _counting_refusals(self, found: _Sorted) -> Iterator[None]:
        try:
            yield
        except StoreError:
            if found.events:
                self._metrics.refused(found.project, found.events)
            raise

    def _count(self, found: _Sorted, receipt: Receipt) -> None:
        """Tell the metrics, and the log where some are not kept, what became of a request's events."""
        if not found.events:
            return
        dropped = Counter(
            {
                str(DropReason.PAST_RETENTION): found.dropped,
                str(DropReason.ERASED): receipt.erased,
                str(DropReason.NO_ROOM): receipt.kept_out,
            }
        )
        self._metrics.skew(found.skew_seconds)
        self._metrics.set_aside(found.project, Counter(row.reason for row in found.quarantined) + dropped)
        self._metrics.kept(
            found.project,
            stored=receipt.stored,
            quarantined=receipt.quarantined,
            repeated=receipt.repeated,
            dropped=dropped.total(),
        )
        for reason, count in (+dropped).items():
            if reason != DropReason.NO_ROOM:  # the writer says that, once a day
                _log.info("events dropped", reason=reason, events=count)

    def _sort(self, key: WriteKey, shared: messages.Envelope, events: list[Event], registrations: Mapping[int, Registration]) -> _Sorted:
        """Send events through the pipeline, then let in the ids of those that passed and of those that registered.

        What does not pass uses up none of the day's new ids. A registration needs an event of its id in the same batch; that of an id which
        is not let in waits with the event.
        """
        catalogue = self._registry.catalogue
        ended = [(event, run(event, catalogue)) for event in events]
        theirs = {event.installation for event in events}
        registering = {one: registration for one, registration in registrations.items() if one in theirs}
        beyond = self._rate_limits.beyond(key, [*(event.installation for event, end in ended if isinstance(end, Event)), *registering])
        places = results.Places([], [], [(place, end.reason) for place, (_, end) in enumerate(ended) if isinstance(end, Dropped)])
        skew = max((event.skew_seconds for event in events), key=abs, default=0.0)
        found = _Sorted(shared.project, skew, len(events), [], [], len(places.dropped), [], places, shared.received.date())
        found.registrations.extend(registration for one, registration in registering.items() if one not in beyond)
        for place, (event, end) in enumerate(ended):
            if isinstance(end, Event) and event.installation not in beyond:
                found.accepted.append(event_row(end))
                places.accepted.append(place)
            elif not isinstance(end, Dropped):
                why = end if isinstance(end, Quarantined) else Quarantined(Reason.NEW_ID)
                waits = registering.get(event.installation) if event.installation in beyond else None
                found.quarantined.append(quarantine_row(event, why, waits.proof if waits else 0))
                places.quarantined.append(place)
        return found


def _single(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The one event of a route for single calls; what concerns the request is taken off."""
    return {**{name: value for name, value in document.items() if name not in ("writeKey", "sentAt")}, "type": kind}
