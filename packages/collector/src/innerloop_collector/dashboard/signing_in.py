"""The pages on which somebody signs in and out: with a token, or once with a link."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.config.configuration import Limits
from innerloop_collector.dashboard import forms
from innerloop_collector.dashboard.error_pages import PageError, here, sentence
from innerloop_collector.dashboard.rendering import HEADERS, Renderer
from innerloop_collector.errors import Denied, Unknown
from innerloop_collector.http.responses import HttpError

_MOST = 4_096  # bytes of a form
_LINK = "The next start of the service prints another, and a token works at any time."


class SigningIn:
    """Opens and ends sessions, for a browser that shows pages."""

    def __init__(self, renderer: Renderer, authenticator: Authenticator, limits: Limits) -> None:
        self._renderer = renderer
        self._authenticator = authenticator
        self._limits = limits

    def routes(self) -> list[Route]:
        """Three addresses."""
        return [
            Route("/sign-in", self._sign_in, methods=["GET", "POST"], include_in_schema=False),
            Route("/sign-in/{link}", self._by_link, methods=["GET"], include_in_schema=False),
            Route("/sign-out", self._sign_out, methods=["POST"], include_in_schema=False),
        ]

    def instead(self, request: Request) -> Response:
        """The form, in the place of the page that somebody wanted and goes on to. What they posted is not done."""
        why = "Nothing was done: the session had ended. Sign in, and send it again." if request.method == "POST" else ""
        return self._renderer.sign_in(request, path=local(here(request)), why=why)

    async def _sign_in(self, request: Request) -> Response:
        path = local(request.query_params.get("path", "/"))
        if request.method == "GET":
            return self._renderer.sign_in(request, path=path, status=200)
        try:
            given = await forms.read(request, self._limits, _MOST)
            path = local(given.get("path"))
            cookie = self._authenticator.sign_in(request, given.line("token"))
        except Unknown as error:
            return self._renderer.sign_in(request, path=path, why=sentence(error))
        except Denied as error:
            return self._renderer.sign_in(request, path=path, why=sentence(error), status=403)
        except HttpError as error:
            return self._renderer.sign_in(request, path=path, why=sentence(error), status=error.status)
        return RedirectResponse(path, 303, {**HEADERS, "Set-Cookie": cookie})

    async def _by_link(self, request: Request) -> Response:
        if request.method == "HEAD":  # nobody signs in by looking whether something is there
            return Response(headers=HEADERS)
        try:
            cookie = self._authenticator.sign_in_by_link(request, request.path_params["link"])
        except Unknown as error:
            return self._renderer.sign_in(request, path="/", why=f"{sentence(error)} {_LINK}")
        return RedirectResponse("/", 303, {**HEADERS, "Set-Cookie": cookie})

    async def _sign_out(self, request: Request) -> Response:
        try:
            cookie = self._authenticator.sign_out(request)
        except Denied as error:
            return self._renderer.error(request, PageError(403, "You may not do this from here", sentence(error)), None)
        return RedirectResponse("/sign-in", 303, {**HEADERS, "Set-Cookie": cookie})


def local(path: str) -> str:
    """An address of ours, or the first page: nobody is sent elsewhere after signing in."""
    ours = path.startswith("/") and not path.startswith(("//", "/sign-in")) and "\\" not in path and path.isprintable()
    return path if ours else "/"
