"""Forms of pages: read whole and within bounds, and done for nobody whose browser says that another site sent them."""

import asyncio

import httpx2
import pytest
from starlette.requests import Request

from innerloop_collector.config.configuration import Limits
from innerloop_collector.dashboard import forms
from innerloop_collector.http.responses import HttpError
from tests.dashboard.conftest import Site

ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://else.example"}


def posted(body: bytes, media: str = "application/x-www-form-urlencoded") -> Request:
    """A request with a body."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", media.encode())]}, receive)


def read(body: bytes, media: str = "application/x-www-form-urlencoded; charset=utf-8") -> forms.Form:
    return asyncio.run(forms.read(posted(body, media), Limits()))


def test_a_form_says_each_field_as_it_was_filled_in() -> None:
    form = read(b"name=+a%2Bb+&affects=build%0D%0A%0D%0A+npm+test+&empty=&title=Z%C3%BCrich&again=1&again=2")

    assert (" a+b ", "a+b", "", "", "Z\u00fcrich") == (
        form.get("name"),
        form.line("name"),
        form.get("empty"),
        form.get("none"),
        form.get("title"),
    )
    assert ["build", "npm test"] == form.lines("affects")
    assert ("1", "2") == form.values["again"]


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"name=%ff", "application/x-www-form-urlencoded", 400),
        (b"name=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(201)), "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * forms.MOST_BYTES, "application/x-www-form-urlencoded", 413),
        (b'{"a": 1}', "application/json", 415),
        (b"a=1", "text/plain", 415),
        (b"a=1", "", 415),
    ],
)
def test_what_is_no_form_of_these_pages_is_refused(body: bytes, media: str, status: int) -> None:
    with pytest.raises(HttpError) as refused:
        read(body, media)

    assert status == refused.value.status


def test_a_form_of_another_site_is_refused_and_one_that_no_page_has_is_a_page(site: Site) -> None:
    with httpx2.Client(base_url=site.url, trust_env=False, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}) as browser:
        browser.post("/sign-in", data={"token": site.viewer})
        refused, unread = browser.post("/p/acme", data={"a": "1"}, headers=ELSEWHERE), browser.post("/p/acme", content=b"{}")
        taken = browser.post("/p/acme", data={"a": "1"})
        browser.cookies.clear()
        ended = browser.post("/p/acme?by=block", data={"a": "1"})

    assert (403, 415, 405, 401) == tuple(one.status_code for one in (refused, unread, taken, ended))
    assert all('<main id="main"' in one.text for one in (refused, unread, taken, ended))
    assert "must come from the collector&#39;s own pages" in refused.text
    assert '<a href="/p/acme">The page</a>' in taken.text
    assert "Nothing was done: the session had ended." in ended.text
    assert 'name="path" value="/p/acme?by=block"' in ended.text
