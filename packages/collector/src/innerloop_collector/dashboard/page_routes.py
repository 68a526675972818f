"""The addresses of the dashboard, who may open them, and what is answered where a page cannot be."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from innerloop_collector.access.authentication import Authenticator
from innerloop_collector.access.openid import OpenIDConnect
from innerloop_collector.access.principal import Principal, Role
from innerloop_collector.config.configuration import Limits
from innerloop_collector.dashboard import forms, registration
from innerloop_collector.dashboard.error_pages import (
    PageError,
    here,
    no_such_page,
    not_seen,
    sentence,
    silent,
    takes_no_form,
    unknown_project,
    unknown_value,
    unmade,
)
from innerloop_collector.dashboard.filters import Filters
from innerloop_collector.dashboard.forms import Done, Form
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.openid_routes import OpenIDRoutes
from innerloop_collector.dashboard.operating import Ask, Operating
from innerloop_collector.dashboard.page import Page
from innerloop_collector.dashboard.page_addresses import ADMIN, FORMATS, PROJECTS, PageAddresses, asked_for, parameters, project_in
from innerloop_collector.dashboard.page_tables import home
from innerloop_collector.dashboard.privacy import RegisteredPlan
from innerloop_collector.dashboard.project_pages import ProjectPages
from innerloop_collector.dashboard.rendering import HEADERS, Renderer, packed
from innerloop_collector.dashboard.signing_in import SigningIn
from innerloop_collector.dashboard.static_files import PREFIX, StaticFiles
from innerloop_collector.errors import Denied, StoreError, Unknown
from innerloop_collector.http.responses import HttpError
from innerloop_collector.reports.views import ProjectName

Posted = Callable[[str, Form, Principal], Page | Done]  # does what a form says, of a project or of none, for somebody


class Dashboard:
    """Serves pages to whoever may read reports."""

    def __init__(
        self,
        reader: Reader,
        plan: Callable[[str], RegisteredPlan],
        ask: Ask,
        authenticator: Authenticator,
        limits: Limits,
        readers: Executor,
        openid: OpenIDConnect | None,
        *,
        simulated: bool,
    ) -> None:
        self._reader = reader
        of_project = ProjectPages(reader, plan, ask)
        self._authenticator = authenticator
        self._limits = limits
        self._readers = readers
        self._simulated = simulated
        self._operating = Operating(ask)
        self._pages = PageAddresses(reader, of_project, self._operating, ask)
        # by their address, or what follows the project in it
        self._forms: dict[str, Posted] = {registration.SECTION: of_project.register, **self._operating.forms()}
        self._static = StaticFiles()
        self._renderer = Renderer(self._static, simulated=simulated, throw_away=reader.at_once, openid=openid.button if openid else "")
        self._signing_in = SigningIn(self._renderer, authenticator, limits)
        self._openid = OpenIDRoutes(self._renderer, authenticator, openid).routes() if openid else []

    def routes(self) -> list[Route]:
        """Every address. None of them is part of the API that /openapi.json describes."""
        lists = (path + form for path in (PROJECTS, ADMIN) for form in ("", *FORMATS))
        pages = ("/", *lists, *self._operating.forms(), "/p/{path:path}")
        return [
            *(Route(path, self._page, methods=["GET", "POST"], include_in_schema=False) for path in pages),
            Route("/go", self._go, methods=["GET"], include_in_schema=False),
            Route(PREFIX + "{file}", self._file, methods=["GET"], include_in_schema=False),
            *self._openid,
            *self._signing_in.routes(),
        ]

    def error(self, request: Request, status: int) -> Response | None:
        """The page of an error that no page of ours made. None: who asks reads no pages."""
        if "text/html" not in request.headers.get("accept", ""):
            return None
        try:
            who = self._authenticator.who(request)
        except (Unknown, Denied):
            who = None
        return self._told(request, no_such_page() if status == 404 else unmade(), who)

    def page_at(self, address: str, given: dict[str, str], who: Principal) -> Page:
        """The page of a project at an address, for somebody who may see it. Raises PageError."""
        project, rest = project_in(unquote(address))
        return self._pages.page(address, project, rest, given, self._reader.projects(), who)[1]

    def alone(self, request: Request, address: str, who: Principal, until: str) -> Response:
        """The page at an address for whoever may open nothing else until a day: it leads nowhere."""
        path, _, query = address.partition("?")
        try:
            project, rest = project_in(unquote(path))
            seen = tuple(one for one in self._reader.projects() if one.project == project)
            if not seen:
                raise unknown_project()
            filters, page = self._pages.page(path, project, rest, dict(parse_qsl(query)), seen, who)
            return self._renderer.alone(request, page, until, project=project, filters=filters)
        except PageError as error:
            return self.refused(request, PageError(error.status, error.title, error.sentence))
        except StoreError:
            return self.refused(request, silent(request.url.path))

    def refused(self, request: Request, error: PageError) -> Response:
        """A page that says to whoever did not sign in why there is no other."""
        return self._renderer.error(request, error, None)

    async def _file(self, request: Request) -> Response:
        return self._static.answer(request) or self._told(request, no_such_page(), None)

    async def _go(self, request: Request) -> Response:
        """Change the project: a form cannot change a path by itself."""
        project, section = (request.query_params.get(name, "") for name in ("project", "section"))
        tail = f"/{section}" if section in ("targets", "changes", "alerts", "privacy") else ""
        return RedirectResponse(home(project) + tail if project else PROJECTS, 303, HEADERS)

    async def _page(self, request: Request) -> Response:
        """Make a page in a reader's thread, for whoever may see it; a form is posted to the address of its page."""
        try:
            who = self._authenticator.who(request)
        except Unknown:
            return self._signing_in.instead(request)
        except Denied as error:
            return self._told(request, PageError(403, "You may not open this", sentence(error)), None)
        try:
            form = await forms.read(request, self._limits) if request.method == "POST" else None
        except HttpError as error:
            return self._told(request, PageError(error.status, "This form cannot be read", sentence(error)), who)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._answer, request, who, form)

    def _answer(self, request: Request, who: Principal, form: Form | None) -> Response:
        seen = tuple(one for one in self._reader.projects() if who.sees(one.project))
        try:
            return self._made(request, who, seen, form)
        except PageError as error:
            told = error
        except Denied as error:
            told = PageError(403, "You may not open this", sentence(error))
        except StoreError:
            told = silent(here(request))
        return self._told(request, told, who)

    def _told(self, request: Request, error: PageError, who: Principal | None) -> Response:
        """An error, with the navigation of where one is."""
        seen = tuple(one for one in self._reader.projects() if who.sees(one.project)) if who else ()
        project = request.path_params.get("path", "").partition("/")[0]
        known = project if any(one.project == project for one in seen) else ""
        return self._renderer.error(request, error, who, project=known, projects=seen)

    def _made(self, request: Request, who: Principal, seen: tuple[ProjectName, ...], form: Form | None) -> Response:
        path, wanted, written = asked_for(request)
        if not who.role.may(Role.VIEWER) and path not in ("/", PROJECTS) and not path.endswith(f"/{registration.SECTION}"):
            raise registration.registers_only(who)
        if path == "/":
            return RedirectResponse(home(seen[0].project) if len(seen) == 1 else PROJECTS, 303, HEADERS)
        project, rest = project_in(path)
        if project and not (who.sees(project) or (rest == registration.SECTION and registration.may_register(who, project))):
            raise not_seen()
        if project and not any(one.project == project for one in self._reader.projects()):
            raise unknown_project()
        if form is not None:
            return self._shown(request, self._posted(path, project, rest, form, who), Filters(quote(path), {}, {}), project, seen, who)
        filters, page = self._pages.page(quote(path), project, rest, parameters(request), seen, who)
        if wanted:
            return self._figure(request, page, wanted, written)
        return self._shown(request, page, filters, project, seen, who)

    def _shown(
        self, request: Request, page: Page | Done, filters: Filters, project: str, seen: tuple[ProjectName, ...], who: Principal
    ) -> Response:
        if isinstance(page, Done):
            return RedirectResponse(page.address, 303, HEADERS)
        answer = self._renderer.page(request, page, who, project=project, projects=seen, filters=filters)
        answer.headers["HX-Push-Url"] = filters.address
        return answer

    def _posted(self, path: str, project: str, rest: str, form: Form, who: Principal) -> Page | Done:
        """What a form of a page did: the page with what became of it, or another one."""
        taken = self._forms.get(rest if project else path)
        if taken is None:
            raise takes_no_form(quote(path))
        return taken(project, form, who)

    def _figure(self, request: Request, page: Page, wanted: str, written: str) -> Response:
        """A figure as CSV or JSON."""
        if wanted not in page.figures:
            raise unknown_value("figure", wanted, list(page.figures), request.url.path)
        found = page.figures[wanted]
        if written == ".json":
            return packed(request, JSONResponse(found.json(), headers=HEADERS))
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{wanted}.csv"'}
        text = found.csv(comment="Simulated team" if self._simulated else "")
        return packed(request, Response(text, 200, headers, "text/csv; charset=utf-8"))
