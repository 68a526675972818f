"""From a page to an answer: templates, what a browser may do with it, and its bytes."""

import gzip
import re
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from innerloop_collector.access.principal import Principal
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.page import Page
from innerloop_collector.dashboard.static_files import StaticFiles

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding, Cookie",
}
_SMALL = 1_000  # bytes that are not worth packing


class Renderer:
    """Makes HTML. What a template is not told it cannot use, and all text is escaped."""

    def __init__(self, static: StaticFiles, *, simulated: bool, throw_away: bool, openid: str) -> None:
        """`openid`: what stands on the button with which one signs in at a provider; empty: there is none."""
        self.simulated = simulated
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader(__package__),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        label = "Simulated team" if simulated else "Throw-away store" if throw_away else ""
        self._environment.globals.update(static=static.address, words=words, store_label=label, openid=openid)

    def page(self, request: Request, page: Page, who: Principal | None, **more: Any) -> Response:
        """A page for somebody."""
        return self._answer(request, page.template, page.status, page=page, who=who, **more)

    def alone(self, request: Request, page: Page, until: str, **more: Any) -> Response:
        """A page for whoever may open nothing else until a day: it leads nowhere."""
        text = self._environment.get_template(page.template).render(page=page, who=None, projects=(), address="", **more)
        return packed(request, Response(_led_nowhere(text, until), 200, HEADERS, "text/html; charset=utf-8"))

    def sign_in(self, request: Request, *, path: str, why: str = "", status: int = 401) -> Response:
        """The page on which one signs in, to go on to another."""
        return self._answer(request, "sign_in.html", status, page=Page("", "Sign in"), who=None, path=path, why=why)

    def error(self, request: Request, error: PageError, who: Principal | None, **more: Any) -> Response:
        """A page that says why there is no other."""
        told = {"project": "", "projects": (), **more}
        return self._answer(request, "error.html", error.status, page=Page("", error.title), who=who, error=error, **told)

    def _answer(self, request: Request, template: str, status: int, **told: Any) -> Response:
        told = {"project": "", "projects": (), "address": "", **told}
        text = self._environment.get_template(template).render(**told)
        return packed(request, Response(text, status, HEADERS, "text/html; charset=utf-8"))


_LINK = re.compile(r'<a\b(?: (class="[^"]*"))?[^>]*\bhref="(?!#)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
_WAYS = re.compile(r'<form\b.*?</form>|<nav\b.*?</nav>|<p class="foot">.*?</p>|<a href="[^"]*/privacy">.*?</a>', re.DOTALL)


def _led_nowhere(html: str, until: str) -> str:
    """A page without its links to others, its forms and its files. Templates escape `<` and `>` in all that they are told, so these are ours."""
    note = f'<p class="note">You see this page through a link that opens it until {until}, and nothing else.</p>\n</main>'
    return _LINK.sub(r"<span \1>\2</span>", _WAYS.sub("", html)).replace("</main>", note, 1)


def packed(request: Request, answer: Response) -> Response:
    """The answer, with gzip where it is large and the browser reads it."""
    if len(answer.body) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        answer.body = gzip.compress(bytes(answer.body), 5, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    return answer
