"""The web application: every route, and the answers where there is none."""

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from innerloop_collector.http.responses import HttpError

_log = structlog.get_logger()


class Routes(Protocol):
    """A part of the application."""

    def routes(self) -> list[Route]:
        """What it serves."""


ErrorPage = Callable[[Request, int], Response | None]


def application(routes: Sequence[Route], error_page: ErrorPage) -> Starlette:
    """Put routes together. `error_page`: what somebody is answered who reads pages, with a status; None: it is a program."""

    async def not_found(request: Request, error: Exception) -> Response:
        return error_page(request, 404) or await _not_found(request, error)

    async def unexpected(request: Request, error: Exception) -> Response:
        _log.error("unexpected failure", kind=type(error).__name__)
        answer = error_page(request, 500) or _unexpected()
        answer.headers["Connection"] = "close"  # the server closes it now: nobody is to ask again on it
        return answer

    made = Starlette(routes=routes, exception_handlers={404: not_found, 405: _wrong_method, Exception: unexpected})
    made.router.redirect_slashes = False  # a 3xx is success to some SDKs: the events would be gone
    return made


async def _not_found(_: Request, __: Exception) -> Response:
    return HttpError(404, "not_found", "Not found", "there is nothing at this address").response()


async def _wrong_method(_: Request, error: Exception) -> Response:
    answer = HttpError(405, "wrong_method", "Method not allowed", "this address does not take that method").response()
    answer.headers.update(getattr(error, "headers", None) or {})  # Allow
    return answer


def _unexpected() -> Response:
    return HttpError(503, "internal", "Internal error", "something failed here; send this again later", temporary=True).response()
