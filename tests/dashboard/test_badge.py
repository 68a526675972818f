"""Badges: a published median as a picture, for everybody where it is open, else through a link; text is text, and what is hidden says so."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast
from xml.etree import ElementTree as ET

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from innerloop_collector.dashboard.badge import Badges, svg
from innerloop_collector.dashboard.kept_reports import Reader
from tests.collector.asking import asked
from tests.dashboard.conftest import SECOND, Site
from tests.dashboard.test_kept_reports import VERSION, Shelf, figures_of


def texts(picture: str) -> list[str]:
    """What a badge says."""
    return [one.text or "" for one in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("build", "build"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('a" onload="x', 'a" onload="x'),
        ("&lt;", "&lt;"),
        ("a\x00b\x1bc\u202ed\ud800", "a?b?c?d?"),
        ("ビルド", "ビルド"),
        ("", None),
    ],
)
def test_a_badge_is_an_image_whatever_its_text_is(label: str, shown: str | None) -> None:
    picture = svg(label, "4.2\u202fs")

    assert [shown or "", "4.2\u202fs"] == texts(picture)
    names = {one.tag.rpartition("}")[2] for one in ET.fromstring(picture).iter()}
    assert {"svg", "title", "rect", "path", "g", "text"} == names
    assert not [name for one in ET.fromstring(picture).iter() for name in one.attrib if name.startswith("on") or "href" in name]


def badge(site: Site, page: str) -> httpx2.Response:
    """The badge of a link to a page."""
    path = asked(site.collector, "links.create", page=page).json()["path"]
    return site.get(f"{path}/badge.svg", token="", accept="image/*")


def test_a_link_to_a_command_has_a_badge_of_what_its_page_says(site: Site) -> None:
    answer = badge(site, "/p/acme/arch/x86_64")
    typical = re.search(r'Typical \(p50\)</dt><dd class="value">([^<]+)<', site.get("/p/acme/arch/x86_64").text)

    assert (200, "image/svg+xml") == (answer.status_code, answer.headers["content-type"])
    assert typical
    assert ["x86_64 p50", f"{typical[1]} (simulated)"] == texts(answer.text)
    assert ("no-referrer", "public, max-age=300") == (answer.headers["referrer-policy"], answer.headers["cache-control"])
    assert texts(answer.text) == texts(badge(site, f"/p/acme/arch/x86_64?period={SECOND.name}&by=week").text)
    assert ["unit p50", "linux p50"] == [texts(badge(site, f"/p/acme/{one}").text)[0] for one in ("targets/unit", "os/linux")]


@pytest.mark.parametrize("page", ["commands/docs", "commands/lint", "commands/none", "commands/serve", "", "targets", "changes/cache"])
def test_what_is_not_told_is_not_published(site: Site, page: str) -> None:
    assert "not published" == texts(badge(site, f"/p/acme/{page}".rstrip("/")).text)[1]


def test_nobody_is_told_of_a_project_that_is_not_open_nor_whether_it_is_there(site: Site) -> None:
    private, none = (site.get(f"/badge/{project}/arch/x86_64.svg", token="") for project in ("acme", "no-such-project"))

    assert (200, ["x86_64 p50", "not published"]) == (private.status_code, texts(private.text))
    assert private.content == none.content
    assert dict(private.headers) == {**dict(none.headers), "date": private.headers["date"]}


def test_a_badge_that_did_not_change_is_not_sent_again(site: Site) -> None:
    first = site.collector.http.get(f"{site.url}/badge/acme/commands/build.svg")
    again = site.collector.http.get(f"{site.url}/badge/acme/commands/build.svg", headers={"If-None-Match": first.headers["etag"]})

    assert (304, b"") == (again.status_code, again.content)


def test_a_link_that_was_taken_back_has_no_badge(site: Site) -> None:
    made = asked(site.collector, "links.create", page="/p/acme/commands/build").json()
    asked(site.collector, "links.revoke", link=made["id"])

    assert 410 == site.get(f"{made['path']}/badge.svg", token="").status_code


OPEN = replace(VERSION, agreement={"public": True})
BUILD = "/badge/acme/commands/build.svg"
Asked = Callable[[str], httpx2.Response]  # a badge by its address; `/link` and an address: through a link to that


@pytest.fixture
def badges() -> Iterator[Callable[..., tuple[Asked, Shelf]]]:
    """Makes badges of what was published in memory."""
    with ThreadPoolExecutor(1) as readers:

        def make(*, at_once: bool = False, **more: Any) -> tuple[Asked, Shelf]:
            figures, shelf = figures_of("2026-B10", "2026-B11", immediate=at_once, **more)
            made = Badges(Reader(figures, cast(Any, None), cast(Any, None), at_once=at_once), figures, readers, simulated=False)

            def linked(request: Request) -> Response:
                return made.at(request, f"/p/{request.path_params['page']}?{request.url.query}")

            return TestClient(Starlette(routes=[*made.routes(), Route("/link/{page:path}", linked)])).get, shelf

        yield make


@pytest.mark.parametrize("page", ["acme/commands/build?period=garbage", "acme/commands/build?period=now", "gone/commands/build"])
def test_a_link_to_no_period_and_to_no_project_that_is_left_has_a_badge_without_a_figure(badges: Callable[..., Any], page: str) -> None:
    get, _ = badges()

    answer = get(f"/link/{page}")
    assert (200, "not published") == (answer.status_code, texts(answer.text)[1])


def test_where_the_store_does_not_answer_a_badge_says_when_to_ask_again(badges: Callable[..., Any]) -> None:
    get, shelf = badges(version=OPEN, public=True)
    shelf.broken = True

    for address in (BUILD, "/link/acme/commands/build"):
        answer = get(address)
        assert (503, b"", True) == (answer.status_code, answer.content, int(answer.headers["retry-after"]) >= 1)


def test_nothing_is_read_for_a_project_that_is_not_open_so_that_no_time_tells_that_it_is_there(badges: Callable[..., Any]) -> None:
    get, shelf = badges()

    assert get(BUILD).content == get("/badge/none/commands/build.svg").content
    assert (0, 0) == (shelf.listed, shelf.reads)


def test_an_open_block_of_a_throw_away_store_says_on_its_badge_what_it_is_of(badges: Callable[..., Any]) -> None:
    (kept, _), (tried, _) = (badges(version=OPEN, public=True, at_once=one) for one in (False, True))

    value = texts(kept(BUILD).text)[1]
    assert (True, f"{value} (throw-away)") == (value.endswith("\u202fs"), texts(tried(BUILD).text)[1])
