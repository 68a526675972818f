"""Open pages as a user does, in Debian's chromium, and note whatever a user's browser would object to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.dashboard.conftest import Site

AXE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text()
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
_NOTE_VIOLATIONS = (
    "window.violations = []; document.addEventListener('securitypolicyviolation', (one) => violations.push(one.violatedDirective))"
)


class Window:
    """One window of a browser."""

    def __init__(self, site: Site, context: BrowserContext) -> None:
        self.site = site
        self.page: Page = context.new_page()
        self.objections: list[str] = []
        self.page.add_init_script(_NOTE_VIOLATIONS)
        self.page.on("console", lambda one: self.objections.append(one.text) if one.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda one: self.objections.append(str(one)))
        self.page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self.site.url + "/"):
            self.objections.append(f"asks {request.url}")

    def open(self, path: str) -> "Window":
        """Go to a page, and wait until it is drawn."""
        self.page.goto(self.site.url + path)
        return self.drawn()

    def drawn(self) -> "Window":
        """Wait until nothing is under way and every chart is there."""
        for under_way in (".htmx-request", "trend-chart:not(:has(svg.plot))", "forest-chart:not(:has(svg.plot))"):
            self.page.wait_for_selector(under_way, state="detached")
        return self

    def judged(self) -> list[str]:
        """What axe and the browser object to, with all tables opened."""
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        self.page.evaluate(AXE)
        found: dict[str, Any] = self.page.evaluate("(rules) => axe.run(document, rules)", _RULES)
        by_axe = [f"{one['id']}: {node['html'][:120]} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"]]
        return [*by_axe, *self.refused()]

    def refused(self) -> list[str]:
        """What the browser objects to so far. An answer that is no page of figures is noted by the browser as well, and is none of it."""
        said = [one for one in self.objections if "the server responded with a status of" not in one]
        return [*said, *self.page.evaluate("window.violations")]

    def text(self, selector: str) -> str:
        """What stands at a place."""
        return self.page.inner_text(selector)


@contextmanager
def window(browser: Browser, site: Site, *, signed_in: bool = True, token: str = "", **wanted: Any) -> Iterator[Window]:
    """A window of a viewer's, or of somebody's with another token."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **wanted})
    try:
        if signed_in:
            answer = httpx2.post(site.url + "/session", json={"token": token or site.viewer}, trust_env=False)
            name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
            context.add_cookies([{"name": name, "value": value, "url": site.url}])
        yield Window(site, context)
    finally:
        context.close()
