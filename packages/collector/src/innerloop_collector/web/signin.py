"""The routes with which a browser signs in and out.

`POST /session` with a token sets the cookie, `GET` says who one is, `DELETE` ends the session.
"""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.admin.api import turned_away
from innerloop_collector.config.configuration import Limits
from innerloop_collector.errors import Denied, Unknown
from innerloop_collector.http import request_body
from innerloop_collector.http.responses import HttpError

_PATH = "/session"
_MOST = 4_096  # bytes
_PRIVATE = {"Cache-Control": "no-store"}


class SignInRequest(msgspec.Struct, frozen=True):
    """What somebody signs in with."""

    token: Annotated[str, msgspec.Meta(max_length=200)]


class Who(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who somebody is to the collector."""

    role: str
    label: str
    projects: Annotated[list[str] | None, msgspec.Meta(description="null: all")]
    via: str
    ends: Annotated[str, msgspec.Meta(description="When the session does.")] = ""


class SignIn:
    """Opens and ends sessions."""

    def __init__(self, authenticator: Authenticator, limits: Limits) -> None:
        self._authenticator = authenticator
        self._limits = msgspec.structs.replace(limits, body=_MOST)

    def routes(self) -> list[Route]:
        """One address."""
        return [Route(_PATH, self._endpoint, methods=["GET", "POST", "DELETE"])]

    async def _endpoint(self, request: Request) -> Response:
        try:
            if request.method == "POST":
                return await self._open(request)
            if request.method == "DELETE":
                return self._close(request)
            return self._who(request)
        except (Unknown, Denied) as error:
            return turned_away(error)
        except HttpError as error:
            return error.response()

    async def _open(self, request: Request) -> Response:
        given = request_body.decode_as(
            await request_body.read(request, self._limits), SignInRequest, "the body must be an object with a token"
        )
        cookie = self._authenticator.sign_in(request, given.token)
        return Response(status_code=204, headers={**_PRIVATE, "Set-Cookie": cookie})

    def _close(self, request: Request) -> Response:
        return Response(status_code=204, headers={**_PRIVATE, "Set-Cookie": self._authenticator.sign_out(request)})

    def _who(self, request: Request) -> Response:
        who = self._authenticator.who(request)
        ends = self._authenticator.session_ends(request)
        answer = Who(
            who.role.word,
            who.label,
            None if who.projects is None else sorted(who.projects),
            str(who.via),
            ends.isoformat(timespec="seconds") if ends else "",
        )
        return JSONResponse(msgspec.to_builtins(answer), headers=_PRIVATE)
