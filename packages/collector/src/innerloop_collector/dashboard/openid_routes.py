"""The two addresses of signing in by OpenID Connect: where a browser is sent away, and where it comes back."""

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.access.openid import SECONDS, OpenIDConnect
from innerloop_collector.access.openid_client import BEGIN, CALLBACK
from innerloop_collector.dashboard.error_pages import sentence
from innerloop_collector.dashboard.page import Page
from innerloop_collector.dashboard.rendering import HEADERS, Renderer
from innerloop_collector.dashboard.signing_in import local
from innerloop_collector.errors import Denied, ProviderFailed, Unknown

_STATUS = {Unknown: 401, Denied: 403, ProviderFailed: 503}
_log = structlog.get_logger()


class OpenIDRoutes:
    """Opens sessions for whom a provider has signed in. Where none is configured nothing is at these addresses."""

    def __init__(self, renderer: Renderer, authenticator: Authenticator, openid: OpenIDConnect) -> None:
        self._renderer = renderer
        self._authenticator = authenticator
        self._openid = openid
        self._cookie = authenticator.cookie + "-openid"

    def routes(self) -> list[Route]:
        """Two addresses."""
        return [
            Route(BEGIN, self._begin, methods=["GET"], include_in_schema=False),
            Route(CALLBACK, self._end, methods=["GET"], include_in_schema=False),
        ]

    async def _begin(self, request: Request) -> Response:
        path = local(request.query_params.get("path", "/"))
        if request.method == "HEAD":  # nobody signs in by looking whether something is there
            return Response(headers=HEADERS)
        try:
            address, browser = await self._openid.begin(request.cookies.get(self._cookie, ""), path)
        except ProviderFailed as error:
            return self._refused(request, error, path)
        # The browser comes back from another site, so that a cookie for our own pages only would stay away.
        cookie = self._authenticator.set_cookie(self._cookie, browser, SECONDS, site="Lax")
        return RedirectResponse(address, 303, {**HEADERS, "Set-Cookie": cookie})

    async def _end(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        try:
            who, path = await self._openid.end(request.cookies.get(self._cookie, ""), dict(request.query_params))
        except (Unknown, Denied, ProviderFailed) as error:
            return self._refused(request, error, "/")
        _log.info("signed in by OpenID Connect", role=who.role.word)
        answer = self._renderer.page(request, Page("signed_in.html", "Signed in", about={"path": local(path)}), None)
        answer.headers["Set-Cookie"] = self._authenticator.sign_in_as(request, who)
        return answer

    def _refused(self, request: Request, error: Unknown | Denied | ProviderFailed, path: str) -> Response:
        """The sign-in page, which says why and has the ways on."""
        return self._renderer.sign_in(request, path=path, why=sentence(error), status=_STATUS[type(error)])
