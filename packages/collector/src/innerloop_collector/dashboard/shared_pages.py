"""What a read-only link opens: one page, which leads nowhere else, and the badge of what it is about."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from innerloop_collector.access.principal import Principal, Role, Via
from innerloop_collector.access.read_links import ReadLink, ReadLinks
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.badge import Badges
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.page_tables import home
from innerloop_collector.http.token_bucket import Bucket

PREFIX = "/shared/"
HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
_RATE, _BURST = 1.0, 60.0  # openings a second of one link's page, of its badge, and of all that are none together
_NONE = ""


class Pages(Protocol):
    """Makes pages."""

    def alone(self, request: Request, address: str, who: Principal, until: str) -> Response:
        """The page at an address, which leads nowhere else."""

    def refused(self, request: Request, error: PageError) -> Response:
        """A page that says why there is no other."""


class SharedPages:
    """Opens links."""

    def __init__(
        self,
        links: ReadLinks,
        used: Callable[[str], None],
        pages: Pages,
        badges: Badges,
        readers: Executor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._links = links
        self._used = used
        self._pages = pages
        self._badges = badges
        self._readers = readers
        self._clock = clock
        self._buckets: dict[tuple[str, bool], Bucket] = {}  # by the link, and whether it is of its badge

    def routes(self) -> list[Route]:
        """The page, and the badge."""
        return [
            Route(PREFIX + "{link}", self._page, methods=["GET"], include_in_schema=False),
            Route(PREFIX + "{link}/badge.svg", self._badge, methods=["GET"], include_in_schema=False),
        ]

    async def _page(self, request: Request) -> Response:
        return await self._opened(request, lambda link: self._pages.alone(request, link.address, bearer(link), words.day(link.expires)))

    async def _badge(self, request: Request) -> Response:
        return await self._opened(request, lambda link: self._badges.at(request, link.address), badge=True)

    async def _opened(self, request: Request, show: Callable[[ReadLink], Response], *, badge: bool = False) -> Response:
        link = self._links.find(request.path_params["link"])
        key = link.link_hash if link else _NONE, badge
        if seconds := self._buckets.setdefault(key, Bucket(_RATE, _BURST, self._clock())).take(1, self._clock()):
            answer = self._refused(request, _too_often(seconds), badge=badge)
            answer.headers["Retry-After"] = str(seconds)
        elif link is None or not link.opens(self._links.today()):
            answer = self._refused(request, _ended(link), badge=badge)
        else:
            self._used(link.link_hash)
            answer = await asyncio.get_running_loop().run_in_executor(self._readers, show, link)
        answer.headers.update(HEADERS)
        return answer

    def _refused(self, request: Request, error: PageError, *, badge: bool) -> Response:
        """What is said instead: nothing in the place of a picture."""
        return Response(status_code=error.status) if badge else self._pages.refused(request, error)


def bearer(link: ReadLink) -> Principal:
    """Whoever has a link. What is told of one change may name other projects: whoever made the link saw that."""
    of_one_change = link.address.startswith(f"{home(link.project)}/changes/")
    return Principal(Role.VIEWER, Via.LINK, link.label, None if of_one_change else frozenset({link.project}))


def _ended(link: ReadLink | None) -> PageError:
    if link is None:
        return PageError(404, "This link opens nothing", "There is no such link; it may have been cut short when it was copied.", _ways())
    why = "was taken back" if link.revoked else f"ended on {words.day(link.expires)}"
    return PageError(410, "This link opens nothing any more", f"It {why}; whoever sent it can make another.", _ways())


def _ways() -> tuple[tuple[str, str], ...]:
    return (("Sign in, if you have a token", "/sign-in"),)


def _too_often(seconds: int) -> PageError:
    return PageError(429, "This link is opened too often", f"It can be opened again in {seconds} s.", ())
