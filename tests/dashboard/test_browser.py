"""Pages in a real browser: everybody can read them, nothing is asked of anybody else, and they do without JavaScript and without a mouse."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.dashboard.browsing import window
from tests.dashboard.conftest import SECOND, Site

PAGES = ("/projects", "/p/acme", "/p/acme?by=block", "/p/acme/targets", "/p/acme/commands/test", "/p/acme/commands/docs", "/p/acme/targets/unit", "/p/acme/os/linux", "/p/acme/changes", "/p/acme/changes/cache", "/p/other/changes", "/p/other/changes/image-cache", "/p/acme/alerts", "/p/acme/privacy")  # fmt: skip
STATES = (
    "/p/other",
    "/p/acme/commands/nobody",
    "/p/acme?period=2020-B03",
    "/p/acme?colour=red",
    "/p/nothing",
    "/p/other/alerts",
    "/p/other/register",
    "/sign-in",
)
WIDTHS = (320, 390, 820, 1440, 1920)


def test_somebody_signs_in_looks_filters_and_goes_back(browser: Browser, site: Site) -> None:
    """The smallest story, on which everything else stands: nothing that the browser or axe object to at any step."""
    with window(browser, site, signed_in=False) as one:
        one.page.goto(site.url + "/p/acme")
        one.page.fill("#token", site.viewer)
        one.page.click("main button")
        one.drawn()
        assert "/p/acme" == one.page.evaluate("location.pathname")
        assert [] == one.judged()
        charts = one.page.locator("trend-chart svg.plot").count()

        one.page.focus("#f-by")
        one.page.select_option("#f-by", "block")
        one.page.wait_for_url("**/p/acme?by=block")
        one.drawn()
        assert "Waiting by block of weeks" in one.text("#waiting h2")
        assert charts == one.page.locator("trend-chart svg.plot").count() > 0
        assert "f-by" == one.page.evaluate("document.activeElement.id"), "focus stays where it was"

        one.page.go_back()
        one.drawn()
        assert "Waiting by week" in one.text("#waiting h2")
        assert "week" == one.page.input_value("#f-by")
        assert [] == one.refused()


def test_without_javascript_figures_are_tables_and_filters_have_a_button(browser: Browser, site: Site) -> None:
    with window(browser, site, java_script_enabled=False) as one:
        one.page.goto(site.url + "/p/acme")
        assert not one.page.is_visible("trend-chart >> nth=0")
        assert one.page.is_visible("#waiting-table")
        one.page.select_option("#f-by", "block")
        one.page.click("form.by button")
        assert one.page.url.endswith("/p/acme?period=&by=block")
        assert "Waiting by block of weeks" in one.text("#waiting h2")
        one.page.goto(site.url + "/p/acme/targets")
        one.page.click("#commands-table thead a >> nth=0")
        assert "ascending" == one.page.get_attribute("#commands-table thead th >> nth=0", "aria-sort")


def test_a_chart_says_with_keys_what_its_table_says(browser: Browser, site: Site) -> None:
    """Each row has its mark and its words; what is not told has no mark."""
    with window(browser, site) as one:
        one.open("/p/acme")
        for figure, field in (("waiting", "waited-minutes-per-week"), ("duration", "p50-ms"), ("failures", "failed")):
            rows: list[dict[str, Any]] = one.page.evaluate(
                "([id, field]) => [...document.querySelectorAll(`#${id}-table tbody tr`)].map((row) => ({ told: !!row.querySelector(`[data-${field}]`), "
                "words: [...row.cells].map((cell) => cell.innerText.replace(/\\s+/g, ' ').trim()) }))",
                [figure, field],
            )
            marks = one.page.locator(f"#{figure} .marks li").count()
            assert 2 == marks
            assert len([row for row in rows if row["told"]]) + marks == one.page.locator(f"#{figure} svg.plot circle").count()
            one.page.focus(f"#{figure} trend-chart")
            one.page.keyboard.press("Home")
            for row in reversed(rows):
                said = one.text(f"#{figure} .readout").casefold()
                assert all(word.casefold() in said for word in row["words"]), (said, row)
                one.page.keyboard.press("ArrowRight")
        assert [] == one.refused()


@pytest.mark.slow
def test_where_the_network_is_cut_the_page_stays_and_says_so(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme")
        one.page.context.set_offline(True)
        one.page.select_option("#f-by", "block")
        one.page.wait_for_selector("#status:text('did not answer')")
        assert one.page.is_visible("#waiting")
        assert one.page.is_visible("nav")


@pytest.mark.slow
def test_a_session_that_ended_meanwhile_asks_to_sign_in_and_goes_on_there(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme")
        one.page.context.clear_cookies()
        one.page.select_option("#f-by", "block")
        one.page.wait_for_selector("#token")
        one.page.fill("#token", site.viewer)
        one.page.click("main button")
        one.drawn()
        assert "Waiting by block of weeks" in one.text("#waiting h2")


@pytest.mark.slow
def test_a_list_is_searched_while_one_types(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme/targets")
        one.page.keyboard.press("/")
        one.page.keyboard.type("uil")
        one.page.wait_for_selector("#status:text-is('1 found')")
        assert "build" in one.text("#commands-table tbody")
        assert "test" not in one.text("#commands-table tbody")
        assert "/p/acme/targets" == one.page.evaluate("location.pathname + location.search")


@pytest.mark.slow
def test_keys_lead_from_page_to_page(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme")
        one.page.keyboard.press("Tab")
        assert "Skip to the content" == one.page.evaluate("document.activeElement.textContent")
        for key, path in (
            ("t", "/p/acme/targets"),
            ("a", "/p/acme/alerts"),
            ("d", "/p/acme/privacy"),
            ("o", "/p/acme"),
            ("p", "/projects"),
        ):
            one.page.keyboard.press("g")
            one.page.keyboard.press(key)
            one.page.wait_for_url(f"**{path}")
        one.page.keyboard.press("?")
        assert one.page.is_visible("#keys dl")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", [*PAGES, *STATES])
def test_everybody_can_read_every_page(browser: Browser, site: Site, path: str, width: int, scheme: str) -> None:
    with window(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme, signed_in=path != "/sign-in") as one:
        assert [] == one.open(path).judged()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_everybody_can_read_the_page_of_an_admin(browser: Browser, site: Site, width: int) -> None:
    with window(browser, site, viewport={"width": width, "height": 900}, signed_in=False) as one:
        one.page.context.set_extra_http_headers({"Authorization": f"Bearer {site.admin}"})
        assert [] == one.open("/admin").judged()
        assert one.page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(browser: Browser, site: Site, width: int) -> None:
    with window(browser, site, viewport={"width": width, "height": 900}) as one:
        for path in (*PAGES, *STATES):
            one.open(path).page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
            assert one.page.evaluate("document.scrollingElement.scrollWidth") <= width, path


@pytest.mark.slow
def test_a_page_moves_nothing_while_it_is_drawn_and_loads_little(browser: Browser, site: Site) -> None:
    """Eight requests at most, 200 KB packed with charts and 40 KB without, and a layout that stays."""
    for path, most in (("/p/acme", 200_000), ("/p/acme/targets", 40_000)):
        with window(browser, site) as one:
            sizes: list[int] = []
            one.page.on("response", lambda answer, sizes=sizes: sizes.append(int(answer.headers.get("content-length", 0))))
            one.page.add_init_script(
                "window.shift = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => { shift += entry.value }))"
                ".observe({ type: 'layout-shift', buffered: true })"
            )
            one.open(path)
            assert len(sizes) <= 8
            assert sum(sizes) <= most
            assert one.page.evaluate("window.shift") < 0.01


@pytest.mark.slow
def test_printing_is_no_other_page(browser: Browser, site: Site) -> None:
    with window(browser, site) as one:
        one.open("/p/acme").page.emulate_media(media="print")
        one.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert not one.page.is_visible("nav")
        assert 680 == one.page.evaluate("document.querySelector('#waiting svg.plot').getBoundingClientRect().width")
        assert [] == one.refused()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/p/acme", "/p/acme/commands/docs", f"/p/acme?period={SECOND.name[:4]}", "/p/acme/targets"])
def test_what_is_hidden_is_nowhere_in_what_the_browser_holds(browser: Browser, site: Site, path: str) -> None:
    """A name that too few ran is in no text, no attribute and no mark."""
    with window(browser, site) as one:
        assert "lint" not in one.open(path).page.content()
