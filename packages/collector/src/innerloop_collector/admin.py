"""The operator's operations over HTTP. May import: operations, ingest's answers, store's keyed hashes."""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.errors import CollectorError, StoreError
from innerloop_collector.ingest.answers import Refusal, unavailable
from innerloop_collector.store.keyed import write_private

CALL = "/admin/v1/call"
_MOST = 2_000_000
_log = structlog.get_logger()


class Call(msgspec.Struct, frozen=True):
    """An operation that is asked for."""

    operation: str
    arguments: dict[str, Any] = {}


def load_token(path: Path) -> str:
    """Read what opens the operator's side, or make it."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        write_private(path, token.encode() + b"\n")
        return token


class Admin:
    """Serves operations to whoever can read DIR/admin-token."""

    def __init__(self, call: Callable[[str, dict[str, Any]], dict[str, Any]], token: str, readers: Executor) -> None:
        self._call = call
        self._token = token
        self._readers = readers

    def routes(self) -> list[Route]:
        """The one route for all operations."""
        return [Route(CALL, self._endpoint, methods=["POST"])]

    async def _endpoint(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode("latin-1", "replace")
        if not hmac.compare_digest(given, self._token.encode()):
            return Refusal(401, "invalid_token", "Unknown token", "this needs the token in DIR/admin-token").answer()
        if int(request.headers.get("content-length") or _MOST + 1) > _MOST:
            return Refusal(413, "too_large", "Content too large", f"a request may have {_MOST} bytes").answer()
        try:
            wanted = msgspec.json.decode(await request.body(), type=Call)
        except msgspec.MsgspecError:
            return Refusal(400, "invalid_request", "Bad request", "the body must name an operation and its arguments").answer()
        return await self._run(wanted)

    async def _run(self, wanted: Call) -> Response:
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._readers, self._call, wanted.operation, wanted.arguments)
        except StoreError as error:
            return unavailable(str(error)).answer()
        except CollectorError as error:
            return Refusal(409, "refused", "Refused", str(error)).answer()
        except TypeError:
            return Refusal(400, "invalid_request", "Bad request", "these arguments do not fit the operation").answer()
        return JSONResponse(answer)
