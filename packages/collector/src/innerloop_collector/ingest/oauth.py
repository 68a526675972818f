"""OAuth as Segment's SDKs speak it: a signed request becomes a token, and a token becomes a project.

Sending tokens are signed and not kept. Each names the public key that it was
given for, so it dies with that key.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl

import jwt
import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.config.configuration import Limits
from innerloop_collector.errors import QueueFull, StoreError
from innerloop_collector.http import request_body, responses
from innerloop_collector.http.responses import HttpError
from innerloop_collector.store.oauth_keys import Assertions, OAuthKey, OAuthKeys

SCOPE = "tracking_api:write"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST = 65  # seconds that an assertion may be good for: 60, and the SDKs read the clock twice
_LONGEST_NAME = 200
_NEEDED = ["iss", "sub", "aud", "iat", "exp", "jti"]
_TIMES_ARE_OURS = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


class SendingTokens:
    """Makes access tokens, and reads those that it made."""

    def __init__(self, keys: OAuthKeys, secret: bytes, now: Callable[[], datetime], seconds: int) -> None:
        self._keys = keys
        self._secret = secret
        self.now = now
        self.seconds = seconds

    def issue(self, key: OAuthKey) -> str:
        """Make a token for whoever has the private half of a key."""
        now = self.now()
        claims = {"sub": key.id, "scope": SCOPE, "iat": now, "exp": now + timedelta(seconds=self.seconds)}
        return jwt.encode(claims, self._secret, "HS256")

    def project_of(self, token: str) -> str | None:
        """Which project does a token write to? None: it is not ours, it expired, or its key was revoked."""
        options: Any = {"require": ["sub", "exp"], **_TIMES_ARE_OURS}
        try:
            claims = jwt.decode(token, self._secret, ["HS256"], options=options)
        except jwt.InvalidTokenError:
            return None
        key = self._keys.valid(claims["sub"])
        return key.project if key and claims["exp"] > self.now().timestamp() else None


def check(form: Mapping[str, str], audience: str, keys: OAuthKeys, assertions: Assertions, now: datetime) -> OAuthKey:
    """Find out who asks for a token. Raises HttpError, in the words that the SDKs look for."""
    if form.get("grant_type") != "client_credentials":
        raise _refused(400, "unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("scope", SCOPE) != SCOPE:
        raise _refused(400, "invalid_scope", f"scope must be {SCOPE}")
    if form.get("client_assertion_type") != _ASSERTION_TYPE:
        raise _refused(400, "invalid_request", f"client_assertion_type must be {_ASSERTION_TYPE}")
    key, claims = _verified(form.get("client_assertion", ""), audience, keys)
    expires = _in_time(claims, now)
    name = claims["jti"]
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not assertions.use(key.id, name, expires):
        raise unknown_client("the assertion was used before")
    return key


def _verified(assertion: str, audience: str, keys: OAuthKeys) -> tuple[OAuthKey, dict[str, Any]]:
    """The key that signed an assertion, and its claims."""
    try:
        key = keys.valid(jwt.get_unverified_header(assertion).get("kid"))
        if key is None:
            raise unknown_client("no public key with this id is accepted")
        options: Any = {"require": _NEEDED, **_TIMES_ARE_OURS}
        claims = jwt.decode(assertion, key.pem, ["RS256"], audience=[audience, audience + "/"], options=options)
    except jwt.InvalidAudienceError:
        raise unknown_client("the assertion is meant for another address") from None
    except jwt.InvalidTokenError:
        raise unknown_client("the assertion is not one, or another key signed it") from None
    if (claims["iss"], claims["sub"]) != (key.project, key.project):
        raise unknown_client("iss and sub must be the client id, which is the project's id")
    return key, claims


def _in_time(claims: dict[str, Any], now: datetime) -> datetime:
    """When an assertion expires. The SDKs know these two texts, take the time from our answer and ask again."""
    try:
        issued, expires = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("iat", "exp"))
    except (TypeError, ValueError, OverflowError, OSError):
        raise unknown_client("iat and exp must be seconds since 1970") from None
    if expires <= now:
        raise _refused(400, "invalid_request", "Token is expired")
    if issued > now:
        raise _refused(400, "invalid_request", "Token used before issued")
    if (expires - issued).total_seconds() > _LONGEST:
        raise unknown_client(f"the assertion is good for more than {_LONGEST} seconds")
    return expires


def unknown_client(detail: str) -> HttpError:
    """Nobody who may have a token."""
    return _refused(401, "invalid_client", detail)


def _refused(status: int, error: str, detail: str) -> HttpError:
    return HttpError(status, error, "No token", detail)


_MOST = 20_000  # bytes of a request; the SDKs' have 1,500


class TokenRequest(msgspec.Struct, frozen=True):
    """The form with which a token is asked for."""

    grant_type: Literal["client_credentials"]
    client_assertion_type: str
    client_assertion: str
    scope: str


class Token(msgspec.Struct, frozen=True):
    """A token to send events with."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class TokenRoute:
    """Answers requests for a token, each in full also where it refuses: an SDK waits forever for what is missing in an error."""

    def __init__(
        self, keys: OAuthKeys, assertions: Assertions, made: SendingTokens, audience: str, limits: Limits, readers: Executor
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
        except responses.HttpError as error:
            return _in_full(error)
        except QueueFull:
            return _in_full(responses.overloaded())
        except StoreError:
            return _in_full(responses.unavailable())
        answer = Token(self._tokens.issue(key), "Bearer", self._tokens.seconds, SCOPE)
        return JSONResponse(msgspec.to_builtins(answer), headers={"Cache-Control": "no-store"})

    async def _asks(self, request: Request) -> OAuthKey:
        """Find out who asks."""
        if not self._audience:
            raise unknown_client("this collector gives no tokens; set oauth_audience in [ingest] to its own address")
        data = await request_body.read(request, self._limits)
        if len(data) > _MOST:
            raise responses.too_large(f"a request for a token may have {_MOST} bytes")
        form = _form(data)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._check, form)

    def _check(self, form: dict[str, str]) -> OAuthKey:
        return check(form, self._audience, self._keys, self._assertions, self._tokens.now())


def _form(data: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(data.decode("ascii"), max_num_fields=20))
    except ValueError:
        raise responses.bad_request("the body must be a form, as application/x-www-form-urlencoded") from None


def _in_full(error: responses.HttpError) -> Response:
    """An error with the members of OAuth (RFC 6749) beside those of a problem."""
    return error.response(error=error.code, error_description=error.detail)
