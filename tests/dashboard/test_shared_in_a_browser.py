"""What a read-only link opens, in a real browser: drawn as for a viewer, and nothing that axe or the browser object to."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.collector.asking import asked
from tests.dashboard.browsing import window
from tests.dashboard.conftest import Site
from tests.needs import need

PAGES = ("/p/acme", "/p/acme/targets", "/p/acme/commands/build", "/p/acme/changes/cache", "/p/acme/privacy")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=need("chromium"))
        yield started
        started.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_shared_page_is_drawn_fits_and_is_accessible(browser: Browser, site: Site, scheme: str, width: int) -> None:
    paths = [asked(site.collector, "links.create", page=page).json()["path"] for page in PAGES]
    with window(browser, site, signed_in=False, color_scheme=scheme, viewport={"width": width, "height": 900}) as one:
        for page, path in zip(PAGES, [*paths], strict=True):
            one.open(path)
            assert [] == one.judged(), page
            assert one.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page
        one.open(paths[0])
        assert 3 == one.page.locator("trend-chart svg.plot").count()
        one.page.keyboard.press("Tab")
        assert "#main" == one.page.evaluate("document.activeElement.getAttribute('href')")


@pytest.mark.slow
def test_a_link_that_ended_says_so_and_leads_to_signing_in(browser: Browser, site: Site) -> None:
    made = asked(site.collector, "links.create", page="/p/acme").json()
    asked(site.collector, "links.revoke", link=made["id"])
    with window(browser, site, signed_in=False) as one:
        one.page.goto(site.url + made["path"])
        assert [] == one.judged()
        one.page.click("text=Sign in, if you have a token")
        assert one.page.url.endswith("/sign-in")
