"""`/api/v1`: what pages show, for programs: published figures only.

A report is answered as `--json` of its command prints it, a table as the `.json` of its page: there is no third shape of anything.
"""

import asyncio
import hashlib
from concurrent.futures import Executor
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.access.principal import Principal, Role
from innerloop_collector.admin.api import turned_away
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.rendering import packed
from innerloop_collector.errors import Denied, StoreError, Unknown, UsageError
from innerloop_collector.http.responses import HttpError, bad_request, not_found, unavailable
from innerloop_collector.web.read_api_answers import OF_ALL, OF_ONE, Asked, Resource, Sources

PREFIX = "/api/v1"
OF_PROJECT = f"{PREFIX}/projects/{{project}}"
_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization, Cookie", "X-Content-Type-Options": "nosniff"}


class ReadApi:
    """Answers whoever may read reports."""

    def __init__(self, sources: Sources, authenticator: Authenticator, readers: Executor) -> None:
        self._sources = sources
        self._authenticator = authenticator
        self._readers = readers

    def routes(self) -> list[Route]:
        """An address for each resource."""
        found = [(PREFIX + path, one) for path, one in OF_ALL.items()] + [(OF_PROJECT + path, one) for path, one in OF_ONE.items()]
        return [Route(path, partial(self._endpoint, one), methods=["GET"]) for path, one in found]

    async def _endpoint(self, resource: Resource, request: Request) -> Response:
        try:
            who = self._authenticator.who(request)
        except (Unknown, Denied) as error:
            return turned_away(error)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._answer, resource, request, who)

    def _answer(self, resource: Resource, request: Request, who: Principal) -> Response:
        try:
            asked = self._asked(request, who, resource.takes)
            return _told(request, resource.answer(self._sources, asked), asked)
        except HttpError as error:
            return error.response()
        except PageError as error:
            return _of_page(error).response()
        except Denied as error:
            return turned_away(error)
        except UsageError as error:
            return (not_found if resource.named else bad_request)(str(error)).response()
        except StoreError as error:
            return unavailable(str(error)).response()

    def _asked(self, request: Request, who: Principal, takes: tuple[str, ...]) -> Asked:
        """What is asked for. Raises Denied and HttpError, of an unseen project the same whether or not it is there."""
        if not who.role.may(Role.VIEWER):
            raise Denied(f"this needs the role viewer; you have {who.role.word}. Ask whoever runs the collector")
        project = request.path_params.get("project", "")
        if project and not who.sees(project):
            raise Denied("you may not see this project. Ask whoever runs the collector")
        seen = tuple(one for one in self._sources.reader.projects() if who.sees(one.project))
        if project and all(one.project != project for one in seen):
            raise not_found("no project of this name is registered here")
        given = request.query_params.multi_items()
        if unknown := sorted({name for name, _ in given} - set(takes)):
            raise bad_request(f"there is no parameter {unknown[0][:60]!r} here; there is {', '.join(takes) or 'none'}")
        if len(dict(given)) < len(given):
            raise bad_request("each parameter can be given once")
        return Asked(who, project, request.path_params.get("name", ""), {name: value for name, value in given if value}, seen)


def _told(request: Request, answer: dict[str, Any], asked: Asked) -> Response:
    """An answer that is sent again only where it is another."""
    made = JSONResponse(answer, headers=_HEADERS)
    tag = f'W/"{hashlib.sha256(made.body).hexdigest()[:32]}"'
    if asked.more:
        made.headers["Link"] = f'<?{urlencode({**asked.given, **asked.more})}>; rel="next"'
    made.headers["ETag"] = tag
    if tag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={**_HEADERS, "ETag": tag})
    return packed(request, made)


def _of_page(error: PageError) -> HttpError:
    """What a page says in a sentence, as a problem."""
    code = {400: "invalid_request", 404: "not_found"}.get(error.status, "refused")
    return HttpError(error.status, code, error.title, error.sentence)
