"""Which page is at an address, with which filters, and what else of it an address can ask for."""

from starlette.requests import Request

from innerloop_collector.access.principal import Principal
from innerloop_collector.dashboard import cells, overview, project_list
from innerloop_collector.dashboard.administration import administration
from innerloop_collector.dashboard.error_pages import PageError, no_such_page, unknown_value
from innerloop_collector.dashboard.filters import Filters
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.operating import PREFIX_OF_ACTIONS, Ask, Operating
from innerloop_collector.dashboard.page import Page
from innerloop_collector.dashboard.page_tables import KINDS
from innerloop_collector.dashboard.project_pages import ProjectPages
from innerloop_collector.reports.views import ProjectName

PROJECTS = "/projects"
ADMIN = "/admin"
FORMATS = (".csv", ".json")


class PageAddresses:
    """Makes the page that is at an address."""

    def __init__(self, reader: Reader, of_project: ProjectPages, operating: Operating, ask: Ask) -> None:
        self._reader = reader
        self._of_project = of_project
        self._operating = operating
        self._ask = ask

    def page(
        self, path: str, project: str, rest: str, given: dict[str, str], seen: tuple[ProjectName, ...], who: Principal
    ) -> tuple[Filters, Page]:
        """The page at an address, and its filters. Raises PageError."""
        if not project:
            return self._of_no_project(path, given, seen, who)
        kind, _, name = rest.partition("/")
        if not rest:
            filters = Filters(path, given, overview.FILTERS)
            return filters, overview.overview(
                self._reader, project, filters, self._of_project.dated(project, who), self._of_project.watched(project, who)
            )
        if rest == "targets":
            filters = Filters(path, given, cells.RANKED)
            return filters, cells.ranked(self._reader, project, filters)
        if page := self._of_project.of(project, rest, who):
            return Filters(path, given, {}), page
        if kind in KINDS and name:
            filters = Filters(path, given, cells.FILTERS)
            return filters, cells.cell(
                self._reader,
                project,
                kind,
                name,
                filters,
                self._of_project.dated(project, who),
                self._of_project.standing(project, KINDS[kind], name, who),
            )
        raise no_such_page()

    def _of_no_project(self, path: str, given: dict[str, str], seen: tuple[ProjectName, ...], who: Principal) -> tuple[Filters, Page]:
        """A page of all projects, or for admins."""
        if path.startswith(PREFIX_OF_ACTIONS):
            return Filters(path, given, {}), self._operating.page(path, who)
        if path == ADMIN:
            told = given.pop("told", "")
            return Filters(path, given, {}), administration(self._ask, self._operating, told, who)
        filters = Filters(path, given, project_list.FILTERS)
        return filters, project_list.projects(self._reader, seen, filters)


def project_in(path: str) -> tuple[str, str]:
    """The project in an address, and what follows it; of a page of all projects, neither. Raises PageError for no address of ours."""
    if path in (PROJECTS, ADMIN) or path.startswith(PREFIX_OF_ACTIONS):
        return "", ""
    project, more, rest = path.removeprefix("/p/").partition("/")
    if not path.startswith("/p/") or not project or (more and not rest):
        raise no_such_page()
    return project, rest


def asked_for(request: Request) -> tuple[str, str, str]:
    """The page that is asked for, the figure of it if one is, and in which form.

    An address ends with a format only where it names a figure: a target may be called `package.json`.
    """
    path, wanted = str(request.scope["path"]), request.query_params.get("figure", "")
    if not wanted:
        return path, "", ""
    form = next((one for one in FORMATS if path.endswith(one)), "")
    if not form:
        raise unknown_value("the address of a figure", path.rpartition("/")[2], ["one with .csv", "one with .json at its end"], path)
    return path.removesuffix(form), wanted, form


def parameters(request: Request) -> dict[str, str]:
    """The filters of a request. Raises PageError for one that is given twice."""
    given = request.query_params.multi_items()
    if len({name for name, _ in given}) < len(given):
        raise PageError(400, "A filter is given twice", "Each filter can be given once.", (("The page without filters", request.url.path),))
    looks = request.method == "HEAD"  # whether something is there; what is shown once is not shown by that
    return {name: value for name, value in given if name != "figure" and not (looks and name == "told")}
