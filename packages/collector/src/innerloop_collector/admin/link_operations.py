"""Operations on read-only links."""

from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec

from innerloop_collector.access.principal import Role
from innerloop_collector.access.read_links import ReadLink, ReadLinks
from innerloop_collector.admin.operation import Answer, Area, operation, refuse_unseen
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.shareable import shareable
from innerloop_collector.errors import UsageError
from innerloop_collector.store.write_behind import LastUsed

LINK_DAYS = 30  # for which a link is good where nobody says
_LONGEST_LABEL = 100
_LONGEST_PAGE = 1_000
Days = Annotated[int, msgspec.Meta(ge=1, le=365)]


class Links(Area):
    """What was shared with people who have no token."""

    def __init__(
        self,
        links: ReadLinks,
        projects: Callable[[], Iterable[str]],
        find_change: Callable[[str, str], object],
        last_used: LastUsed,
        *,
        at_once: bool,
    ) -> None:
        """`find_change` raises UsageError for one that there is not. `at_once`: pages also show what is there now."""
        self._links = links
        self._projects = projects
        self._find_change = find_change
        self._last_used = last_used
        self._at_once = at_once

    @operation("links.create", Role.ADMIN, changes=True)
    def create(self, page: str, label: str = "", days: Days = LINK_DAYS) -> Answer:
        """Make a link to one page, with its filters as they are. It is in the answer, and nowhere else."""
        if len(label) > _LONGEST_LABEL or not label.isprintable():
            raise UsageError(f"a label has at most {_LONGEST_LABEL} printable characters; say whom the link is for")
        if len(page) > _LONGEST_PAGE:
            raise UsageError(f"{page[:40]}... is longer than the address of any page")
        try:
            wanted = shareable(page, at_once=self._at_once)
        except PageError as error:
            raise UsageError(f"{page} cannot be shared: {error.sentence}") from error
        refuse_unseen(wanted.project, self._projects(), None)
        if wanted.change:
            self._find_change(wanted.project, wanted.change)
        text, made = self._links.create(wanted.project, wanted.address, label.strip(), days)
        return {"path": f"/shared/{text}", **self._shown(made)}

    @operation("links.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every link, by the beginning of its hash."""
        return {"links": [self._shown(one) for one in self._links.all()]}

    @operation("links.revoke", Role.ADMIN, changes=True)
    def revoke(self, link: str) -> Answer:
        """Make a link useless at once."""
        return self._shown(self._links.revoke(link))

    def _shown(self, one: ReadLink) -> Answer:
        used = self._last_used.last(one.link_hash)
        return {
            "id": one.id,
            "project": one.project,
            "page": one.address,
            "label": one.label,
            "created": one.created.isoformat(),
            "expires": one.expires.isoformat(),
            "revoked": one.revoked,
            "accepted": one.opens(self._links.today()),
            "last_used": used.isoformat() if used else None,
        }
