"""Pages that may send from a browser: those of the origins that the operator lists, none by default.

A page elsewhere must not make its visitors' browsers send: what a browser carries
an `Origin` for is refused, also where the browser would not have shown the answer to the page.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from innerloop_collector.http.responses import wrong_origin

_PREFLIGHT_SECONDS = 3_600


class Origins:
    """Refuses requests from pages of other origins."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - an ASGI application's one method
        origin = Headers(scope=scope).get("origin")
        if origin is None or origin in self._allowed or "*" in self._allowed:
            await self._app(scope, receive, send)
        else:
            await wrong_origin().response()(scope, receive, send)


def middleware(allowed: Collection[str]) -> list[Middleware]:
    """What stands before a route that browsers may use."""
    cross = Middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_methods=["POST"],
        allow_headers=["*"],
        allow_private_network=True,
        max_age=_PREFLIGHT_SECONDS,
    )
    return [Middleware(Origins, allowed=allowed), *([cross] if allowed else [])]
