"""A badge: how long a command or target takes, as a small picture for a README."""

import asyncio
import hashlib
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import Executor
from html import escape
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.http.responses import RETRY_SECONDS
from innerloop_collector.http.token_bucket import Bucket
from innerloop_collector.query import Time
from innerloop_collector.reports.views import Report

NOT_PUBLISHED = "not published"
_LONGEST = 60  # characters of a name
_LETTER, _AROUND = 6.6, 6  # pixels
_SECONDS = 300  # for which what stands between may keep it: a link that was taken back is not shown for longer
_RATE, _BURST = 20.0, 200.0  # badges a second, of all together
_HEADERS = {
    "Cache-Control": f"public, max-age={_SECONDS}",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",  # it is made to stand on pages elsewhere
    "X-Content-Type-Options": "nosniff",
}


def p50_of(report: Report, kind: str, name: str) -> Time | None:
    """The median of a command, target or other cell in a report. None: it is not told."""
    if kind == "commands":
        return next((one.p50 for one in report.commands if one.command == name), None)
    if kind == "targets":
        return next((one.p50 for one in report.targets if one.target == name), None)
    return next((one.p50 for one in report.parts if (one.by, one.name) == (kind, name)), None)


class Openness(Protocol):
    """Knows what is open to everybody."""

    def opens(self, project: str) -> bool:
        """Tell whether a project opens figures at all. It takes as long for one that does not as for one that there is not."""

    def is_open(self, project: str, name: str) -> bool:
        """Tell whether everything that is published of a project's period is open."""


class Badges:
    """Serves badges: to everybody of what is open to everybody, and to whoever has a link."""

    def __init__(self, reader: Reader, openness: Openness, readers: Executor, *, simulated: bool) -> None:
        self._reader = reader
        self._openness = openness
        self._readers = readers
        self._suffix = " (simulated)" if simulated else " (throw-away)" if reader.at_once else ""
        self._bucket = Bucket(_RATE, _BURST, time.monotonic())

    def routes(self) -> list[Route]:
        """One address, such as `/badge/shop/targets/build.svg`."""
        return [Route("/badge/{project}/{kind}/{name:path}", self._serve, methods=["GET"], include_in_schema=False)]

    def at(self, request: Request, address: str) -> Response:
        """The badge of the command, target or other cell whose page is at an address, of the period that it names or else of the newest block."""
        path, _, query = address.partition("?")
        _, _, project, kind, name = [*path.split("/", 4), "", "", ""][:5]
        project, name = unquote(project), unquote(name)
        wanted = dict(parse_qsl(query)).get("period")
        return self._of(request, name, lambda: self._p50(project, kind, name, wanted or self._newest(project)))

    async def _serve(self, request: Request) -> Response:
        if seconds := self._bucket.take(1, time.monotonic()):
            return Response(status_code=429, headers={"Retry-After": str(seconds)})
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._to_everybody, request)

    def _to_everybody(self, request: Request) -> Response:
        """The same for a project that is not open, for one that there is not, and for what is not published."""
        project, kind, name = (request.path_params[one] for one in ("project", "kind", "name"))
        name = name.removesuffix(".svg")
        return self._of(request, name, lambda: self._p50(project, kind, name, self._newest_open(project)))

    def _newest(self, project: str) -> str:
        """The newest block of which something is published. Empty: nothing is. Raises UsageError for no project."""
        newest = self._reader.newest(project)
        return newest.period if newest else ""

    def _newest_open(self, project: str) -> str:
        """The newest block where it is open. Nothing is read before that is known: how long it takes would tell that a project is there."""
        period = self._newest(project) if self._openness.opens(project) else ""
        return period if period and self._openness.is_open(project, period) else ""

    def _p50(self, project: str, kind: str, name: str, period: str) -> Time | None:
        return p50_of(self._reader.report(project, period), kind, name) if period else None

    def _of(self, request: Request, name: str, read: Callable[[], Time | None]) -> Response:
        """The badge of what is read, or of nothing where there is no such project or period."""
        try:
            found = read()
        except UsageError:
            found = None
        except StoreError:
            return Response(status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})
        return badge(request, name, found, self._suffix if found else "")


def badge(request: Request, name: str, of: Time | None, suffix: str = "") -> Response:
    """The badge as an answer. `suffix`: what else is to be known of the figure."""
    value = NOT_PUBLISHED if of is None else words.quantile(of)
    content = svg(f"{name[:_LONGEST]} p50", f"{value}{suffix}").encode()
    headers = {**_HEADERS, "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    if headers["ETag"] in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, "image/svg+xml")


def svg(label: str, value: str) -> str:
    """Two texts side by side. Whatever they hold is text."""
    left, right = (_width(text) + 2 * _AROUND for text in (label, value))
    said = escape(f"{_clean(label)}: {_clean(value)}")
    texts = "".join(
        f'<text x="{middle:.1f}" y="14" textLength="{_width(text):.1f}" lengthAdjust="spacingAndGlyphs">{escape(_clean(text))}</text>'
        for text, middle in ((label, left / 2), (value, left + right / 2))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="20" role="img" aria-label="{said}"><title>{said}</title>'
        f'<rect width="{left + right:.0f}" height="20" rx="3" fill="#3b424b"/>'
        f'<path d="M{left:.1f} 0h{right - 3:.1f}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h{3 - right:.1f}z" fill="#1d5fa6"/>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>'
    )


def _width(text: str) -> float:
    return _LETTER * sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _clean(text: str) -> str:
    """A text of characters that XML may hold and that draw something."""
    return "".join(one if one.isprintable() or one == words.THIN else "?" for one in text)
