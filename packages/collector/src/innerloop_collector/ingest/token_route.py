"""`POST /token`: where Segment's SDKs fetch a token. May import: the rest of ingest, the store's public keys, configuration."""

import asyncio
from concurrent.futures import Executor
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.config.configuration import Limits
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.http import request_body, responses
from innerloop_collector.ingest import tokens
from innerloop_collector.store.oauth_keys import Assertions, OAuthKey, OAuthKeys

_MOST = 20_000
"""Bytes of a request; the SDKs' have 1,500."""


class TokenRoute:
    """Answers requests for a token, each in full also where it refuses: an SDK waits forever for what is missing in an error."""

    def __init__(
        self, keys: OAuthKeys, assertions: Assertions, made: tokens.SendingTokens, audience: str, limits: Limits, readers: Executor
    ) -> None:
        self._keys = keys
        self._assertions = assertions
        self._tokens = made
        self._audience = audience.rstrip("/")
        self._limits = limits
        self._readers = readers

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/token", self._endpoint, methods=["POST"])]

    async def _endpoint(self, request: Request) -> Response:
        try:
            key = await self._asks(request)
        except responses.Refusal as refusal:
            return _in_full(refusal)
        except QueueFull:
            return _in_full(responses.overloaded())
        except StoreError:
            return _in_full(responses.unavailable())
        content = {
            "access_token": self._tokens.issue(key),
            "token_type": "Bearer",
            "expires_in": self._tokens.seconds,
            "scope": tokens.SCOPE,
        }
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    async def _asks(self, request: Request) -> OAuthKey:
        """Find out who asks."""
        if not self._audience:
            raise tokens.unknown_client("this collector gives no tokens; set oauth_audience in [ingest] to its own address")
        data = await request_body.read(request, self._limits)
        if len(data) > _MOST:
            raise responses.too_large(f"a request for a token may have {_MOST} bytes")
        form = _form(data)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._check, form)

    def _check(self, form: dict[str, str]) -> OAuthKey:
        return tokens.check(form, self._audience, self._keys, self._assertions, self._tokens.now())


def _form(data: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(data.decode("ascii"), max_num_fields=20))
    except ValueError:
        raise responses.bad_request("the body must be a form, as application/x-www-form-urlencoded") from None


def _in_full(refusal: responses.Refusal) -> Response:
    """A refusal with the members of OAuth (RFC 6749) beside those of a problem."""
    return refusal.answer(error=refusal.code, error_description=refusal.detail)
