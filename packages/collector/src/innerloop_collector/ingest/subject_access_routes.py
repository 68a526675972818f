"""Whoever has an installation's secret may see everything that is kept of it.

The answer may be large and is a stream of lines, each a JSON object; the last one says that it is whole. However many ask, they take one of
the readers at a time: the other is there for everybody else.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from innerloop_collector.config.configuration import Limits
from innerloop_collector.errors import StoreError
from innerloop_collector.http import request_body, responses
from innerloop_collector.ingest import authorization
from innerloop_collector.ingest.erasure_routes import Id, wanted_ids
from innerloop_collector.ingest.messages import secret_hash
from innerloop_collector.ingest.rate_limits import RateLimits
from innerloop_collector.lifecycle.subject_access import SubjectAccess
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.tombstones import Erasures

_encode = msgspec.json.encode


class Stored(NamedTuple):
    """Where what is kept of an installation is found."""

    erasures: Erasures
    subject_access: SubjectAccess
    hasher: Hasher


class SubjectAccessRoutes:
    """Shows an installation what the store has of it."""

    def __init__(self, rate_limits: RateLimits, stored: Stored, limits: Limits, readers: Executor) -> None:
        self._rate_limits = rate_limits
        self._stored = stored
        self._limits = limits
        self._readers = readers
        self._turn = asyncio.Semaphore(1)

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/v1/access", self._endpoint, methods=["POST"])]

    async def _endpoint(self, request: Request) -> Response:
        try:
            key = self._rate_limits.asker(authorization.key_in_header(request))
            wanted = wanted_ids(request_body.decode(await request_body.read(request, self._limits)), self._limits.ids)
            self._rate_limits.ask(key, len(wanted))
            states = await self._in_reader(lambda: self._states(key.project, wanted))
        except responses.HttpError as error:
            return error.response()
        except StoreError:
            return responses.unavailable("the store cannot be read; send this again later").response()
        return StreamingResponse(self._lines(key.project, wanted, states), media_type="application/x-ndjson")

    def _states(self, project: str, wanted: list[Id]) -> list[str]:
        """Whether each secret is its id's: known, unknown or refused."""
        installations = [self._stored.hasher.installation(project, one.user_id) for one in wanted]
        marks = [self._stored.hasher.mark(one) for one in installations]
        proofs = self._stored.erasures.known_by(dict(zip(marks, installations, strict=True)))
        return [self._state(one, mark, proofs.of(mark)) for one, mark in zip(wanted, marks, strict=True)]

    def _state(self, wanted: Id, mark: int, proofs: set[int]) -> str:
        if not proofs:
            return "unknown"
        return "known" if self._stored.hasher.proof(mark, secret_hash(wanted.secret)) in proofs else "refused"

    async def _lines(self, project: str, wanted: list[Id], states: list[str]) -> AsyncIterator[bytes]:
        for one, state in zip(wanted, states, strict=True):
            pages = self._pages(project, one, state)
            while page := await self._in_reader(lambda pages=pages: next(pages, b"")):  # type: ignore[misc]
                yield page
        yield _line({"end": True})

    def _pages(self, project: str, wanted: Id, state: str) -> Iterator[bytes]:
        subject_access, installation = self._stored.subject_access, self._stored.hasher.installation(project, wanted.user_id)
        known = state == "known"
        counts = subject_access.counts(project, installation) if known else {}
        yield _line({"userId": wanted.user_id, "state": state, "secretRegistered": state != "unknown", **counts})
        for table in ("events", "quarantine") if known else ():
            for page in subject_access.rows(table, project, installation):
                yield b"".join(_line({"userId": wanted.user_id, "table": table, "row": row}) for row in page)

    async def _in_reader(self, work: Callable[[], Any]) -> Any:
        async with self._turn:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)


def _line(what: dict[str, Any]) -> bytes:
    return _encode(what) + b"\n"
