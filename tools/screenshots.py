"""Take pictures of every page of the dashboard, to be looked at: three widths, light and dark.

usage: screenshots.py DATA DIRECTORY [PAGE...]
       screenshots.py DATA --docs

DATA is a collector's data directory, such as DIR/collector after `make demo-team DEMO="--keep DIR"`. It needs Debian's chromium.
--docs takes those that stand in README and docs instead.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTHS = (390, 820, 1440)
SCHEMES = ("light", "dark")
PAGES = {
    "projects": "/projects",
    "overview": "/p/{project}",
    "targets": "/p/{project}/targets",
    "command": "/p/{project}/commands/test",
    "target": "/p/{project}/targets/unit",
    "system": "/p/{project}/os/linux",
    "changes": "/p/{project}/changes",
    "register": "/p/{project}/register",
    "alerts": "/p/{project}/alerts",
    "privacy": "/p/{project}/privacy",
    "admin": "/admin",
    "period": "/p/{project}?period=2020-W01",
    "filter": "/p/{project}?period=yesterday",
    "nothing": "/p/{project}/commands/nobody-ran-this",
    "missing": "/nothing-is-here",
}
PROJECT = "simulated-shop"
PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
FOR_DOCS = {"overview": ("overview", 1200, 1180), "command": ("command", 1200, 1120), "phone": ("overview", 390, 1240)}


@contextmanager
def serving(data: Path) -> Iterator[tuple[str, str]]:
    """Serve a store on a free port. Says the address, and the link that signs in."""
    command = [sys.executable, "-m", "innerloop_collector.cli", "serve", "--data", str(data), "--port", "0", "--sign-in-link"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        address, link = (process.stdout.readline().split()[-1] for _ in range(2))
        yield address, link
    finally:
        process.terminate()
        process.wait()


def signed_in(browser: Browser, link: str) -> dict[str, object]:
    """Sign in once. Returns the session, for further windows."""
    context = browser.new_context()
    context.new_page().goto(link)
    return dict(context.storage_state())


def wait_until_drawn(page: Page) -> None:
    """Wait until every chart of a page is there."""
    page.wait_for_selector("trend-chart:not(:has(svg.plot)), forest-chart:not(:has(svg.plot))", state="detached")


def main(arguments: list[str]) -> int:
    """Take the pictures."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments[1] == "--docs":
        return _for_docs(Path(arguments[0]))
    data, directory, wanted = Path(arguments[0]), Path(arguments[1]), arguments[2:] or list(PAGES)
    directory.mkdir(parents=True, exist_ok=True)
    with serving(data) as (address, link), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        session = signed_in(browser, link)
        for scheme in SCHEMES:
            for width in WIDTHS:
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, storage_state=session)  # type: ignore[arg-type]
                page = context.new_page()
                for name in wanted:
                    page.goto(address + PAGES[name].format(project=PROJECT))
                    wait_until_drawn(page)
                    page.screenshot(path=directory / f"{name}-{width}-{scheme}.png", full_page=True)
                context.close()
        sign_in = browser.new_context(viewport={"width": 820, "height": 600}).new_page()
        sign_in.goto(f"{address}/sign-in")
        sign_in.screenshot(path=directory / "sign-in-820-light.png")
        browser.close()
    print(f"{len(list(directory.glob('*.png')))} pictures in {directory}")
    return 0


def _for_docs(data: Path) -> int:
    PICTURES.mkdir(exist_ok=True)
    with serving(data) as (address, link), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        session = signed_in(browser, link)
        for name, (page_name, width, height) in FOR_DOCS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light", storage_state=session)  # type: ignore[arg-type]
            page.goto(address + PAGES[page_name].format(project=PROJECT))
            wait_until_drawn(page)
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
