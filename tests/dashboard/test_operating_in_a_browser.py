"""An admin at a browser: a key is rotated, what waits is let in, an id is erased; a viewer finds none of it. With JavaScript and without."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from innerloop_collector.dashboard.admin_actions import ACTIONS
from tests.collector.asking import asked
from tests.collector.support import PROJECT, Collector, run_event
from tests.dashboard.browsing import Window, window
from tests.dashboard.conftest import Site
from tests.needs import need

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=need("chromium"))
        yield started
        started.close()


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A collector that lets one new id in a day, and who opens its pages."""
    made = Collector(Path(tmp_path_factory.mktemp("operated")))
    try:
        made.environment |= {"INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY": "1", "INNERLOOP_COLLECTOR_ACCESS_PLAIN_HTTP_COOKIE": "true"}
        made.start_with(PROJECT)
        admin, viewer = (str(asked(made, "tokens.create", role=role, label=role, days=9).json()["token"]) for role in ("admin", "viewer"))
        yield Site(made, admin, viewer, "", admin)
    finally:
        made.close()


def follow(one: Window, action: str) -> None:
    """From the admin's page to a form."""
    one.open("/admin").page.click(f"main a.button[href='/admin/{action}']")
    assert one.page.url.endswith(f"/admin/{action}")


@pytest.mark.parametrize("scripts", [True, False], ids=["", "without JavaScript"])
def test_an_admin_rotates_a_key_lets_in_what_waits_and_erases_an_id(browser: Browser, operated: Site, scripts: bool) -> None:
    collector, person = operated.collector, str(uuid.uuid4())
    collector.send(*(run_event(one) for one in (person, str(uuid.uuid4()), str(uuid.uuid4()))))
    with window(browser, operated, java_script_enabled=scripts) as one:
        follow(one, "keys.rotate")
        one.page.fill("[name=overlap]", "7")
        one.page.click("main form button")
        key = one.text("pre.secret")
        assert key.startswith("acme.")
        assert 200 == collector.post("/v1/batch", {"batch": []}, key).status_code
        one.page.reload()
        assert "shown already" in one.text("main")
        assert key not in one.page.content()

        follow(one, "ids.release")
        one.page.click("main form button")
        assert "released" in one.text("#told-title")
        assert {} == collector.reasons()

        follow(one, "erasure.erase")
        one.page.fill("[name=ids]", person)
        one.page.fill("[name=typed]", "acne")
        one.page.click("main form button")
        assert "To do this in acme, type acme." in one.text("main")
        assert person in one.page.input_value("[name=ids]"), "what was filled in stays"
        one.page.fill("[name=typed]", "acme")
        one.page.click("main form button")
        assert "1 event of acme is erased." in one.text("#told-title")
        assert "" == one.page.evaluate("location.search.replace(/^\\?told=[\\w-]+$/, '')")


def test_a_viewer_finds_none_of_it(browser: Browser, operated: Site) -> None:
    with window(browser, operated._replace(viewer=operated.stranger)) as one:
        one.open("/projects")
        assert 0 == one.page.locator("a[href^='/admin']").count()
        for path in ("/admin", "/admin/keys.rotate"):
            one.page.goto(operated.url + path)
            assert "This page is for admins" in one.text("main")
            assert one.page.is_visible("nav")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_everybody_can_read_every_form_and_what_came_of_it(browser: Browser, operated: Site, width: int, scheme: str) -> None:
    operated.collector.send(*(run_event() for _ in range(3)))
    with window(browser, operated, viewport={"width": width, "height": 900}, color_scheme=scheme) as one:
        for action in ACTIONS:
            assert [] == one.open(f"/admin/{action.name}").judged(), action.name
            assert one.page.evaluate("document.scrollingElement.scrollWidth") <= width, action.name
        follow(one, "keys.rotate")
        one.page.click("main form button")
        assert [] == one.drawn().judged()
        assert one.page.evaluate("document.scrollingElement.scrollWidth") <= width
        follow(one, "keys.rotate")
        one.page.fill("[name=overlap]", "900")
        one.page.click("main form button")
        assert "a field holds what it cannot" in one.text("[role=alert]")
        assert [] == one.drawn().judged()
