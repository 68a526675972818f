"""Alerts, changes and the form that registers one, in a real browser: what a chart shows is what its table says, and all of it can be done with keys and without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.collector.asking import asked
from tests.dashboard.browsing import Window, window
from tests.dashboard.conftest import SECOND, Site

DAY = SECOND.first.isoformat()
WIDTHS = (320, 390, 820, 1440)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def admin(site: Site) -> str:
    token: str = asked(site.collector, "tokens.create", role="admin", label="an admin", days=9, projects=[]).json()["token"]
    return token


def rows_of(one: Window, figure: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one.page.evaluate(
        "(id) => [...document.querySelectorAll(`#${id}-table tbody tr`)].map((row) => ({ came: row.querySelector('[data-came]') !== null, "
        "expected: row.querySelector('[data-expected]') !== null, change: row.cells[0].dataset.change, "
        "words: [...row.cells].map((cell) => cell.innerText.replace(/\\s+/g, ' ').trim()) }))",
        figure,
    )
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_a_forest_has_a_mark_for_each_number_of_its_table_and_reads_each_row_with_keys(browser: Browser, site: Site, width: int) -> None:
    with window(browser, site, viewport={"width": width, "height": 900}) as one:
        one.open("/p/other/changes")
        one.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        for figure in ("effects", "points"):
            rows = rows_of(one, figure)
            chart = one.page.locator(f"#{figure} forest-chart")
            assert chart.locator("svg.plot g[class*=came] circle").count() == len([row for row in rows if row["came"]])
            assert chart.locator("svg.plot g[class*=expected] path").count() == len([row for row in rows if row["expected"]])
            chart.focus()
            one.page.keyboard.press("Home")
            for row in rows:
                said = " ".join(one.text(f"#{figure} .readout").casefold().split())
                assert all(word.casefold() in said for word in row["words"]), (said, row)
                one.page.keyboard.press("ArrowDown")
        assert one.page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert [] == one.refused()


def test_nothing_moves_while_a_forest_is_drawn(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.page.add_init_script(
            "window.shift = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => { shift += entry.value }))"
            ".observe({ type: 'layout-shift', buffered: true })"
        )
        one.open("/p/other/changes")
        assert one.page.evaluate("window.shift") < 0.01


def test_a_change_is_registered_with_keys_alone_and_then_listed(browser: Browser, site: Site, admin: str) -> None:
    with window(browser, site, token=admin) as one:
        one.open("/p/other/changes")
        one.page.get_by_role("link", name="Register a change").focus()
        one.page.keyboard.press("Enter")
        one.page.wait_for_url("**/p/other/register")
        one.page.focus("#i-name")
        one.page.keyboard.type("with-keys")
        one.page.fill("#i-date", DAY)
        one.page.focus("#i-affects")
        one.page.keyboard.type("build")
        one.page.get_by_role("button", name="Show what could be seen").focus()
        one.page.keyboard.press("Enter")
        one.page.wait_for_selector(".seen")
        assert "Nothing is registered yet." in one.text(".seen")
        assert "with-keys" == one.page.input_value("#i-name")
        assert [] == one.judged()
        one.page.get_by_role("button", name="Register this change").focus()
        one.page.keyboard.press("Enter")
        one.page.wait_for_selector("h1:text-is('with-keys is registered.')")
        assert [] == one.judged()
        one.page.get_by_role("link", name="All changes").click()
        one.drawn()
        assert "with-keys" in one.text("#changes-table")


def test_without_javascript_a_change_is_registered_and_every_figure_is_a_table(browser: Browser, site: Site, admin: str) -> None:
    with window(browser, site, token=admin, java_script_enabled=False) as one:
        one.page.goto(site.url + "/p/other/changes")
        assert not one.page.is_visible("forest-chart >> nth=0")
        assert one.page.is_visible("#effects-table")
        one.page.click("text=Register a change")
        one.page.fill("#i-name", "no-script")
        one.page.fill("#i-date", DAY)
        one.page.click("text=Show what could be seen")
        one.page.click("text=Register this change")
        assert "no-script is registered." == one.text("h1")
        one.page.reload()
        assert "was registered before, exactly like this; nothing was altered." in one.text("h1")
        one.page.goto(site.url + "/p/acme/alerts")
        assert one.page.is_visible("#alerts-table")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_everybody_can_read_what_is_wrong_with_a_form(browser: Browser, site: Site, admin: str, width: int, scheme: str) -> None:
    with window(browser, site, token=admin, viewport={"width": width, "height": 900}, color_scheme=scheme) as one:
        one.open("/p/other/register")
        assert [] == one.judged()
        one.page.fill("#i-name", "wrong")
        one.page.fill("#i-date", DAY)
        one.page.fill("#i-expect", "faster")
        one.page.click("text=Show what could be seen")
        one.page.wait_for_selector("#i-expect-error")
        assert [] == one.judged()
        assert one.page.evaluate("document.scrollingElement.scrollWidth") <= width
        one.page.click(".trouble-list a")
        assert "i-expect" == one.page.evaluate("document.activeElement.id"), "the way to the field leads into it"


def test_a_viewer_sees_why_they_may_not_and_goes_on(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/other/changes")
        assert not one.page.get_by_role("link", name="Register a change").count()
        one.page.goto(site.url + "/p/other/register")
        one.page.wait_for_selector("text=you have the role viewer")
        assert [] == one.judged()
        one.page.click("main .ways a")
        one.drawn()
        assert one.page.is_visible("#effects")


def test_an_alert_is_followed_from_the_overview_to_what_became_slower(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme")
        assert "Slower" in one.text(".worth")
        one.page.click(".worth li a >> nth=0")
        one.drawn()
        assert "/p/acme/targets/unit" == one.page.evaluate("location.pathname")
        one.page.click(".standing a >> nth=0")
        one.page.wait_for_url("**/p/acme/alerts")
        assert "became worse" in one.text("h1")
        assert [] == one.judged()


def test_what_came_since_the_last_visit_is_marked_by_this_browser_alone(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme")
        assert 0 == one.page.locator(".worth .new").count(), "the first visit has nothing to compare with"
        one.page.evaluate("localStorage.setItem('told of acme', '2031-04-23')")
        one.page.reload()
        one.drawn()
        fresh = one.page.locator(".worth li:has(.new)").all_inner_texts()
        assert len(fresh) == one.page.locator(".worth li[data-told='2031-04-24']").count() > 0
        one.page.reload()
        one.drawn()
        assert 0 == one.page.locator(".worth .new").count()
        assert [] == one.refused()
