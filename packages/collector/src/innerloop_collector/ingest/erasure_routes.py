"""The routes of erasure: whoever has an installation's secret may have it forgotten.

A write key is committed, so it opens nothing here by itself, and a revoked one still says which project is meant. What is asked for and
what is answered is never logged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import date
from typing import Annotated, Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.config.configuration import Limits
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.http import request_body, responses
from innerloop_collector.http.responses import Yes
from innerloop_collector.ingest import authorization
from innerloop_collector.ingest.messages import secret_hash
from innerloop_collector.ingest.rate_limits import RateLimits
from innerloop_collector.lifecycle.eraser import Eraser
from innerloop_collector.lifecycle.erasure_request import Claim, Erased, State
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.tombstones import Erasures

_log = structlog.get_logger()
Answer = msgspec.Struct


class Id(msgspec.Struct, frozen=True, rename="camel"):
    """An id, and the secret that was made with it."""

    user_id: Annotated[str, msgspec.Meta(min_length=1)]
    secret: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{64}$", max_length=64)]


class ErasureRequest(msgspec.Struct, frozen=True):
    """The body of a request for erasure, or for what is kept."""

    ids: Annotated[list[Id], msgspec.Meta(min_length=1)]


class Forgotten(msgspec.Struct, frozen=True, rename={"user_id": "userId"}):
    """What became of an id, and how many rows went."""

    user_id: str
    state: State
    events: Annotated[int, msgspec.Meta(ge=0)]


class DestinationState(msgspec.Struct, frozen=True):
    """What an erasure means at a destination, or in the backups."""

    name: str
    state: str


class ErasureAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request for erasure: the bytes are gone."""

    success: Yes
    receipt: str
    ids: list[Forgotten]
    destinations: list[DestinationState]
    files: str = ""  # whose files were not looked at: a server's


class ReceiptAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a receipt stands for."""

    success: Yes
    receipt: str
    day: date
    ids: Annotated[int, msgspec.Meta(ge=0)]
    events: Annotated[int, msgspec.Meta(ge=0)]
    destinations: list[DestinationState]
    files: str = ""  # as in the answer to the request


class ErasureRoutes:
    """Takes requests for erasure and answers once what was erased is gone from the disk."""

    def __init__(
        self, rate_limits: RateLimits, hasher: Hasher, eraser: Eraser, erasures: Erasures, limits: Limits, readers: Executor
    ) -> None:
        self._rate_limits = rate_limits
        self._hasher = hasher
        self._eraser = eraser
        self._erasures = erasures
        self._limits = limits
        self._readers = readers

    def routes(self) -> list[Route]:
        """Erase, and look at a receipt again."""
        return [
            Route("/v1/forget", _answered(self._erase), methods=["POST"]),
            Route("/v1/forget/{receipt}", _answered(self._look_up), methods=["GET"]),
        ]

    async def _erase(self, request: Request) -> Answer:
        key = self._rate_limits.asker(authorization.key_in_header(request))
        wanted = wanted_ids(request_body.decode(await request_body.read(request, self._limits)), self._limits.ids)
        self._rate_limits.ask(key, len(wanted))
        erased = await self._wait_for(key.project, [self._claim(key.project, one) for one in wanted])
        rows = [Forgotten(one.user_id, verdict.state, verdict.events) for one, verdict in zip(wanted, erased.verdicts, strict=True)]
        return ErasureAnswer(True, erased.receipt, rows, destination_states(erased.destinations), **self._erasures.terms)

    def _claim(self, project: str, wanted: Id) -> Claim:
        installation = self._hasher.installation(project, wanted.user_id)
        mark = self._hasher.mark(installation)
        return Claim(installation, mark, self._hasher.proof(mark, secret_hash(wanted.secret)))

    async def _wait_for(self, project: str, claims: list[Claim]) -> Erased:
        """Wait for the eraser, within bounds: on a large store it takes longer than a client waits."""
        pending = asyncio.wrap_future(self._eraser.submit(project, claims))
        try:
            return await asyncio.wait_for(pending, self._limits.erasure_seconds)
        except TimeoutError:
            raise responses.unavailable("the erasure has begun and is not finished; send this again later") from None

    async def _look_up(self, request: Request) -> Answer:
        key = self._rate_limits.asker(authorization.key_in_header(request))
        self._rate_limits.ask(key, 1)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._readers, self._erasures.receipt, request.path_params["receipt"], key.project)
        if found is None:
            raise responses.not_found("this project has no such receipt")
        destinations = destination_states(found.destinations)
        return ReceiptAnswer(True, found.receipt, found.day, found.ids, found.events, destinations, **self._erasures.terms)


def destination_states(destinations: dict[str, str]) -> list[DestinationState]:
    """What became of it elsewhere, as a receipt says it."""
    return [DestinationState(name, state) for name, state in sorted(destinations.items())]


def wanted_ids(document: dict[str, Any], most: int) -> list[Id]:
    """Read the ids and secrets of a request."""
    try:
        wanted = msgspec.convert(document, ErasureRequest).ids
    except msgspec.ValidationError:
        raise responses.bad_request("the body needs a list named ids, of objects with userId and secret (64 hex digits)") from None
    if len(wanted) > most:
        raise responses.too_large(f"a request may have {most} ids")
    return wanted


def _answered(work: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn what a route returns or raises into a response."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(msgspec.to_builtins(await work(request)))
        except responses.HttpError as error:
            return error.response()
        except QueueFull:
            return responses.overloaded().response()
        except StoreError:
            return responses.unavailable("nothing can be said about the erasure; send this again later").response()

    return endpoint
