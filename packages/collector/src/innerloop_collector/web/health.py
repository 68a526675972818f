"""`/livez` and `/readyz`. May import: ingest's answers, errors."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, Future

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.errors import StoreError
from innerloop_collector.http.responses import unavailable

_PATIENCE = 5.0  # seconds
_SILENT = "the store does not answer"


class Health:
    """Says whether the process lives and whether it can do its work. Anybody may ask, so it names no project and counts nothing."""

    def __init__(self, probe: Callable[[], str | None], notes: Callable[[], Awaitable[Sequence[str]]], readers: Executor) -> None:
        """`notes` are about what an operator should know although the work is done."""
        self._probe = probe
        self._notes = notes
        self._readers = readers
        self._pending: Future[str | None] | None = None

    def routes(self) -> list[Route]:
        """`/livez` and `/readyz`."""
        return [Route("/livez", self._live, methods=["GET"]), Route("/readyz", self._ready, methods=["GET"])]

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, _: Request) -> Response:
        """Try the store. Those who ask meanwhile share the answer: a store that hangs takes one reader, not all."""
        pending = self._pending = self._pending or self._readers.submit(self._ask)
        try:
            trouble = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(pending)), _PATIENCE)
        except TimeoutError:
            trouble = _SILENT
        if pending.done() and self._pending is pending:
            self._pending = None
        if trouble is not None:
            return unavailable(trouble).answer()
        notes = list(await self._notes())
        return JSONResponse({"status": "ready", **({"detail": "; ".join(notes)} if notes else {})})

    def _ask(self) -> str | None:
        try:
            return self._probe()
        except StoreError:
            return _SILENT
