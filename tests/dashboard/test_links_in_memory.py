"""What a read-only link opens to whoever has it, and how links are listed while others are made, without a store."""

from datetime import date
from typing import Any, cast

import pytest

from innerloop_collector.access.read_links import ReadLink, ReadLinks
from innerloop_collector.dashboard.shareable import shareable
from innerloop_collector.dashboard.shared_pages import bearer
from innerloop_collector.store.keyed_hash import Hasher

TODAY = date(2026, 12, 1)


class Rows:
    """A table in memory, of which nothing is read."""

    def insert(self, *_: object) -> None:
        pass


def link_to(page: str) -> ReadLink:
    """A link as it is made of the address of a page."""
    wanted = shareable(page, at_once=False)
    return ReadLink("5f", wanted.project, wanted.address, "", TODAY, TODAY, revoked=False, version=1)


@pytest.mark.parametrize(
    ("page", "projects"),
    [
        ("/p/acme/changes/cache", None),
        ("/p/changes/changes/cache", None),
        ("/p/acme/changes", {"acme"}),
        ("/p/changes", {"changes"}),
        ("/p/changes/alerts", {"changes"}),
        ("/p/changes/commands/build", {"changes"}),
        ("/p/acme/targets/a%2Fchanges%2Fb", {"acme"}),
        ("/p/acme/targets?q=/changes/", {"acme"}),
    ],
)
def test_only_a_link_to_one_change_tells_of_other_projects(page: str, projects: set[str] | None) -> None:
    assert projects == bearer(link_to(page)).projects


def test_links_are_listed_as_they_are_while_others_are_made() -> None:
    links = ReadLinks(cast(Any, Rows()), Hasher(b"0" * 32), lambda: TODAY)
    links.create("acme", "/p/acme", "first", 3)

    labels = []
    for one in links.all():
        links.create("acme", "/p/acme", "made meanwhile", 3)
        labels.append(one.label)
    assert ["first"] == labels
    assert ["first", "made meanwhile"] == [one.label for one in links.all()]
