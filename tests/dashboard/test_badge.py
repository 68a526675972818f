"""Badges: a published median as a picture, for everybody where it is open, else through a link; text is text, and what is hidden says so."""

import re
from xml.etree import ElementTree as ET

import httpx2
import pytest

from innerloop_collector.dashboard.badge import svg
from tests.collector.asking import asked
from tests.dashboard.conftest import SECOND, Site


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
