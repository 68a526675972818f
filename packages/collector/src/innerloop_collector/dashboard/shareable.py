"""Which pages a read-only link can be to: one project's, with filters that the page has."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from innerloop_collector.dashboard import cells, overview
from innerloop_collector.dashboard.error_pages import PageError, unknown_value
from innerloop_collector.dashboard.filters import FORMS, NOW, Filters
from innerloop_collector.dashboard.page_tables import KINDS, address, home
from innerloop_collector.query import is_period

_OTHERS: dict[str, Mapping[str, tuple[str, ...] | None]] = {
    "": overview.FILTERS, "targets": cells.RANKED, "changes": {}, "alerts": {}, "privacy": {},
}  # fmt: skip


class Shareable(NamedTuple):
    """A page that can be shared."""

    project: str
    address: str  # the one that the page has with its filters
    change: str  # that it is of; empty: it is of none


def shareable(page: str, *, at_once: bool) -> Shareable:
    """Read the address of a page, which may have a collector's host. `at_once`: what is there now is a period too. Raises PageError."""
    try:
        parts = urlsplit(page)
    except ValueError:
        raise _none() from None
    start, of, project, *rest = [*unquote(parts.path).split("/", 3), "", "", ""][:4]
    kind, _, name = (rest[0] if rest else "").partition("/")
    if start or of != "p" or not project or not parts.path.isprintable():
        raise _none()
    known: Mapping[str, tuple[str, ...] | None]
    if name and (kind in KINDS or kind == "changes"):
        path, known = address(project, kind, name), {} if kind == "changes" else cells.FILTERS
    elif not name and kind in _OTHERS:
        path, known = home(project) + (f"/{kind}" if kind else ""), _OTHERS[kind]
    else:
        raise _none()
    given = parse_qsl(parts.query, keep_blank_values=True)
    if len(dict(given)) < len(given):
        raise PageError(400, "A filter is given twice", "Each filter can be given once.")
    filters = Filters(path, dict(given), known)
    period = filters.get("period") if "period" in known else ""
    if period and not is_period(period) and not (at_once and period == NOW):
        raise unknown_value("period", period, list(FORMS), path)
    return Shareable(project, filters.address, name if kind == "changes" else "")


def _none() -> PageError:
    return PageError(
        404, "There is no such page", "A link is to a page of a project, such as /p/shop/changes/cache or /p/shop/targets?period=2026-Q4."
    )
