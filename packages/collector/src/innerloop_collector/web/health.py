"""`/livez` and `/readyz`."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.errors import StoreError
from innerloop_collector.http.responses import unavailable

_PATIENCE = 5.0  # seconds
_SILENT = "the store does not answer"


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the service is."""

    status: Literal["alive", "ready"]
    detail: Annotated[str, msgspec.Meta(description="What an operator should know although all is served; `check` says more.")] = ""


class Health:
    """Says whether the process lives and whether it can do its work. Anybody may ask, so it names no project and counts nothing."""

    def __init__(self, probe: Callable[[], str | None], notes: Callable[[], Sequence[str]], readers: Executor) -> None:
        """`notes` are about what an operator should know although the work is done. Anybody reads them: nothing that an event can change."""
        self._probe = probe
        self._notes = notes
        self._readers = readers
        self._pending: Future[str | None] | None = None

    def routes(self) -> list[Route]:
        """`/livez` and `/readyz`."""
        return [Route("/livez", self._live, methods=["GET"]), Route("/readyz", self._ready, methods=["GET"])]

    async def _live(self, _: Request) -> Response:
        return JSONResponse(msgspec.to_builtins(Status("alive")))

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
            return unavailable(trouble).response()
        return JSONResponse(msgspec.to_builtins(Status("ready", "; ".join(self._notes()))))

    def _ask(self) -> str | None:
        try:
            return self._probe()
        except StoreError:
            return _SILENT


class Notifier:
    """The supervisor's ear."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environ.get("WATCHDOG_USEC", "")
        self._patience = int(wanted) / 1_000_000 if mine and wanted.isdigit() else 0.0

    def ready(self) -> None:
        """The service listens."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The service drains and ends."""
        self._say("STOPPING=1")

    async def keep_alive(self, healthy: Callable[[], bool]) -> None:
        """Feed the watchdog for as long as the service does its work. Runs until it is cancelled, or returns where nobody watches."""
        while self._patience:
            if healthy():
                self._say("WATCHDOG=1")
            await asyncio.sleep(self._patience / 3)

    def _say(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ear:
                ear.connect(address)
                ear.sendall(text.encode())
        except OSError:
            pass  # nobody listens any more: that is no reason to stop
