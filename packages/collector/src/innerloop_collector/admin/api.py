"""The operations over HTTP, for whoever authentication knows."""

import asyncio
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

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.access.principal import Principal
from innerloop_collector.config.configuration import Limits
from innerloop_collector.config.files import write_private
from innerloop_collector.errors import CollectorError, Denied, InvalidArguments, StoreError, Unknown, UsageError
from innerloop_collector.http import request_body
from innerloop_collector.http.responses import HttpError, unavailable

CALL = "/admin/v1/call"
_MOST = 2_000_000
_SHORTEST_TOKEN = 32  # characters
_log = structlog.get_logger()


class Call(msgspec.Struct, frozen=True):
    """An operation that is asked for."""

    operation: str
    arguments: dict[str, Any] = {}


def load_token(path: Path) -> str:
    """Read what opens the operator's side, or make it. Raises UsageError for one that anybody could guess: an empty one opens to all."""
    try:
        token = path.read_text().strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        write_private(path, token.encode() + b"\n")
    if len(token) < _SHORTEST_TOKEN:
        raise UsageError(f"{path} holds fewer than {_SHORTEST_TOKEN} characters; delete it, and the next start makes another")
    return token


def turned_away(error: Unknown | Denied) -> Response:
    """The answer to who may not come in."""
    if isinstance(error, Denied):
        return HttpError(403, "not_allowed", "Not allowed", str(error)).response()
    answer = HttpError(401, "invalid_token", "Unknown token", str(error)).response()
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


class Admin:
    """Serves each operation to those who have the role for it."""

    def __init__(
        self,
        call: Callable[[str, dict[str, Any], Principal], dict[str, Any]],
        authenticator: Authenticator,
        limits: Limits,
        readers: Executor,
    ) -> None:
        self._call = call
        self._authenticator = authenticator
        self._limits = msgspec.structs.replace(limits, body=_MOST)
        self._readers = readers

    def routes(self) -> list[Route]:
        """The one route for all operations."""
        return [Route(CALL, self._endpoint, methods=["POST"])]

    async def _endpoint(self, request: Request) -> Response:
        try:
            who = self._authenticator.who(request)
        except (Unknown, Denied) as error:
            return turned_away(error)
        try:
            data = await request_body.read(request, self._limits)
            wanted = request_body.decode_as(data, Call, "the body must name an operation and its arguments")
        except HttpError as error:
            return error.response()
        return await self._run(wanted, who)

    async def _run(self, wanted: Call, who: Principal) -> Response:
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._readers, self._call, wanted.operation, wanted.arguments, who)
        except Denied as error:
            return turned_away(error)
        except StoreError as error:
            return unavailable(str(error)).response()
        except InvalidArguments as error:
            return HttpError(400, "invalid_request", "Bad request", str(error)).response()
        except CollectorError as error:
            return HttpError(409, "refused", "Refused", str(error)).response()
        return JSONResponse(answer)
