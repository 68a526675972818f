"""Read-only links: one page for whoever has one, which leads nowhere else, ends, and can be taken back."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from tests.collector.asking import asked
from tests.collector.support import Collector
from tests.dashboard.conftest import SECOND, Site

SHARED = (
    "/p/acme",
    f"/p/acme?period={SECOND.name}&by=block",
    "/p/acme/targets?q=build",
    "/p/acme/commands/build?by=week",
    "/p/acme/os/linux",
    "/p/acme/changes",
    "/p/acme/changes/cache",
    "/p/acme/alerts",
    "/p/acme/privacy",
)


def shared(site: Site, page: str, **more: object) -> str:
    """The address of a link to a page."""
    answer = asked(site.collector, "links.create", page=page, **more)
    assert 200 == answer.status_code, answer.text
    path: str = answer.json()["path"]
    return path


def text_of(answer: httpx2.Response) -> str:
    """What a page says, without its marks."""
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


@pytest.mark.parametrize("page", SHARED)
def test_a_link_opens_its_page_to_anybody_and_that_leads_nowhere_else(site: Site, page: str) -> None:
    opened = site.get(shared(site, page), token="")

    assert 200 == opened.status_code
    assert ("no-referrer", "noindex, nofollow", "no-store") == tuple(
        opened.headers.get(name) for name in ("referrer-policy", "x-robots-tag", "cache-control")
    )
    leads = re.findall(r'(?:href|action|src|hx-get)="([^"]*)"', opened.text)
    assert [] == [one for one in leads if not one.startswith(("#", "/static/"))]
    assert not re.search("<nav|<form|<button|htmx.min|page.[0-9a-f]{16}.js", opened.text)
    assert "You see this page through a link that opens it until" in text_of(opened)
    assert re.findall(r'data-p50-ms="\d+"', site.get(page).text) == re.findall(r'data-p50-ms="\d+"', opened.text)


def test_a_link_shows_what_its_page_shows(site: Site) -> None:
    numbers = re.compile(r"data-[a-z0-9-]+=\"[^\"]+\"")

    for page in SHARED:
        assert sorted(numbers.findall(site.get(page).text.split("<main")[1])) == sorted(
            numbers.findall(site.get(shared(site, page), token="").text.split("<main")[1])
        ), page


def test_filters_of_a_link_cannot_be_changed_and_it_opens_no_other_page(site: Site) -> None:
    path = shared(site, f"/p/acme?period={SECOND.name}")
    before = site.get(path, token="").text

    assert before == site.get(f"{path}?period={SECOND.name[:4]}&by=block&figure=commands", token="").text
    for other in ("/p/acme", "/p/acme/targets", "/p/acme.json?figure=commands", "/admin", "/projects", "/api/v1/projects"):
        text = path.rpartition("/")[2]
        answers = (
            site.collector.http.get(site.url + other, headers={"Authorization": f"Bearer {text}"}),
            site.collector.http.get(site.url + other, headers={"Cookie": f"innerloop={text}"}),
        )
        assert [401, 401] == [one.status_code for one in answers], other
    assert 404 == site.get(f"{path}/targets", token="").status_code
    assert 404 == site.get(f"{path}.csv?figure=commands", token="").status_code


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("/admin", "a link is to a page of a project"),
        ("/projects", "a link is to a page of a project"),
        ("https://innerloop.example/p/acme/nothing", "a link is to a page of a project"),
        ("/p/acme/changes/cache/more", "no change"),
        ("/p/acme/changes/no-such-change", "no change"),
        ("/p/none", "no project"),
        ("/p/acme?colour=red", "there is no filter"),
        ("/p/acme?by=week&by=block", "each filter can be given once"),
        ("/p/acme?period=garbage", "period cannot be 'garbage'; it can be a week (2026-W48)"),
        ("/p/acme/commands/build?period=2026-W54", "period cannot be '2026-W54'"),
        ("/p/acme/targets?period=2026-B13", "period cannot be '2026-B13'"),
        ("//[", "a link is to a page of a project"),
        ("", "a link is to a page of a project"),
        ("/p/acme?" + "x" * 2_000, "is longer than the address of any page"),
    ],
)
def test_what_is_no_page_of_a_project_cannot_be_shared(site: Site, page: str, why: str) -> None:
    answer = asked(site.collector, "links.create", page=page)

    assert 409 == answer.status_code
    assert why.lower() in answer.json()["detail"].lower()


def test_who_may_only_read_shares_nothing(site: Site) -> None:
    call = {"operation": "links.create", "arguments": {"page": "/p/acme"}}
    answer = site.collector.http.post(f"{site.url}/admin/v1/call", json=call, headers={"Authorization": f"Bearer {site.viewer}"})

    assert 403 == answer.status_code


def test_a_link_that_was_taken_back_or_never_was_says_so_in_a_sentence_with_a_way_on(site: Site) -> None:
    path = shared(site, "/p/acme", label="the board")
    (found,) = [one for one in asked(site.collector, "links.list").json()["links"] if one["label"] == "the board"]
    assert 200 == site.get(path, token="").status_code
    assert 200 == asked(site.collector, "links.revoke", link=found["id"]).status_code

    for address, status, said in ((path, 410, "It was taken back"), ("/shared/ill_nothing", 404, "There is no such link")):
        answer = site.get(address, token="")
        assert (status, "no-referrer") == (answer.status_code, answer.headers["referrer-policy"])
        assert said in text_of(answer)
        assert 'href="/sign-in"' in answer.text
        assert "Acme" not in answer.text


def test_a_link_s_badge_waits_for_nobody_who_opens_its_page_and_is_no_text_where_it_is_late(site: Site) -> None:
    path = shared(site, "/p/acme/changes/cache")

    def late(address: str) -> httpx2.Response:
        return next(one for _ in range(1_000) if (one := site.get(address, token="")).status_code != 200)

    assert 429 == late(path).status_code
    assert 200 == site.get(f"{path}/badge.svg", token="").status_code
    badge = late(f"{path}/badge.svg")
    assert (429, b"", "no-referrer") == (badge.status_code, badge.content, badge.headers["referrer-policy"])
    assert int(badge.headers["retry-after"]) >= 1


def test_a_link_that_is_opened_without_end_is_slowed_down_and_others_are_not(site: Site) -> None:
    path, other = shared(site, "/p/acme/changes/cache"), shared(site, "/p/acme/changes/cache")

    late = next(one for _ in range(1_000) if (one := site.get(path, token="")).status_code != 200)
    assert (429, True) == (late.status_code, int(late.headers["retry-after"]) >= 1)
    assert "It can be opened again in" in text_of(late)
    assert 200 == site.get(other, token="").status_code


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Collector]:
    """A collector of which only the store is looked at."""
    made = Collector(tmp_path)
    yield made
    made.close()


def test_links_are_made_listed_and_revoked_by_command_kept_as_hashes_and_end(lonely: Collector) -> None:
    began = SECOND.first
    lonely.for_trying().environment["INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK"] = f"{began}T09:00:00+00:00"
    lonely.start_with()
    made = lonely.cli("links", "create", "https://innerloop.example/p/acme/targets", "--expires", "3", "--label", "board")
    link = made.stdout.strip()
    path = link.removeprefix("https://innerloop.example")

    assert (0, True) == (made.returncode, path.startswith("/shared/ill_"))
    assert "opens /p/acme/targets up to and including" in made.stderr
    (listed,) = asked(lonely, "links.list").json()["links"]
    assert ("/p/acme/targets", "board", True) == (listed["page"], listed["label"], listed["accepted"])
    assert path.rpartition("/")[2] not in json.dumps(listed)
    assert 200 == lonely.http.get(lonely.url + path).status_code
    assert not [one for one in lonely.data.rglob("*") if one.is_file() and path.rpartition("/")[2].encode() in one.read_bytes()]

    assert 200 == asked(lonely, "simulation.move", to=f"{began + timedelta(days=4)}T09:00:00+00:00").status_code
    ended = lonely.http.get(lonely.url + path)
    assert 410 == ended.status_code
    assert "It ended on" in text_of(ended)
    assert f"ended {began + timedelta(days=3)}" in lonely.ask_text("links", "list")
    assert f"link {listed['id']} to /p/acme/targets is revoked\n" == lonely.ask_text("links", "revoke", listed["id"])
    assert asked(lonely, "links.list").json()["links"][0]["revoked"]
    assert "no link has the id 'xyz'" in asked(lonely, "links.revoke", link="xyz").json()["detail"]
